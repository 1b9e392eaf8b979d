"""A refund: money of a payment that goes back, wholly or in part."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tollgate.domain.money import Money
from tollgate.domain.payment import Failure


class RefundStatus(StrEnum):
    """Where a refund stands. `pending`: asked for, and the PSP has not said that it is done."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


_S = RefundStatus

REFUND_EDGES: Mapping[RefundStatus, frozenset[RefundStatus]] = {
    _S.PENDING: frozenset({_S.SUCCEEDED, _S.FAILED}),
    # a bank may return it days later (docs.stripe.com/refunds, failed refunds)
    _S.SUCCEEDED: frozenset({_S.FAILED}),
    # the PSP's word that money moved wins
    _S.FAILED: frozenset({_S.SUCCEEDED}),
}
"""Every move that is allowed. The trigger `refunds_guard` in migrations/ holds the same list."""


@dataclass(frozen=True)
class Refund:
    """One refund, as its row in `refunds` stands. It reserves its amount while it is pending."""

    id: str
    app_id: str
    payment_id: str
    psp: str
    money: Money
    status: RefundStatus
    version: int
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    psp_reference: str | None = None
    failure: Failure | None = None
