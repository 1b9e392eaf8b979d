"""Deliveries: queued as the switches say, retried until the receiver takes them or they run out."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import groupby
from typing import Any

import httpx

from local.clock import Clock
from local.standin.faults import Switchboard
from local.standin.outbox import Attempt, Delivery, Event, Outbox

# Between attempts. The PSPs take hours or days.
RETRY_AFTER_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
HELD_SECONDS = 1.0
_HELD_TOGETHER_MAX = 4
_RECEIVER_TIMEOUT_SECONDS = 10.0
_POLL_SECONDS = 0.05
_ROUNDS_MAX = 20

Compose = Callable[[Event, float], httpx.Request]
"""Makes the request that tells an event, signed anew for this instant (seconds since 1970)."""


def is_success(response: httpx.Response) -> bool:
    """What most PSPs ask of the receiver: any 2xx."""
    return response.is_success


class Deliveries:
    """The queue of an outbox, and the worker that delivers what is due.

    `accepts` says whether the receiver's answer ends the retries; `tick` is called each time the
    worker looks, `save` after each change of the outbox. `name` is the PSP's, for the log. Between
    `start` and `stop` they follow the clock; `turn` is the worker's while it looks and delivers.
    """

    def __init__(
        self,
        *,
        name: str,
        outbox: Outbox,
        clock: Clock,
        switches: Switchboard[Any],
        compose: Compose,
        tick: Callable[[], None],
        save: Callable[[], None],
        log: Callable[[str], None],
        accepts: Callable[[httpx.Response], bool] = is_success,
    ) -> None:
        self._name = name
        self._outbox = outbox
        self._clock = clock
        self._switches = switches
        self._compose = compose
        self._tick = tick
        self._save = save
        self._log = log
        self._accepts = accepts
        self._client: httpx.AsyncClient | None = None
        self._worker: asyncio.Task[None] | None = None
        self.turn = asyncio.Lock()

    @property
    def events(self) -> list[Event]:
        """All there are, oldest first."""
        return list(self._outbox.events.values())

    def put(self, event: Event) -> None:
        """Remembers the event, and queues it unless it is to be lost."""
        self._outbox.events[event.id] = event
        if self._switches.take("lost"):
            return
        order = len(self._outbox.events)
        due_at = self._clock.time() + self._switches.take("late_seconds")
        held = bool(self._switches.take("out_of_order"))
        if held:
            due_at += HELD_SECONDS
            order = -order
            self._wait_for_the_newest(due_at)
        copies = 2 if self._switches.take("twice") else 1
        for _ in range(copies):
            self._outbox.deliveries.append(Delivery(event.id, due_at, order, held))

    def _wait_for_the_newest(self, due_at: float) -> None:
        """Moves the events already held to the newest one's instant, where it goes first.

        Bounded, or a steady stream of events would hold the first one for ever.
        """
        waiting = [held for held in self._outbox.deliveries if held.held and not held.failures]
        if len(waiting) < _HELD_TOGETHER_MAX:
            for delivery in waiting:
                delivery.due_at = due_at

    async def start(self) -> None:
        self._client = httpx.AsyncClient(
            timeout=_RECEIVER_TIMEOUT_SECONDS,
            trust_env=False,
            # a connection kept open may be closed by the receiver just as the next event is sent
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._worker = asyncio.create_task(self._work())
        self._clock.followers.append(self)

    async def stop(self) -> None:
        """What is not delivered yet stays queued for the next start."""
        if self._worker is not None:
            self._clock.followers.remove(self)
            self._worker.cancel()
            with suppress(asyncio.CancelledError):
                await self._worker
        if self._client is not None:
            await self._client.aclose()

    async def resend(self, event_id: str) -> Attempt | None:
        """One delivery now, whatever the switches and the queue say; None: no such event."""
        event = self._outbox.events.get(event_id)
        if event is None:
            return None
        attempt = await self._attempt(event)
        self._save()
        return attempt

    async def catch_up(self) -> int:
        """Brings the state up to the clock and delivers all that is due, retries too; how many
        deliveries the receiver has taken. For the holder of `turn`.

        Bounded, or a receiver that makes events happen would never let go.
        """
        taken = 0
        for _ in range(_ROUNDS_MAX):
            attempts = await self._look()
            taken += sum(attempt.accepted for attempt in attempts)
            if not attempts:
                break
        return taken

    async def _work(self) -> None:
        while True:
            async with self.turn:
                await self._look()
            await asyncio.sleep(_POLL_SECONDS)

    async def _look(self) -> list[Attempt]:
        """One event after another, in order; the copies of one event at the same moment."""
        self._tick()
        now = self._clock.time()
        due = [delivery for delivery in self._outbox.deliveries if delivery.due_at <= now]
        due.sort(key=lambda delivery: (delivery.due_at, delivery.order))
        attempts: list[Attempt] = []
        for _, copies in groupby(due, key=lambda delivery: delivery.event):
            attempts += await asyncio.gather(*(self._deliver(copy) for copy in copies))
            self._save()
        return attempts

    async def _deliver(self, delivery: Delivery) -> Attempt:
        attempt = await self._attempt(self._outbox.events[delivery.event])
        self._outbox.deliveries.remove(delivery)
        if not attempt.accepted and delivery.failures < len(RETRY_AFTER_SECONDS):
            delivery.due_at = self._clock.time() + RETRY_AFTER_SECONDS[delivery.failures]
            delivery.failures += 1
            self._outbox.deliveries.append(delivery)
        return attempt

    async def _attempt(self, event: Event) -> Attempt:
        """Sends the event now, and notes how that went."""
        if self._client is None:
            raise RuntimeError("the worker has not been started")
        at = self._clock.time()
        try:
            response = await self._client.send(self._compose(event, at))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            attempt = Attempt(at, None, type(error).__name__)
        else:
            attempt = Attempt(at, response.status_code, accepted=self._accepts(response))
        event.attempts.append(attempt)
        if attempt.accepted and event.delivered_at is None:
            event.delivered_at = self._clock.time()
        outcome = attempt.error or f"{attempt.status}{'' if attempt.accepted else ' not accepted'}"
        self._log(f"{self._name} notification {event.type} {event.id}: {outcome}")
        return attempt
