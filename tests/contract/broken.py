"""Adapters that do one thing wrong, around one that does not: to see that the contract says so."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import Capabilities
from tollgate.domain.errors import SignatureRefused
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import Hint, Movement, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.protocol import Psp

ORDERS: dict[str, Order] = {}
"""What was opened, by our reference: for those who answer from memory. All containers share it."""


class Honest:
    """Does what the adapter within does."""

    def __init__(self, adapter: Psp) -> None:
        self._adapter = adapter

    @property
    def capabilities(self) -> Capabilities:
        """See Psp.capabilities."""
        return self._adapter.capabilities

    def check(self, order: Order) -> None:
        """See Psp.check."""
        self._adapter.check(order)

    def start(self, order: Order) -> Outcome:
        """See Psp.start."""
        ORDERS[order.payment_id] = order
        return self._adapter.start(order)

    def find(
        self, payment_id: str, created_at: datetime, off_session: bool = False
    ) -> Outcome | None:
        """See Psp.find."""
        return self._adapter.find(payment_id, created_at, off_session)

    def fetch(self, psp_reference: str) -> Outcome:
        """See Psp.fetch."""
        return self._adapter.fetch(psp_reference)

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        """See Psp.capture."""
        return self._adapter.capture(psp_reference, money, idempotency_key)

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        """See Psp.cancel."""
        return self._adapter.cancel(psp_reference, idempotency_key)

    def refund(self, order: RefundOrder) -> Failure | None:
        """See Psp.refund."""
        return self._adapter.refund(order)

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        """See Psp.list_movements."""
        return self._adapter.list_movements(since, until)

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """See Psp.read_event."""
        return self._adapter.read_event(callback, now)


class Believer(Honest):
    """Takes a state that it does not know for a success."""

    def fetch(self, psp_reference: str) -> Outcome:
        """Guesses."""
        said = self._adapter.fetch(psp_reference)
        if said.status is not PaymentStatus.PENDING:
            return said
        (order,) = ORDERS.values()
        return Outcome(
            PaymentStatus.SUCCEEDED,
            psp_reference=psp_reference,
            reference=order.payment_id,
            money=order.money,
            livemode=False,
        )


class BlindToMoney(Honest):
    """Tells what was asked for as what was paid."""

    def fetch(self, psp_reference: str) -> Outcome:
        """Does not look at the amount."""
        said = self._adapter.fetch(psp_reference)
        order = ORDERS.get(said.reference or "")
        return replace(said, money=order.money) if order and said.money else said


class _Anew(Order):
    """An order under another key each time."""

    @property
    def idempotency_key(self) -> str:
        """Of this try alone."""
        return f"tollgate-{self.payment_id}-{self.attempt}"


class OpensAgain(Honest):
    """Opens another payment when it is asked for the same one again."""

    def start(self, order: Order) -> Outcome:
        """Under a new key."""
        return self._adapter.start(_Anew(**vars(order)))


class Trusting(Honest):
    """Never verifies who calls."""

    genuine: Hint | None = None

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        """What it is told is for it to believe."""
        try:
            Trusting.genuine = self._adapter.read_event(callback, now)
        except SignatureRefused:
            if Trusting.genuine is None:
                raise
        return Trusting.genuine
