"""A PSP that remembers what it was asked and says what the test tells it to say."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import SignatureRefused
from tollgate.domain.money import EXPONENTS, Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import DisputeOutcome, Hint, Movement, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, Method, PaymentPage, PaymentStatus
from tollgate.domain.refund import RefundStatus

EVERYTHING = Capabilities(
    currencies=frozenset(EXPONENTS),
    methods=frozenset(Method),
    refund=RefundBy.API,
    cancel=CancelBy.API,
    idempotency_hours=24,
    pages=frozenset(PaymentPage),
    manual_capture=True,
    saves_methods=True,
    off_session=True,
    dispute_events=True,
    ends_are_final=True,
    books=True,
)


@dataclass
class ScriptedPsp:
    """Like a real one it does each thing once for its idempotency key, however often it is asked.

    `status` is what it says of every payment; `alter` changes its word on the way. A test raises
    in `on_…` to break a call before or after it had its effect.
    """

    opened: dict[str, Order] = field(default_factory=dict)
    starts: list[Order] = field(default_factory=list)
    fetches: list[str] = field(default_factory=list)
    finds: list[str] = field(default_factory=list)
    captures: dict[str, Money] = field(default_factory=dict)
    cancels: list[str] = field(default_factory=list)
    refund_orders: list[RefundOrder] = field(default_factory=list)
    refunds: dict[str, RefundOutcome] = field(default_factory=dict)
    refund_payments: dict[str, str] = field(default_factory=dict)
    disputes: dict[str, DisputeOutcome] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    status: PaymentStatus = PaymentStatus.REQUIRES_ACTION
    refund_status: RefundStatus = RefundStatus.SUCCEEDED
    refusal: Failure | None = None
    fee: Money | None = None
    capabilities: Capabilities = EVERYTHING
    alter: Callable[[Outcome], Outcome] = lambda outcome: outcome
    on_check: Callable[[Order], None] = lambda order: None
    on_start: Callable[[Order], None] = lambda order: None
    on_fetch: Callable[[str], None] = lambda reference: None
    on_find: Callable[[str], None] = lambda payment_id: None
    on_ask: Callable[[str], None] = lambda what: None

    def check(self, order: Order) -> None:
        """Takes any order that the test does not refuse."""
        self.on_check(order)

    def start(self, order: Order) -> Outcome:
        """Opens the order's payment once."""
        self.starts.append(order)
        self.opened.setdefault(order.idempotency_key, order)
        self.on_start(order)
        return self.alter(self._outcome(order, PaymentStatus.REQUIRES_ACTION))

    def find(
        self, payment_id: str, _created_at: datetime, _off_session: bool = False
    ) -> Outcome | None:
        """What was opened under our reference."""
        self.finds.append(payment_id)
        self.on_find(payment_id)
        order = next((o for o in self.opened.values() if o.payment_id == payment_id), None)
        return self.alter(self._outcome(order, self.status)) if order else None

    def fetch(self, psp_reference: str) -> Outcome:
        """Says `status` of the payment."""
        self.fetches.append(psp_reference)
        self.on_fetch(psp_reference)
        return self.alter(self._outcome(self._order(psp_reference), self.status))

    def capture(self, psp_reference: str, money: Money, _idempotency_key: str) -> Failure | None:
        """Takes what was authorized; then `status` is succeeded."""
        self.on_ask("capture")
        if self.refusal is None:
            self.captures[psp_reference] = money
            self.status = PaymentStatus.SUCCEEDED
        return self.refusal

    def cancel(self, psp_reference: str, _idempotency_key: str) -> Failure | None:
        """Ends the payment; then `status` is expired, as a page is that was closed."""
        self.on_ask("cancel")
        if self.refusal is None:
            self.cancels.append(psp_reference)
            self.status = PaymentStatus.EXPIRED
        return self.refusal

    def refund(self, order: RefundOrder) -> Failure | None:
        """Gives back once for a key, with the word `refund_status`."""
        self.refund_orders.append(order)
        self.on_ask("refund")
        known = {refund.refund_id for refund in self.refunds.values()}
        if self.refusal is not None or order.refund_id in known:
            return self.refusal
        reference = f"re_{len(self.refunds) + 1}_{order.refund_id}"
        self.refunds[reference] = RefundOutcome(
            reference, order.refund_id, order.money, self.refund_status
        )
        self.refund_payments[reference] = order.psp_reference
        return None

    def refund_there(self, payment_id: str, money: Money, reference: str = "") -> str:
        """A refund that somebody makes in the PSP's own pages; its reference."""
        reference = reference or f"re_{len(self.refunds) + 1}"
        self.refunds[reference] = RefundOutcome(reference, None, money, RefundStatus.SUCCEEDED)
        self.refund_payments[reference] = f"ref_{payment_id}"
        return reference

    def say_of_refund(self, psp_reference: str, status: RefundStatus) -> None:
        """What it says of a refund from now on."""
        self.refunds[psp_reference] = replace(self.refunds[psp_reference], status=status)

    def dispute(self, payment_id: str, money: Money, status: DisputeStatus) -> None:
        """What it says of the dispute of a payment from now on."""
        self.disputes[payment_id] = DisputeOutcome(f"dp_{payment_id}", money, status)

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """Its books, as the test wrote them."""
        return (moved for moved in self.movements if since <= moved.at < until)

    def read_event(self, callback: Callback, _now: datetime) -> Hint:
        """An event is its own JSON; the signature is the word "signed"."""
        if callback.headers.get("signature") != "signed":
            raise SignatureRefused
        return Hint(**json.loads(callback.body))

    def _order(self, psp_reference: str) -> Order:
        return next(o for o in self.opened.values() if _reference(o) == psp_reference)

    def _outcome(self, order: Order, status: PaymentStatus) -> Outcome:
        url = f"https://psp.example/{order.payment_id}"
        awaits_client = status is PaymentStatus.REQUIRES_ACTION
        paid = status is PaymentStatus.SUCCEEDED
        reference = _reference(order)
        disputed = self.disputes.get(order.payment_id)
        return Outcome(
            status,
            psp_reference=reference,
            reference=order.payment_id,
            money=self.captures.get(reference, order.money) if paid else order.money,
            livemode=False,
            next_action={"type": "redirect", "url": url} if awaits_client else None,
            fee=self.fee if paid else None,
            references=(f"intent_{order.payment_id}",),
            refunds=self._refunds_of(reference) if paid else (),
            disputes=(disputed,) if paid and disputed else (),
        )

    def _refunds_of(self, psp_reference: str) -> tuple[RefundOutcome, ...]:
        return tuple(
            refund
            for name, refund in self.refunds.items()
            if self.refund_payments[name] == psp_reference
        )


def _reference(order: Order) -> str:
    return f"ref_{order.payment_id}"
