"""Fires the triggers of project.yml by their cron lines, on the clock that can be moved."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronsim import CronSim

from local.clock import Clock
from local.host.project import Function, Trigger

# How often the clock is looked at, in real seconds: somebody may have moved it.
LOOK_SECONDS = 0.5

Fire = Callable[[Function, dict[str, Any]], Awaitable[None]]


@dataclass
class _Timer:
    function: Function
    trigger: Trigger
    due_at: datetime


class Timers:
    """At each due instant the function is called with the trigger's body, overlapping or not.

    After a jump of the clock over many due instants a timer fires once, as a scheduler that was
    down does; and it fires in UTC.
    """

    def __init__(self, clock: Clock, fire: Fire) -> None:
        self._clock = clock
        self._fire = fire
        self._timers: list[_Timer] = []
        self._calls: set[asyncio.Future[None]] = set()
        self._moved = asyncio.Event()

    def plan(self, functions: Iterable[Function]) -> None:
        """Takes over the functions' triggers; one that was there already keeps its due instant."""
        known = {(timer.trigger.name, timer.trigger.cron): timer.due_at for timer in self._timers}
        self._timers = [
            _Timer(
                function,
                trigger,
                known.get((trigger.name, trigger.cron)) or self._next(trigger),
            )
            for function in functions
            for trigger in function.triggers
            if trigger.enabled
        ]

    def clock_moved(self) -> None:
        """Looks at the clock now, not at the next look."""
        self._moved.set()

    async def run(self) -> None:
        """Fires until cancelled; then its calls are cancelled too."""
        try:
            while True:
                self._moved.clear()
                self.fire_due()
                with contextlib.suppress(TimeoutError):
                    # not wait_for: before Python 3.12 it can swallow a cancellation
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._moved.wait()
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    def fire_due(self) -> None:
        """Starts a call for every timer that is due."""
        now = self._clock.now()
        for timer in self._timers:
            if timer.due_at <= now:
                timer.due_at = self._next(timer.trigger)
                event = {**timer.function.parameters, **timer.trigger.body}
                call = asyncio.ensure_future(self._fire(timer.function, event))
                self._calls.add(call)
                call.add_done_callback(self._calls.discard)

    def _next(self, trigger: Trigger) -> datetime:
        return next(CronSim(trigger.cron, self._clock.now()))
