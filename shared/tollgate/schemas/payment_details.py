"""One payment with all that became of it: its refunds, its disputes, its timeline."""

from typing import Literal, Self

from tollgate.domain.dispute import Dispute, DisputeStatus
from tollgate.domain.timeline import Moment, PaymentDetails, moment
from tollgate.schemas.fields import AnswerModel, Instant
from tollgate.schemas.payments import PaymentFields, PaymentView
from tollgate.schemas.refunds import RefundView


class DisputeView(AnswerModel):
    """A dispute as apps see it. While it is open, and once it is lost, the client's bank has the
    money."""

    id: str
    object: Literal["dispute"] = "dispute"
    amount: int
    currency: str
    status: DisputeStatus
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, dispute: Dispute) -> Self:
        """The view of a dispute."""
        return cls(
            id=dispute.id,
            amount=dispute.money.amount_minor,
            currency=dispute.money.currency,
            status=dispute.status,
            created_at=dispute.created_at,
            updated_at=dispute.updated_at,
        )


class MomentView(AnswerModel):
    """One thing that happened: `what` to `object_id`, by the app, the psp, tollgate or an
    operator."""

    at: Instant
    what: str
    object_id: str
    by: Literal["app", "psp", "tollgate", "operator"]

    @classmethod
    def of(cls, happened: Moment) -> Self:
        """The view of a moment."""
        return cls.model_validate(vars(happened))


class PaymentDetailsView(PaymentFields):
    """A payment with its refunds, its disputes and its timeline, oldest first. The timeline is the
    app's: a client's token is shown none."""

    refunds: list[RefundView]
    disputes: list[DisputeView]
    timeline: list[MomentView]

    @classmethod
    def of(cls, details: PaymentDetails) -> Self:
        """The view of a payment with its details."""
        return cls(
            **vars(PaymentView.of(details.payment)),
            refunds=[RefundView.of(refund) for refund in details.refunds],
            disputes=[DisputeView.of(dispute) for dispute in details.disputes],
            timeline=[MomentView.of(moment(row)) for row in details.timeline],
        )
