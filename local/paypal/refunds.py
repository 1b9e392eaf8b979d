"""Refunds, and reversals, which are PayPal's own."""

from copy import deepcopy

from local.paypal.amounts import check_amount, fee_of, less, minor, money
from local.paypal.captures import Captures, is_taken
from local.paypal.errors import Json, not_found, unprocessable
from local.paypal.events import Events, instant
from local.paypal.store import Capture, Refund
from local.paypal.world import World
from local.standin.identifiers import CAPITALS_AND_DIGITS

_LOST = ("FAILED", "CANCELLED")
_EVENTS = {
    "COMPLETED": "PAYMENT.CAPTURE.REFUNDED",
    "PENDING": "PAYMENT.REFUND.PENDING",
    "FAILED": "PAYMENT.REFUND.FAILED",
}


class Refunds:
    """What /v2/payments/refunds shows. `base_url` is where the stand-in is reached."""

    def __init__(self, world: World, events: Events, captures: Captures, base_url: str) -> None:
        self._world = world
        self._events = events
        self._captures = captures
        self._base_url = base_url

    def create(self, capture_id: str, asked: Json) -> str:
        """The new refund's id. Raises ApiError."""
        capture = self._captures.get(capture_id)
        amount = asked.get("amount") or self._left(capture)
        check_amount(amount, "/amount")
        self._check(capture, amount, asked.get("invoice_id"))
        status = "PENDING" if self._world.switches.take("pending_refunds") else "COMPLETED"
        told = {name: asked[name] for name in _TOLD if name in asked}
        refund = self._new(capture, {"status": status, "amount": amount} | told)
        if status == "PENDING":
            refund.shown["status_details"] = {"reason": "ECHECK"}
        self._tell(refund, _EVENTS[status])
        return str(refund.shown["id"])

    def by_hand(self, capture_id: str, amount_minor: int | None) -> Json:
        """Somebody makes one in PayPal's pages: it bears the names of the payment itself. Raises
        ApiError."""
        capture = self._captures.get(capture_id)
        asked = {name: capture.shown[name] for name in ("custom_id",) if name in capture.shown}
        if amount_minor is not None:
            asked["amount"] = money(amount_minor, capture.shown["amount"]["currency_code"])
        return self.show(self.create(capture_id, asked))

    def reverse(self, capture_id: str) -> Json:
        """A bank takes back what is left, which the order does not list. Raises ApiError."""
        capture = self._captures.get(capture_id)
        left = self._left(capture)
        self._check(capture, left, None)
        told = {"status": "COMPLETED", "amount": left, "note_to_payer": "Payment reversed"}
        refund = self._new(capture, told)
        refund.is_reversal = True
        self._tell(refund, "PAYMENT.CAPTURE.REVERSED")
        return self.show(refund.shown["id"])

    def end(self, refund_id: str, status: str) -> Json:
        """It is done, or fails, also after it was done. Raises ApiError (404)."""
        refund = self._get(refund_id)
        refund.shown["status"] = status
        refund.shown.pop("status_details", None)
        self._tell(refund, _EVENTS[status])
        return self.show(refund_id)

    def show(self, refund_id: str) -> Json:
        return deepcopy(self._get(refund_id).shown)

    def refunded_minor(self, capture: Capture) -> int:
        """What went back of it, or is on its way."""
        refunds = (self._world.state.refunds[name].shown for name in capture.refunds)
        return sum(minor(one["amount"]) for one in refunds if one["status"] not in _LOST)

    def _get(self, refund_id: str) -> Refund:
        refund = self._world.state.refunds.get(refund_id)
        if refund is None:
            raise not_found()
        return refund

    def _left(self, capture: Capture) -> Json:
        amount = capture.shown["amount"]
        return money(minor(amount) - self.refunded_minor(capture), amount["currency_code"])

    def _check(self, capture: Capture, amount: Json, invoice_id: str | None) -> None:
        if capture.shown["status"] == "PENDING":
            raise unprocessable("PENDING_CAPTURE")
        if not is_taken(capture):
            raise unprocessable("REFUND_NOT_ALLOWED")
        left = self._left(capture)
        if minor(left) <= 0:
            raise unprocessable("CAPTURE_FULLY_REFUNDED")
        if amount["currency_code"] != left["currency_code"]:
            raise unprocessable("CURRENCY_MISMATCH", field="/amount/currency_code")
        if minor(amount) > minor(left):
            raise unprocessable("REFUND_AMOUNT_EXCEEDED", field="/amount/value")
        used = {one.shown.get("invoice_id") for one in self._world.state.refunds.values()}
        if invoice_id is not None and invoice_id in used:
            raise unprocessable("DUPLICATE_INVOICE_ID", field="/invoice_id")

    def _new(self, capture: Capture, told: Json) -> Refund:
        refund_id = self._world.ids.new("", 17, CAPITALS_AND_DIGITS)
        now = instant(self._world.clock.time())
        up = f"{self._base_url}/v2/payments/captures/{capture.shown['id']}"
        shown = {
            "id": refund_id,
            **told,
            "links": [
                {
                    "href": f"{self._base_url}/v2/payments/refunds/{refund_id}",
                    "rel": "self",
                    "method": "GET",
                },
                {"href": up, "rel": "up", "method": "GET"},
            ],
            "create_time": now,
            "update_time": now,
        }
        refund = Refund(shown, capture.shown["id"])
        self._world.state.refunds[refund_id] = refund
        capture.refunds.append(refund_id)
        total = money(self.refunded_minor(capture), told["amount"]["currency_code"])
        shown["seller_payable_breakdown"] = _breakdown(told["amount"], total)
        return refund

    def _tell(self, refund: Refund, event_type: str) -> None:
        capture = self._captures.get(refund.capture)
        back, taken = self.refunded_minor(capture), minor(capture.shown["amount"])
        whole = "REFUNDED" if back >= taken else "PARTIALLY_REFUNDED"
        capture.shown["status"] = whole if back else "COMPLETED"
        self._events.record(event_type, self.show(refund.shown["id"]))


_TOLD = ("custom_id", "invoice_id", "note_to_payer")


def _breakdown(amount: Json, total: Json) -> Json:
    fee = fee_of(amount)
    return {
        "gross_amount": amount,
        "paypal_fee": fee,
        "net_amount": less(amount, fee),
        "total_refunded_amount": total,
    }
