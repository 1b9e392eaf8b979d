"""Captures: the money of an order, taken."""

from copy import deepcopy

from local.paypal.amounts import fee_of, less, minor, money
from local.paypal.errors import Json, not_found, unprocessable
from local.paypal.events import Events, instant
from local.paypal.store import Capture, Order
from local.paypal.world import World
from local.standin.identifiers import CAPITALS_AND_DIGITS

_TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
_EVENTS = {
    "COMPLETED": "PAYMENT.CAPTURE.COMPLETED",
    "PENDING": "PAYMENT.CAPTURE.PENDING",
    "DECLINED": "PAYMENT.CAPTURE.DENIED",
}


def is_taken(capture: Capture) -> bool:
    """Whether the money came, whatever became of it later."""
    return capture.shown["status"] in _TAKEN


class Captures:
    """What /v2/payments/captures shows. `base_url` is where the stand-in is reached."""

    def __init__(self, world: World, events: Events, base_url: str) -> None:
        self._world = world
        self._events = events
        self._base_url = base_url

    def check(self, order: Order) -> None:
        """Raises ApiError (422) where this order's money can't be taken."""
        (unit,) = order.shown["purchase_units"]
        used = {one.shown.get("invoice_id") for one in self._all() if is_taken(one)}
        if unit.get("invoice_id") in used - {None}:
            raise unprocessable("DUPLICATE_INVOICE_ID")
        if self._world.switches.take("instrument_declined") or order.funding_declined:
            raise unprocessable("INSTRUMENT_DECLINED")

    def take(self, order: Order) -> None:
        """As the switches say: of another amount, pending, declined."""
        (unit,) = order.shown["purchase_units"]
        capture_id = self._world.ids.new("", 17, CAPITALS_AND_DIGITS)
        now = instant(self._world.clock.time())
        shown: Json = {
            "id": capture_id,
            "amount": self._charged(unit["amount"]),
            "final_capture": True,
            "seller_protection": {"status": "NOT_ELIGIBLE"},
            "links": self._links(capture_id, order.shown["id"]),
            "create_time": now,
            "update_time": now,
        }
        shown |= {name: unit[name] for name in ("custom_id", "invoice_id") if name in unit}
        capture = Capture(shown, order.shown["id"])
        self._world.state.captures[capture_id] = capture
        self._stand(capture, self._world.switches.take("capture_as") or "COMPLETED")

    def get(self, capture_id: str) -> Capture:
        """Raises ApiError (404)."""
        capture = self._world.state.captures.get(capture_id)
        if capture is None:
            raise not_found()
        return capture

    def show(self, capture_id: str) -> Json:
        """As its own address and its events show it: with its order."""
        capture = self.get(capture_id)
        related = {"related_ids": {"order_id": capture.order}}
        return deepcopy(capture.shown) | {"supplementary_data": related}

    def of_order(self, order_id: str) -> Json:
        """The payments that an order shows; {} while there are none. Reversals are not in it."""
        captures = [one for one in self._all() if one.order == order_id]
        refunds = [self._world.state.refunds[name] for one in captures for name in one.refunds]
        payments = {
            "captures": [deepcopy(one.shown) for one in captures],
            "refunds": [deepcopy(one.shown) for one in refunds if not one.is_reversal],
        }
        return {name: found for name, found in payments.items() if found}

    def end(self, order_id: str, status: str) -> Capture:
        """A pending capture is COMPLETED or DECLINED. Raises ApiError (404, 422)."""
        for capture in self._all():
            if capture.order == order_id:
                if capture.shown["status"] != "PENDING":
                    raise unprocessable("CAPTURE_NOT_PENDING")
                self._stand(capture, status)
                return capture
        raise not_found()

    def _stand(self, capture: Capture, status: str) -> None:
        shown = capture.shown
        shown["status"] = status
        shown.pop("status_details", None)
        if status == "PENDING":
            shown["status_details"] = {"reason": "PENDING_REVIEW"}
        if status == "COMPLETED":
            gross, fee = shown["amount"], fee_of(shown["amount"])
            shown["seller_receivable_breakdown"] = {
                "gross_amount": gross,
                "paypal_fee": fee,
                "net_amount": less(gross, fee),
            }
        self._events.record(_EVENTS[status], self.show(shown["id"]))

    def _charged(self, asked: Json) -> Json:
        switches = self._world.switches
        currency = (switches.take("wrong_currency") or asked["currency_code"]).upper()
        return money(minor(asked) + switches.take("wrong_amount"), currency)

    def _all(self) -> list[Capture]:
        return list(self._world.state.captures.values())

    def _links(self, capture_id: str, order_id: str) -> list[Json]:
        address = f"{self._base_url}/v2/payments/captures/{capture_id}"
        order = f"{self._base_url}/v2/checkout/orders/{order_id}"
        return [
            {"href": address, "rel": "self", "method": "GET"},
            {"href": f"{address}/refund", "rel": "refund", "method": "POST"},
            {"href": order, "rel": "up", "method": "GET"},
        ]
