"""The review: a payment that an operator has to decide about, and the decision."""

from typing import Literal, Self

from tollgate.domain.page import Listing
from tollgate.domain.payment import Payment
from tollgate.schemas.fields import AnswerModel, Instant, Line, RequestModel
from tollgate.schemas.payments import PaymentView


class ResolveReview(RequestModel):
    """What an operator decides about a payment, and why: the note stays in the audit log."""

    resolution: Literal["accept", "reject"]
    note: Line


class SaidView(AnswerModel):
    """What the PSP said of the payment: null where it did not say. `reference` is the id that it
    was asked under, as the PSP repeats it."""

    status: str | None
    reference: str | None
    livemode: bool | None
    amount: int | None
    currency: str | None
    refunds_and_disputes: list[str]


class ReviewView(AnswerModel):
    """A payment that waits for an operator. Its `failure` tells what does not match."""

    object: Literal["review"] = "review"
    app_id: str
    payment: PaymentView
    said: SaidView
    since: Instant

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The view of a payment in review."""
        said = payment.review or {}
        return cls(
            app_id=payment.app_id,
            payment=PaymentView.of(payment),
            said=SaidView(
                status=said.get("status"),
                reference=said.get("reference"),
                livemode=said.get("livemode"),
                amount=said.get("amount"),
                currency=said.get("currency"),
                refunds_and_disputes=said.get("refunds_and_disputes", []),
            ),
            since=payment.updated_at,
        )


class ReviewList(AnswerModel):
    """A page of payments that wait for an operator, newest first."""

    object: Literal["list"] = "list"
    data: list[ReviewView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[Payment]) -> Self:
        """The view of a page."""
        data = [ReviewView.of(payment) for payment in found.items]
        return cls(data=data, next_cursor=found.next_cursor)
