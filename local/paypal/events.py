"""Events: what happened, in the envelope PayPal gives them, and the queue they go into."""

import json
from datetime import UTC, datetime

from local.paypal.errors import Json
from local.paypal.world import World
from local.standin.deliveries import Deliveries
from local.standin.identifiers import CAPITALS_AND_DIGITS
from local.standin.outbox import Event

_KINDS = {
    "CHECKOUT": "checkout-order",
    "CUSTOMER": "dispute",
    "VAULT": "payment_token",
}
_OF_REFUND = ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED")


class Events:
    """Records events (developer.paypal.com, webhooks event object)."""

    def __init__(self, world: World, deliveries: Deliveries, api_url: str) -> None:
        self._world = world
        self._deliveries = deliveries
        self._api_url = api_url

    def record(self, event_type: str, resource: Json) -> None:
        """`resource` is the object as it is now; later changes do not reach the event."""
        event_id = "-".join(("WH", self._part(), self._part()))
        address = f"{self._api_url}/v1/notifications/webhooks-events/{event_id}"
        envelope = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": instant(self._world.clock.time()),
            "resource_type": _resource_type(event_type),
            "event_type": event_type,
            "summary": event_type.replace(".", " ").capitalize(),
            "resource": resource,
            "links": [
                {"href": address, "rel": "self", "method": "GET"},
                {"href": f"{address}/resend", "rel": "resend", "method": "POST"},
            ],
            "resource_version": "2.0",
        }
        body = json.dumps(envelope, separators=(",", ":"))
        self._deliveries.put(Event(event_id, event_type, self._world.timestamp(), body))

    def _part(self) -> str:
        return self._world.ids.new("", 17, CAPITALS_AND_DIGITS)


def instant(at: float) -> str:
    """`2026-01-31T09:00:00Z`, as PayPal writes most of them."""
    return datetime.fromtimestamp(int(at), UTC).isoformat().replace("+00:00", "Z")


def _resource_type(event_type: str) -> str:
    if event_type in _OF_REFUND or event_type.startswith("PAYMENT.REFUND."):
        return "refund"
    return _KINDS.get(event_type.partition(".")[0], "capture")
