"""Fires the triggers of project.yml by their cron lines, on the clock that can be moved."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim

from local.clock import Clock
from local.host.project import Function, Trigger

# How often the clock is looked at, in real seconds: somebody may have moved it.
LOOK_SECONDS = 0.5
NEVER = datetime.max.replace(tzinfo=UTC)

Fire = Callable[[Function, dict[str, Any]], Awaitable[None]]


@dataclass
class _Timer:
    function: Function
    trigger: Trigger
    due_at: datetime


class Timers:
    """At each due instant the function is called with the trigger's body, overlapping or not.

    After a jump of the clock over many due instants a timer fires once, as a scheduler that was
    down does; and it fires in UTC. While somebody holds `turn`, no timer fires by itself.
    """

    def __init__(self, clock: Clock, fire: Fire) -> None:
        self._clock = clock
        self._fire = fire
        self._timers: list[_Timer] = []
        self._calls: set[asyncio.Future[None]] = set()
        self.turn = asyncio.Lock()

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

    async def run(self) -> None:
        """Fires until cancelled; then its calls are cancelled too."""
        try:
            while True:
                async with self.turn:
                    self.fire_due()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for call in self._calls:
                call.cancel()
            await asyncio.gather(*self._calls, return_exceptions=True)

    async def catch_up(self) -> int:
        """Fires every timer that is due and waits until no call is under way, at most for as long
        as their functions may take; how many fired. For the holder of `turn`.
        """
        fired = self.fire_due()
        while self._calls:
            await asyncio.wait(self._calls)
        return fired

    def fire_due(self) -> int:
        """Starts a call for every timer that is due; how many there were."""
        now = self._clock.now()
        due = [timer for timer in self._timers if timer.due_at <= now]
        for timer in due:
            timer.due_at = self._next(timer.trigger)
            event = {**timer.function.parameters, **timer.trigger.body}
            call = asyncio.ensure_future(self._fire(timer.function, event))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
        return len(due)

    def _next(self, trigger: Trigger) -> datetime:
        try:
            return next(CronSim(trigger.cron, self._clock.now()))
        except (OverflowError, StopIteration):  # not before the calendar ends
            return NEVER
