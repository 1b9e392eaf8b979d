"""The clock of a laptop: real time plus an offset that tests, the demo and a developer may move."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol


class Follower(Protocol):
    """What has things to do at instants of the clock, and does them by itself as time passes."""

    @property
    def turn(self) -> asyncio.Lock:
        """Held while it does something; whoever else holds it keeps it from doing so by itself."""

    async def catch_up(self) -> int:
        """For the holder of `turn`: does all that is due by now, to its end; how many things."""


class Clock:
    """Real time, shifted. Only the local host and tests hold one; a deployment has real time.

    With a `file`, the shift outlives a restart: what the database holds must not lie in the future.
    `advance` moves nothing but the clock; a Traveller takes the followers along, which have to be
    in its event loop.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.offset_seconds = float(file.read_text()) if file is not None and file.exists() else 0.0
        self.followers: list[Follower] = []

    def time(self) -> float:
        """Seconds since 1970, like time.time()."""
        return time.time() + self.offset_seconds

    def now(self) -> datetime:
        """The instant, in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Moves the clock forward. Raises ValueError for a step back: time does not do that."""
        if not seconds >= 0:
            raise ValueError("the clock moves forward only")
        self.offset_seconds += seconds
        if self._file is not None:
            # whoever is killed here leaves the old shift or the new one, and no empty file
            unfinished = self._file.with_name(self._file.name + ".new")
            unfinished.write_text(str(self.offset_seconds))
            unfinished.replace(self._file)
