"""What a PSP says: values, also when it says no or when nobody knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus


@dataclass(frozen=True)
class RefundOutcome:
    """What a PSP says of one refund. `refund_id` is None for one that was not asked for here, or
    that the PSP knows by no name of ours; `money` where it does not say how much went back."""

    psp_reference: str
    refund_id: str | None
    money: Money | None
    status: RefundStatus
    failure: Failure | None = None


@dataclass(frozen=True)
class DisputeOutcome:
    """What a PSP says of one dispute: `money` is what was taken back, or will be if it is lost."""

    psp_reference: str
    money: Money
    status: DisputeStatus


@dataclass(frozen=True)
class Outcome:
    """What a PSP says of a payment, with what became of it after it was paid.

    `reference`, `money` and `livemode` are the PSP's own words; None where it did not say.
    `status` is an open or unpaid one, or succeeded once the money was taken; pending means unknown:
    it was sent, and the answer did not arrive. Authorized: the client agreed, and the money waits
    for `capture`. needs_review, with the reason as `failure`: the PSP itself says that a human must
    look. `references` are the PSP's other names of it, by which an event may speak of it.
    `refunds` and `disputes` are all there are.
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
    fee: Money | None = None
    references: tuple[str, ...] = ()
    saved_method: SavedMethod | None = None
    refunds: tuple[RefundOutcome, ...] = ()
    disputes: tuple[DisputeOutcome, ...] = ()


UNKNOWN = Outcome(PaymentStatus.PENDING)
"""The call was sent and the answer did not arrive: neither paid nor failed."""


@dataclass(frozen=True)
class Hint:
    """A PSP's event, verified: something may have happened to this payment. Go and look.

    `event_id` is None where the PSP numbers nothing: then each arrival is its own event.
    `psp_reference` is set where the event names the object that `fetch` takes; `references` are
    the PSP's other names of the payment. `reply` is what the PSP wants to read back, as JSON.
    `alarm` is what the event claims and `fetch` can't tell: for a human to look at, unless the
    payment turns out to be paid.
    """

    event_id: str | None
    type: str
    livemode: bool
    payment_id: str | None
    psp_reference: str | None
    references: tuple[str, ...] = ()
    reply: Mapping[str, Any] | None = None
    alarm: Failure | None = None


class MovementKind(StrEnum):
    """Why money moved at a PSP."""

    CAPTURE = "capture"
    REFUND = "refund"
    DISPUTE = "dispute"


@dataclass(frozen=True)
class Movement:
    """Money that moved at a PSP by its own books, to be compared with ours.

    `payment_id` is our reference; None where the PSP has none, because it was not asked by us.
    `money` is positive: taken for a capture, given back for a refund or a dispute.
    """

    kind: MovementKind
    psp_reference: str
    payment_id: str | None
    money: Money
    at: datetime
