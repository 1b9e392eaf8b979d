"""Travel through time: the clock is moved, and what becomes due on the way happens on the way."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from local.clock import Clock, Follower
from local.redis_clock import RedisClock

MOST_STEPS = 100_000
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""A year is left for those who reckon ahead from there."""
PROGRESS_SECONDS = 5.0
_MOST_ROUNDS = 20
"""So often a webhook may bring about another one within a step; the rest waits for the next."""

Target = float | datetime
"""So many seconds on, or an instant."""


class TravelError(ValueError):
    """That way can't be gone; nothing has moved."""


class TravelEnded(Exception):
    """Given up on the way, because the system is being stopped."""


@dataclass(frozen=True)
class Journey:
    """From when to when, and what happened on the way."""

    start: datetime
    end: datetime
    steps: int
    timers_fired: int
    webhooks_delivered: int


@dataclass(frozen=True)
class _Way:
    """Its steps; `end` is None for a way that is measured from where it starts."""

    seconds: float
    every_seconds: float
    steps: int
    end: float | None

    def stops(self, start: float) -> Iterator[float]:
        """The instants to halt at."""
        end = self.end if self.end is not None else start + self.seconds
        for step in range(1, self.steps):
            yield min(start + step * self.every_seconds, end)
        yield end


class Traveller:
    """Moves a clock together with all that runs by it, one journey at a time.

    `timers` fire once at each halt. What deliver webhooks are the clock's followers. The keys of
    the Redis at `redis_url` age along.
    """

    def __init__(
        self, clock: Clock, timers: Follower, redis_url: str | None, log: Callable[[str], None]
    ) -> None:
        self._clock = clock
        self._timers = timers
        self._redis = RedisClock(redis_url, log)
        self._log = log
        self._one_at_a_time = asyncio.Lock()
        self._is_ended = False

    async def travel(self, target: Target, every_seconds: float | None = None) -> Journey:
        """Goes there at once, as past a scheduler that was down, or in steps; what was due before
        happens first. At each halt webhooks are delivered and timers called, and time goes on when
        that has ended.

        Raises TravelError, and TravelEnded after `end`.
        """
        async with self._one_at_a_time, AsyncExitStack() as turns:
            way = self._plan(target, every_seconds)
            senders = list(self._clock.followers)
            for follower in (*senders, self._timers):
                await turns.enter_async_context(follower.turn)
            await self._halt(senders)
            return await self._walk(way, senders)

    def end(self) -> None:
        """Ends the journey under way at its next halt, and begins no other one."""
        self._is_ended = True

    def _plan(self, target: Target, every_seconds: float | None) -> _Way:
        now = self._clock.time()
        if isinstance(target, datetime):
            end: float | None = target.timestamp()
            seconds = target.timestamp() - now
        else:
            end, seconds = None, target
        if not seconds >= 0:
            raise TravelError("The clock moves forward only.")
        if seconds >= LATEST.timestamp() - now:
            raise TravelError(f"The clock can't be moved beyond the year {LATEST.year - 1}.")
        if every_seconds is None:
            return _Way(seconds, seconds, 1, end)
        if not 0 < every_seconds <= seconds:
            raise TravelError("A step has to be longer than nothing, and not longer than the way.")
        if seconds / every_seconds > MOST_STEPS:
            raise TravelError(f"The way would take more than {MOST_STEPS} steps.")
        return _Way(seconds, every_seconds, math.ceil(seconds / every_seconds), end)

    async def _walk(self, way: _Way, senders: Sequence[Follower]) -> Journey:
        start = at = self._clock.time()
        fired = delivered = 0
        told_at = time.monotonic()
        for step, stop in enumerate(way.stops(start), 1):
            # what really took time at the last halt is no part of the next step
            await self._move(max(stop - at, 0.0))
            fired_here, delivered_here = await self._halt(senders)
            fired, delivered = fired + fired_here, delivered + delivered_here
            at = self._clock.time()
            if time.monotonic() - told_at > PROGRESS_SECONDS:
                told_at = time.monotonic()
                self._log(f"clock: {self._clock.now():%F %T}, step {step} of {way.steps}")
        return Journey(
            datetime.fromtimestamp(start, UTC), self._clock.now(), way.steps, fired, delivered
        )

    async def _move(self, seconds: float) -> None:
        if self._is_ended:
            raise TravelEnded
        await asyncio.to_thread(self._redis.advance, seconds)
        self._clock.advance(seconds)

    async def _halt(self, senders: Sequence[Follower]) -> tuple[int, int]:
        """All that is due happens: so many timers fire, so many webhooks are delivered."""
        delivered = await _deliver(senders)
        fired = await self._timers.catch_up()
        if fired:
            delivered += await _deliver(senders)
        return fired, delivered


async def _deliver(senders: Sequence[Follower]) -> int:
    """Until none has anything more: what one tells may make another one have something to tell."""
    total = 0
    for _ in range(_MOST_ROUNDS):
        delivered = sum([await sender.catch_up() for sender in senders])
        total += delivered
        if not delivered:
            break
    return total
