"""A payment: its states and the edges between them. How it moves: settling.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

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

UNPAID = frozenset({_S.FAILED, _S.CANCELED, _S.EXPIRED})
"""Over without money. It may still turn out to be paid: the PSP's word that money moved wins."""

PAID = frozenset({_S.SUCCEEDED, _S.PARTIALLY_REFUNDED, _S.REFUNDED, _S.DISPUTED})
"""The money was taken. Which of these it is follows from its refunds and disputes."""

TAKEN_BACK = frozenset({_S.REFUNDED, _S.DISPUTED})
"""The client has all of it back, for good or until the dispute is won."""

_ENDS = frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}) | UNPAID

EDGES: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    _S.PENDING: frozenset({_S.REQUIRES_ACTION, _S.PROCESSING, _S.AUTHORIZED}) | _ENDS,
    _S.REQUIRES_ACTION: frozenset({_S.PROCESSING, _S.AUTHORIZED}) | _ENDS,
    _S.PROCESSING: frozenset({_S.REQUIRES_ACTION, _S.AUTHORIZED}) | _ENDS,
    _S.AUTHORIZED: _ENDS,
    **{status: frozenset({_S.SUCCEEDED, _S.NEEDS_REVIEW}) for status in UNPAID},
    **{status: PAID - {status} | {_S.NEEDS_REVIEW} for status in PAID},
    _S.NEEDS_REVIEW: PAID | {_S.CANCELED},
}
"""Every move that is allowed. The trigger `payments_guard` in migrations/ holds the same list."""


class Method(StrEnum):
    """What a client may pay with, as an app asks for it by name."""

    CARD = "card"
    MPESA = "mpesa"
    AIRTEL = "airtel"
    EQUITEL = "equitel"
    PAYPAL = "paypal"


class PaymentPage(StrEnum):
    """Whose page the client pays on: the PSP's, or the app's with the PSP's fields in it."""

    HOSTED = "hosted"
    EMBEDDED = "embedded"


class RetryAdvice(StrEnum):
    """What a PSP says of charging again what it declined: later it may go through, it never will,
    or it needs the client."""

    LATER = "later"
    NEVER = "never"
    CLIENT = "client"


@dataclass(frozen=True)
class Failure:
    """Why something did not go through: the PSP's code, and a sentence without personal data."""

    code: str
    message: str
    advice: RetryAdvice | None = None


class Capture(StrEnum):
    """Whether the money is taken when the client agrees, or when the app asks for it."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


@dataclass(frozen=True)
class Payment:
    """One payment, as its row in `payments` stands. `psp_reference` is the PSP's id of it.

    0 <= refunded <= captured <= `money`, all in its currency. `capture_amount_minor` is what the
    app asked to take of an authorized payment, `cancel_asked_at` when it asked to let it go.
    `bill_id` is the bill that it is to pay. `saved_method_id` is what an off-session payment is
    charged to; `save_method` asks to keep what this one is paid with. `review` is what the PSP
    said, where that does not match; kept once somebody has decided.
    """

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
    amount_captured_minor: int = 0
    amount_refunded_minor: int = 0
    capture: Capture = Capture.AUTOMATIC
    page: PaymentPage = PaymentPage.HOSTED
    save_method: bool = False
    saved_method_id: str | None = None
    capture_amount_minor: int | None = None
    cancel_asked_at: datetime | None = None
    fee: Money | None = None
    psp_reference: str | None = None
    method: str | None = None
    plan: str | None = None
    product: str | None = None
    subscription_id: str | None = None
    bill_id: str | None = None
    description: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    return_url: str | None = None
    cancel_url: str | None = None
    next_action: Mapping[str, Any] | None = None
    failure: Failure | None = None
    review: Mapping[str, Any] | None = None

    @property
    def captured(self) -> Money:
        """What was taken."""
        return Money(self.amount_captured_minor, self.money.currency)

    @property
    def tenant(self) -> Tenant:
        """Whose payment it is."""
        return Tenant(self.app_id)

    @property
    def is_off_session(self) -> bool:
        """Whether it is charged while the client is away, without a page."""
        return self.saved_method_id is not None

    @property
    def is_open(self) -> bool:
        """Whether the PSP may still move it."""
        return self.status in OPEN

    @property
    def is_paid(self) -> bool:
        """Whether the money was taken, whatever became of it later."""
        return self.status in PAID
