"""Events: what happened, written down once as Stripe words it, and put into the queue."""

import json
from dataclasses import dataclass

from local.standin.deliveries import Deliveries
from local.standin.outbox import Event
from local.stripe.errors import Json
from local.stripe.world import World


@dataclass(frozen=True)
class Cause:
    """The API request behind an event; empty for what a client or time brought about."""

    request_id: str | None = None
    idempotency_key: str | None = None


class Events:
    """Records events in the envelope Stripe gives them (docs.stripe.com/api/events/object)."""

    def __init__(self, world: World, deliveries: Deliveries, version: str) -> None:
        self._world = world
        self._deliveries = deliveries
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
        self._deliveries.put(Event(event_id, event_type, created, json.dumps(envelope, indent=2)))


def as_listed(event: Event) -> Json:
    """The event as GET /v1/events shows it: what was sent, less the delivery still to come."""
    shown: Json = json.loads(event.body)
    shown["pending_webhooks"] = 0 if event.delivered_at is not None else 1
    return shown
