"""What Jenga tells a merchant: instant payment notifications, and the callbacks of pushes.

Sources: Jenga's guides on instant payment notifications and on the callbacks of STK pushes.
"""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx

from local.jenga.store import Order
from local.jenga.world import World
from local.standin.deliveries import Compose, Deliveries
from local.standin.identifiers import CAPITALS_AND_DIGITS
from local.standin.outbox import Event

_NAIROBI = timezone(timedelta(hours=3))
_PUSH_MESSAGES = {
    1: "failed",
    3: "completed and credited",
    4: "debited but credit failed",
    5: "cancelled",
    6: "cancelled",
}


class Notifications:
    """Writes down what happened, as Jenga words it, and puts it into the queue."""

    def __init__(self, world: World, deliveries: Deliveries) -> None:
        self._world = world
        self._deliveries = deliveries

    def tell_of_payment(self, order: Order) -> None:
        """An IPN. Our reference is the customer's after a push, the bill's number after a
        checkout; `amount` has the service charge in it, `orderAmount` has not."""
        now = self._world.clock.time()
        is_push, is_paid = order.way == "push", order.status == "paid"
        amount = order.paid if is_paid else order.amount
        currency = order.paid_currency or order.currency
        body = {
            "callbackType": "IPN",
            "customer": {
                "name": order.customer,
                "mobileNumber": order.phone,
                "reference": order.reference if is_push else order.phone,
            },
            "transaction": {
                "date": f"{datetime.fromtimestamp(now, UTC).astimezone(_NAIROBI):%F %T}",
                "reference": order.transaction,
                "paymentMode": order.channel,
                "amount": major(amount + order.charge),
                "currency": currency,
                "billNumber": order.invoice if is_push else order.reference,
                "servedBy": "EQ",
                "additionalInfo": order.customer,
                "orderAmount": major(amount),
                "serviceCharge": major(order.charge),
                "orderCurrency": currency,
                "status": "SUCCESS" if is_paid else "FAILED",
                "remarks": order.remarks,
            },
            "bank": {
                "reference": self._world.ids.new("", 12, CAPITALS_AND_DIGITS),
                "transactionType": "C",
                "account": "1450160649886",
            },
        }
        self._put("ipn", "ipn.success" if is_paid else "ipn.failed", body)

    def tell_of_push(self, order: Order, code: int) -> None:
        """A push's callback, to the address that came with the push; a checkout has none."""
        if order.way != "push":
            return
        debited = order.amount + order.charge if order.receipt is not None else 0
        body = {
            "status": code in (3, 4),
            "code": self._number_or_text(code),
            "message": _PUSH_MESSAGES[code],
            "transactionReference": order.reference,
            "telcoReference": order.receipt,
            "mobileNumber": order.phone,
            "requestAmount": major(order.amount),
            "debitedAmount": major(debited),
            "charge": major(order.charge),
            "currency": order.currency,
            "telco": "Safaricom",
        }
        self._put("cb", f"push.{code}", body, to=order.callback_url)

    def _number_or_text(self, code: int) -> int | str:
        """Jenga writes a code as either; here they take turns."""
        return code if len(self._deliveries.events) % 2 else str(code)

    def _put(self, prefix: str, event_type: str, body: dict[str, Any], to: str = "") -> None:
        event_id = self._world.ids.new(f"{prefix}_")
        text = json.dumps(body, indent=1)
        self._deliveries.put(Event(event_id, event_type, self._world.timestamp(), text, to=to))


def major(cents: int) -> float:
    """An amount as Jenga's JSON has it."""
    return cents / 100


def notification(ipn_url: str, user: str, password: str) -> Compose:
    """Makes the request: an IPN goes to the address of JengaHQ's settings, with HTTP Basic; a
    callback to its own, with nothing that would prove who sends it."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()

    def compose(event: Event, _at: float) -> httpx.Request:
        headers = {"Content-Type": "application/json"}
        if not event.to:
            headers["Authorization"] = f"Basic {basic}"
        return httpx.Request("POST", event.to or ipn_url, content=event.body, headers=headers)

    return compose
