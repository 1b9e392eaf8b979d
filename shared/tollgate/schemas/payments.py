"""The payment: what an app sends to start one, and what it reads back."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from tollgate.domain.page import Listing
from tollgate.domain.payment import Capture, Failure, Method, Payment, PaymentPage, PaymentStatus
from tollgate.schemas.fields import (
    Amount,
    AnswerModel,
    ClientId,
    Currency,
    Instant,
    Line,
    PlanCode,
    RequestModel,
    Url,
)

Metadata = Annotated[dict[Annotated[Line, Field(max_length=40)], Line], Field(max_length=20)]


class CustomerFields(RequestModel):
    """Who pays: what the PSP takes of it fills in its page (Stripe: the email). Stored encrypted,
    and in no answer."""

    email: (
        Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None
    ) = None
    phone: Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")] | None = None
    name: Line | None = None


class CreatePayment(RequestModel):
    """A payment to start: `amount` and `currency`, or a `plan`, which sets both.

    With a plan, `currency` may choose among the plan's prices; else it is the app's own. Without a
    `psp` the app's routing chooses one that can take this `currency` and `method`. On an embedded
    `page`, the PSP's fields stand in the app's own. `save_method` keeps what the client pays with,
    for a later payment that is `off_session`: charged while the client is away.
    """

    client_id: ClientId
    amount: Amount | None = None
    currency: Currency | None = None
    plan: PlanCode | None = None
    psp: Line | None = None
    description: Line | None = None
    return_url: Url | None = None
    cancel_url: Url | None = None
    customer: CustomerFields | None = None
    method: Method | None = None
    capture: Capture = Capture.AUTOMATIC
    page: PaymentPage = PaymentPage.HOSTED
    save_method: bool = False
    off_session: bool = False
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if self.plan is not None and self.amount is not None:
            raise ValueError("send amount and currency, or plan: a plan sets the amount")
        if self.plan is None and (self.amount is None or self.currency is None):
            raise ValueError("send amount and currency, or plan")
        return self

    @model_validator(mode="after")
    def _has_a_client_or_none(self) -> Self:
        by_client = self.method is not None or self.save_method or self.page is PaymentPage.EMBEDDED
        if self.off_session and by_client:
            raise ValueError("off_session charges what was saved: no page, method or save_method")
        return self


class CapturePayment(RequestModel):
    """How much of an authorized payment to take: all of it, unless told otherwise. The rest is let
    go. In minor units of the payment's currency."""

    amount: Amount | None = None


class FailureView(AnswerModel):
    """Why a payment did not go through."""

    code: str
    message: str

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """The view of a failure."""
        return cls(code=failure.code, message=failure.message)


class PaymentFields(AnswerModel):
    """A payment as apps see it. `amount` is in minor units of `currency` (ISO 4217)."""

    id: str
    object: Literal["payment"] = "payment"
    client_id: str
    amount: int
    amount_captured: int
    amount_refunded: int
    currency: str
    status: PaymentStatus
    psp: str
    psp_reference: str | None
    method: str | None
    capture: Capture
    page: PaymentPage
    save_method: bool
    off_session: bool
    plan: str | None
    product: str | None
    subscription_id: str | None
    description: str | None
    metadata: dict[str, str]
    next_action: dict[str, Any] | None
    failure: FailureView | None
    livemode: bool
    created_at: Instant
    updated_at: Instant
    expires_at: Instant


class PaymentView(PaymentFields):
    """A payment as apps see it. `amount` is in minor units of `currency` (ISO 4217)."""

    @classmethod
    def of(cls, payment: Payment) -> Self:
        """The view of a payment."""
        return cls(
            id=payment.id,
            client_id=payment.client_id,
            amount=payment.money.amount_minor,
            amount_captured=payment.amount_captured_minor,
            amount_refunded=payment.amount_refunded_minor,
            currency=payment.money.currency,
            status=payment.status,
            psp=payment.psp,
            psp_reference=payment.psp_reference,
            method=payment.method,
            capture=payment.capture,
            page=payment.page,
            save_method=payment.save_method,
            off_session=payment.is_off_session,
            plan=payment.plan,
            product=payment.product,
            subscription_id=payment.subscription_id,
            description=payment.description,
            metadata=dict(payment.metadata),
            next_action=dict(payment.next_action) if payment.next_action else None,
            failure=FailureView.of(payment.failure) if payment.failure else None,
            livemode=payment.livemode,
            created_at=payment.created_at,
            updated_at=payment.updated_at,
            expires_at=payment.expires_at,
        )


class PaymentList(AnswerModel):
    """A page of payments, newest first."""

    object: Literal["list"] = "list"
    data: list[PaymentView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[Payment]) -> Self:
        """The view of a page."""
        data = [PaymentView.of(payment) for payment in found.items]
        return cls(data=data, next_cursor=found.next_cursor)
