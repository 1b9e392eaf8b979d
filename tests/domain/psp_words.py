"""A payment of 1,500/=, and what a PSP may say of it, of its refunds and of its disputes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from tollgate.domain.dispute import Dispute, DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, Outcome, RefundOutcome
from tollgate.domain.payment import PAID, Payment, PaymentStatus
from tollgate.domain.refund import Refund, RefundStatus

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
WHOLE = 150_000


def payment(status: PaymentStatus = PaymentStatus.PENDING, **changed: Any) -> Payment:
    """As it stands in this state; all of it is taken where the state says so."""
    captured = WHOLE if status in PAID else 0
    plain = Payment(
        id="pay_1",
        app_id="app_1",
        client_id="client-1",
        money=Money(WHOLE, "KES"),
        status=status,
        psp="stripe",
        livemode=False,
        version=3,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + timedelta(hours=23),
        amount_captured_minor=captured,
        amount_refunded_minor=captured if status is PaymentStatus.REFUNDED else 0,
    )
    return replace(plain, **changed)


def said(status: PaymentStatus, **changed: Any) -> Outcome:
    """A PSP's word that agrees with the payment in everything."""
    word = Outcome(status, "ref_1", "pay_1", Money(WHOLE, "KES"), livemode=False)
    return replace(word, **changed)


def refund(
    amount_minor: int = 100, status: RefundStatus = RefundStatus.PENDING, **changed: Any
) -> Refund:
    """One that the app asked for: ref_1, of which no PSP has spoken yet."""
    plain = Refund(
        id="ref_1",
        app_id="app_1",
        payment_id="pay_1",
        psp="stripe",
        money=Money(amount_minor, "KES"),
        status=status,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        reason="as asked",
    )
    return replace(plain, **changed)


def refund_word(
    amount_minor: int = 100,
    status: RefundStatus = RefundStatus.SUCCEEDED,
    *,
    psp_reference: str = "re_1",
    refund_id: str | None = "ref_1",
    currency: str = "KES",
    **changed: Any,
) -> RefundOutcome:
    """What the PSP says of the refund ref_1, that it knows as re_1."""
    word = RefundOutcome(psp_reference, refund_id, Money(amount_minor, currency), status)
    return replace(word, **changed)


def dispute(status: DisputeStatus, amount_minor: int = WHOLE, **changed: Any) -> Dispute:
    """The dispute that the PSP knows as dp_1."""
    plain = Dispute(
        id="dis_1",
        app_id="app_1",
        payment_id="pay_1",
        psp="stripe",
        psp_reference="dp_1",
        money=Money(amount_minor, "KES"),
        status=status,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(plain, **changed)


def dispute_word(
    status: DisputeStatus,
    amount_minor: int = WHOLE,
    *,
    psp_reference: str = "dp_1",
    currency: str = "KES",
) -> DisputeOutcome:
    """What the PSP says of the dispute dp_1."""
    return DisputeOutcome(psp_reference, Money(amount_minor, currency), status)


def ids() -> Callable[[str], str]:
    """Makes ids that tell how many were made: ref_n1, dis_n2."""
    numbers = count(1)
    return lambda prefix: f"{prefix}_n{next(numbers)}"
