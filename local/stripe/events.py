"""Events: what happened, written down once, and queued for delivery as the switches say."""

import json
from dataclasses import dataclass

from local.stripe.errors import Json
from local.stripe.store import Delivery, Event
from local.stripe.world import World

HELD_SECONDS = 1.0
_HELD_TOGETHER_MAX = 4


@dataclass(frozen=True)
class Cause:
    """The API request behind an event; empty for what a client or time brought about."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Events:
    """Records events in the envelope Stripe gives them (docs.stripe.com/api/events/object)."""

    def __init__(self, world: World, version: str) -> None:
        self._world = world
        self._version = version

    def record(self, event_type: str, subject: Json, cause: Cause) -> None:
        """`subject` is the object as it is now; later changes do not reach the event."""
        event_id = self._world.ids.new("evt_")
        created = self._world.timestamp()
        envelope = {
            "id": event_id,
            "object": "event",
            "api_version": self._version,
            "created": created,
            "data": {"object": subject},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": cause.request_id, "idempotency_key": cause.idempotency_key},
            "type": event_type,
        }
        self._world.state.events[event_id] = Event(
            event_id, event_type, created, json.dumps(envelope, indent=2)
        )
        self._queue(event_id)

    def _queue(self, event_id: str) -> None:
        if self._world.switches.take("lost"):
            return
        order = len(self._world.state.events)
        due_at = self._world.clock.time() + self._world.switches.take("late_seconds")
        held = bool(self._world.switches.take("out_of_order"))
        if held:
            due_at += HELD_SECONDS
            order = -order
            self._wait_for_the_newest(due_at)
        copies = 2 if self._world.switches.take("twice") else 1
        for _ in range(copies):
            self._world.state.deliveries.append(Delivery(event_id, due_at, order, held))

    def _wait_for_the_newest(self, due_at: float) -> None:
        """Moves the events already held to the newest one's instant, where it goes first.

        Bounded, or a steady stream of events would hold the first one for ever.
        """
        waiting = [held for held in self._world.state.deliveries if held.held and not held.failures]
        if len(waiting) < _HELD_TOGETHER_MAX:
            for delivery in waiting:
                delivery.due_at = due_at


def as_listed(event: Event) -> Json:
    """The event as GET /v1/events shows it: what was sent, less the delivery still to come."""
    shown: Json = json.loads(event.body)
    shown["pending_webhooks"] = 0 if event.delivered_at is not None else 1
    return shown
