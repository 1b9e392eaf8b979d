"""A payment: its states, the edges between them, and how a PSP's word moves it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tollgate.domain.card_numbers import mask_card_numbers
from tollgate.domain.money import Money
from tollgate.domain.principal import Tenant


class PaymentStatus(StrEnum):
    """Where a payment stands. `pending`: recorded, and the PSP's answer is not known."""

    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    AUTHORIZED = "authorized"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    NEEDS_REVIEW = "needs_review"


_S = PaymentStatus

OPEN = frozenset({_S.PENDING, _S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED})
"""The PSP may still change its mind about these."""

# What is over without money may still turn out to be paid: the PSP's word that money moved wins.
_UNPAID = frozenset({_S.FAILED, _S.CANCELED, _S.EXPIRED})
_PAID = frozenset({_S.PARTIALLY_REFUNDED, _S.REFUNDED, _S.DISPUTED})

EDGES: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    _S.PENDING: frozenset(
        {_S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED, _S.SUCCEEDED, _S.NEEDS_REVIEW}
    )
    | _UNPAID,
    _S.REQUIRES_ACTION: frozenset({_S.PROCESSING, _S.AUTHORIZED, _S.SUCCEEDED, _S.NEEDS_REVIEW})
    | _UNPAID,
    _S.PROCESSING: frozenset({_S.REQUIRES_ACTION, _S.AUTHORIZED, _S.SUCCEEDED, _S.NEEDS_REVIEW})
    | _UNPAID,
    _S.AUTHORIZED: frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}) | _UNPAID,
    _S.SUCCEEDED: _PAID,
    _S.FAILED: frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}),
    _S.CANCELED: frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}),
    _S.EXPIRED: frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}),
    _S.PARTIALLY_REFUNDED: frozenset({_S.REFUNDED, _S.DISPUTED}),
    _S.REFUNDED: frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.DISPUTED}),
    _S.DISPUTED: frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.REFUNDED}),
    _S.NEEDS_REVIEW: frozenset({_S.SUCCEEDED, _S.CANCELED, _S.REFUNDED}),
}
"""Every move that is allowed. The trigger `payments_guard` in migrations/ holds the same list."""


@dataclass(frozen=True)
class Failure:
    """Why a payment did not go through: the PSP's code, and a sentence without personal data."""

    code: str
    message: str


@dataclass(frozen=True)
class Payment:
    """One payment, as its row in `payments` stands. `psp_reference` is the PSP's id of it."""

    id: str
    app_id: str
    client_id: str
    money: Money
    status: PaymentStatus
    psp: str
    livemode: bool
    version: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    amount_refunded_minor: int = 0
    psp_reference: str | None = None
    method: str | None = None
    plan: str | None = None
    product: str | None = None
    subscription_id: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    return_url: str | None = None
    cancel_url: str | None = None
    next_action: Mapping[str, Any] | None = None
    failure: Failure | None = None

    @property
    def tenant(self) -> Tenant:
        """Whose payment it is."""
        return Tenant(self.app_id)

    @property
    def is_open(self) -> bool:
        """Whether the PSP may still move it."""
        return self.status in OPEN


@dataclass(frozen=True)
class Customer:
    """Who pays, as far as the app told: passed on to the PSP, and stored sealed."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class SealedCustomer:
    """Who pays, as it is stored: encrypted, with the index to find the email by."""

    value: bytes
    email_index: bytes | None


@dataclass(frozen=True)
class Order:
    """What a PSP is asked to take.

    `payment_id` is our reference and must come back with every answer; the idempotency key is
    derived from our row alone, so that asking again can't charge again.
    """

    payment_id: str
    money: Money
    description: str
    return_url: str
    cancel_url: str
    expires_at: datetime
    customer: Customer
    method: str | None = None

    @property
    def idempotency_key(self) -> str:
        """The key that the PSP sees: the same for every attempt at this payment."""
        return f"tollgate-{self.payment_id}"


@dataclass(frozen=True)
class Outcome:
    """What a PSP says of a payment: a value, also when it says no or when nobody knows.

    `reference`, `money` and `livemode` are the PSP's own words; None where it did not say.
    `status` pending means unknown: it was sent, and the answer did not arrive.
    """

    status: PaymentStatus
    psp_reference: str | None = None
    reference: str | None = None
    money: Money | None = None
    livemode: bool | None = None
    method: str | None = None
    next_action: Mapping[str, Any] | None = None
    failure: Failure | None = None
    expires_at: datetime | None = None


UNKNOWN = Outcome(PaymentStatus.PENDING)
"""The call was sent and the answer did not arrive: neither paid nor failed."""


def mismatch(payment: Payment, outcome: Outcome) -> Failure | None:
    """What in the PSP's answer is not what was asked, or None when all of it agrees.

    Where money is or may be, a fact that the PSP did not state counts as wrong.
    """
    silence_is_fine = outcome.status in _UNPAID
    checks = (
        ("reference", payment.id, outcome.reference),
        ("livemode", payment.livemode, outcome.livemode),
        ("amount", payment.money.amount_minor, outcome.money and outcome.money.amount_minor),
        ("currency", payment.money.currency, outcome.money and outcome.money.currency),
    )
    for name, asked, said in checks:
        if asked != said and not (said is None and silence_is_fine):
            return Failure(f"{name}_mismatch", f"The PSP's {name} is not what was asked.")
    return None


def apply(payment: Payment, outcome: Outcome, now: datetime) -> Payment:
    """The payment after the PSP's word; the same object when the word changes nothing.

    News that no edge leads to (late, replayed, out of order) changes nothing. An answer that does
    not match what was asked is `needs_review`, which gives no access and which only an operator
    ends: a later answer that does match does not undo it.
    """
    if PaymentStatus.PENDING is outcome.status or payment.status is PaymentStatus.NEEDS_REVIEW:
        return payment
    failure = mismatch(payment, outcome)
    status = PaymentStatus.NEEDS_REVIEW if failure else outcome.status
    if status is payment.status or status not in EDGES[payment.status]:
        return payment
    return replace(
        payment,
        status=status,
        psp_reference=payment.psp_reference or outcome.psp_reference,
        method=outcome.method or payment.method,
        next_action=outcome.next_action if status is PaymentStatus.REQUIRES_ACTION else None,
        failure=failure or _without_card_number(outcome.failure),
        expires_at=outcome.expires_at or payment.expires_at,
        updated_at=now,
    )


def _without_card_number(failure: Failure | None) -> Failure | None:
    """A PSP's message may repeat what the client typed; no card number is ever stored."""
    return failure and replace(failure, message=mask_card_numbers(failure.message))


@dataclass(frozen=True)
class Hint:
    """A PSP's event, verified: something may have happened to this payment. Go and look.

    `psp_reference` is set where the event names the object that `fetch` takes.
    """

    event_id: str
    type: str
    livemode: bool
    payment_id: str | None
    psp_reference: str | None
