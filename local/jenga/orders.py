"""Orders: opened once by a reference, then paid, declined, or over."""

import string
from dataclasses import dataclass

from local.jenga.errors import DUPLICATE_REFERENCE, ApiError
from local.jenga.notifications import Notifications
from local.jenga.store import Order, Status, Way
from local.jenga.world import World
from local.standin.happenings import Refusal
from local.standin.identifiers import CAPITALS_AND_DIGITS

PROMPT_SECONDS = 5 * 60
SERVICE_CHARGE = 500
"""What a client pays on top by M-Pesa: KES 5."""


@dataclass(frozen=True)
class Wanted:
    """What a merchant asks for, read and checked; `lives_seconds` from now it can be paid."""

    reference: str
    way: Way
    amount: int
    currency: str
    description: str
    callback_url: str
    customer: str
    phone: str
    lives_seconds: float = PROMPT_SECONDS
    payment_reference: str = ""


class Orders:
    """What clients and time do with them."""

    def __init__(self, world: World, notifications: Notifications) -> None:
        self._world = world
        self._notifications = notifications

    def open(self, wanted: Wanted) -> Order:
        """Raises ApiError for a reference that was there before, whatever became of it."""
        state, now = self._world.state, self._world.clock.time()
        request = wanted.payment_reference
        if wanted.reference in state.orders or request in state.payment_references:
            raise ApiError(400, str(DUPLICATE_REFERENCE), "duplicate reference")
        if request:
            state.payment_references.append(request)
        is_push = wanted.way == "push"
        order = state.orders[wanted.reference] = Order(
            reference=wanted.reference,
            way=wanted.way,
            amount=wanted.amount,
            currency=wanted.currency,
            description=wanted.description,
            callback_url=wanted.callback_url,
            customer=wanted.customer,
            phone=wanted.phone,
            opened_at=now,
            ends_at=now + wanted.lives_seconds,
            page=self._world.ids.new("", 32),
            invoice=self._world.ids.new("INV", 9, string.digits),
            channel="MPESA" if is_push else "",
            prompt_ends_at=now + wanted.lives_seconds if is_push else None,
            charge=SERVICE_CHARGE if is_push else 0,
            payment_reference=request,
        )
        return order

    def get(self, reference: str) -> Order:
        """Raises Refusal."""
        order = self._world.state.orders.get(reference)
        if order is None:
            raise Refusal(404, "no such order")
        return order

    def prompt(self, order: Order) -> None:
        """The checkout's client chose M-Pesa: the phone asks now."""
        _refuse_ended(order)
        order.channel, order.charge = "MPESA", SERVICE_CHARGE
        order.prompt_ends_at = self._world.clock.time() + PROMPT_SECONDS

    def pay(self, order: Order, channel: str = "CARD") -> None:
        """The client agrees; a phone that has a prompt pays by M-Pesa. Raises Refusal."""
        _refuse_ended(order)
        order.channel = order.channel or channel
        take, now = self._world.switches.take, self._world.clock.time()
        if order.channel == "MPESA":
            if order.receipt is not None:
                raise Refusal(409, "the client's money was taken already")
            order.receipt = self._world.ids.new("", 10, CAPITALS_AND_DIGITS)
            if take("debited_not_credited"):
                self._notifications.tell_of_push(order, 4)
                return
        order.paid = max(order.amount + take("wrong_amount"), 1)
        order.paid_currency = take("wrong_currency").upper() or order.currency
        self._end(order, "paid", "00:Approved")
        order.paid_at = now
        self._notifications.tell_of_push(order, 3)
        self._notifications.tell_of_payment(order)

    def decline(self, order: Order) -> None:
        """The client refuses the prompt, or the bank the card. Raises Refusal."""
        _refuse_ended(order)
        if order.prompt_ends_at is not None:
            self._end_unpaid_prompt(order, "canceled", 6)
        else:
            order.channel = order.channel or "CARD"
            self._end(order, "failed", "05:Do not honour")
            self._notifications.tell_of_payment(order)

    def mistype_pin(self, order: Order) -> None:
        """The phone's PIN was wrong. Raises Refusal."""
        _refuse_ended(order)
        self._end_unpaid_prompt(order, "canceled", 1)

    def expire(self, order: Order) -> None:
        """Its time is over. Of a checkout that nobody tried to pay, nothing tells so."""
        _refuse_ended(order)
        if order.prompt_ends_at is not None:
            self._end_unpaid_prompt(order, "expired", 5)
        else:
            order.status = "expired"

    def expire_due(self) -> bool:
        """Whether any was over by the clock."""
        now = self._world.clock.time()
        due = [
            order
            for order in self._world.state.orders.values()
            if order.status == "open" and now >= (order.prompt_ends_at or order.ends_at)
        ]
        for order in due:
            self.expire(order)
        return bool(due)

    def _end_unpaid_prompt(self, order: Order, status: Status, code: int) -> None:
        """A push's order ends so; a checkout's has failed, as its reference serves once."""
        self._end(order, status if order.way == "push" else "failed", "17:Cancelled")
        self._notifications.tell_of_push(order, code)
        if order.way == "checkout":
            self._notifications.tell_of_payment(order)

    def _end(self, order: Order, status: Status, remarks: str) -> None:
        order.status, order.remarks = status, remarks
        order.transaction = self._world.ids.new("S", 11, string.digits)


def _refuse_ended(order: Order) -> None:
    if order.status != "open":
        raise Refusal(409, f"the order is {order.status}")
