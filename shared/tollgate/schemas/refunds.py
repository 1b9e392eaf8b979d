"""The refund: what an app sends to give money back, and what it reads."""

from typing import Literal, Self

from tollgate.domain.refund import Refund, RefundStatus
from tollgate.schemas.fields import Amount, AnswerModel, Currency, Instant, Line, RequestModel
from tollgate.schemas.payments import FailureView


class CreateRefund(RequestModel):
    """How much to give back, in minor units of the payment's currency: all that is left, unless
    told otherwise. `currency` may be sent to be sure; it must be the payment's."""

    amount: Amount | None = None
    currency: Currency | None = None
    reason: Line | None = None


class RefundView(AnswerModel):
    """A refund as apps see it. Pending ones are told by events when they are done."""

    id: str
    object: Literal["refund"] = "refund"
    payment_id: str
    amount: int
    currency: str
    status: RefundStatus
    reason: str | None
    psp_reference: str | None
    failure: FailureView | None
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The view of a refund."""
        return cls(
            id=refund.id,
            payment_id=refund.payment_id,
            amount=refund.money.amount_minor,
            currency=refund.money.currency,
            status=refund.status,
            reason=refund.reason,
            psp_reference=refund.psp_reference,
            failure=FailureView.of(refund.failure) if refund.failure else None,
            created_at=refund.created_at,
            updated_at=refund.updated_at,
        )
