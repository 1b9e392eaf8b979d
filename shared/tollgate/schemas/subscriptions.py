"""The subscription, and the answer to "has this client paid?"."""

from typing import Annotated, Literal, Self

from pydantic import Field

from tollgate.domain.lifecycle import CancelAt
from tollgate.domain.page import Listing
from tollgate.domain.payment import Method
from tollgate.domain.plan import Proration
from tollgate.domain.subscription import Language, Reason, Standing, SubscriptionStatus
from tollgate.schemas.fields import (
    AnswerModel,
    ClientId,
    Currency,
    Instant,
    Line,
    PlanCode,
    RequestModel,
    SentInstant,
)
from tollgate.schemas.payments import CustomerFields


class RenewalFields(RequestModel):
    """How the client is asked to pay: with a `method` that a PSP has a prompt for (M-Pesa), on the
    phone of `customer`, at this `hour` of its day there; in this language. Else by a link."""

    method: Method | None = None
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
    time_zone: Annotated[Line, Field(max_length=64)] | None = None
    language: Language | None = None


class CreateSubscription(RequestModel):
    """A subscription to make, or to move to another plan of the same product.

    It is billed in `currency`, else in what it was paid in last, else in the app's own. `customer`
    is stored encrypted, for the prompts and pages of its bills, and is in no answer.
    """

    client_id: ClientId
    plan: PlanCode
    currency: Currency | None = None
    customer: CustomerFields | None = None
    renewal: RenewalFields | None = None


class CancelSubscription(RequestModel):
    """When it ends: with its period, now, or never, which takes a cancellation back."""

    at: CancelAt = CancelAt.PERIOD_END


class PauseSubscription(RequestModel):
    """Until when; until it is resumed or paid for, without that."""

    resumes_at: SentInstant | None = None


class ChangeSubscription(RequestModel):
    """The plan to go to, of the same product. `proration`: the plan's own, unless told."""

    plan: PlanCode
    proration: Proration | None = None


class RenewalView(AnswerModel):
    """How the client is asked to pay."""

    method: Method | None
    hour: int
    time_zone: str
    language: Language


class SubscriptionView(AnswerModel):
    """A subscription as apps see it; `status` is as of the answer."""

    id: str
    object: Literal["subscription"] = "subscription"
    client_id: str
    product: str
    plan: str
    next_plan: str | None
    status: SubscriptionStatus
    paid_through: Instant | None
    trial_end: Instant | None
    grace_until: Instant | None
    paused_at: Instant | None
    resumes_at: Instant | None
    cancel_at: Instant | None
    currency: str | None
    renewal: RenewalView
    pay_url: str | None
    livemode: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The view of a subscription at an instant."""
        subscription, dates = standing.subscription, standing.dates
        plan = dates.plan_at(standing.as_of)
        return cls(
            id=dates.subscription_id,
            client_id=subscription.client_id,
            product=dates.product,
            plan=plan,
            next_plan=dates.next_plan if dates.next_plan != plan else None,
            status=standing.status,
            paid_through=dates.paid_through,
            trial_end=dates.trial_end,
            grace_until=dates.grace_until,
            paused_at=dates.paused_at,
            resumes_at=dates.resumes_at,
            cancel_at=dates.cancel_at,
            currency=subscription.currency,
            renewal=RenewalView(
                method=subscription.renewal.method,
                hour=subscription.renewal.hour,
                time_zone=subscription.renewal.time_zone,
                language=subscription.renewal.language,
            ),
            pay_url=standing.pay_url,
            livemode=subscription.livemode,
            created_at=subscription.created_at,
            updated_at=subscription.updated_at,
        )


class SubscriptionList(AnswerModel):
    """A page of subscriptions, newest first."""

    object: Literal["list"] = "list"
    data: list[SubscriptionView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[Standing]) -> Self:
        """The view of a page."""
        data = [SubscriptionView.of(standing) for standing in found.items]
        return cls(data=data, next_cursor=found.next_cursor)


class CheckView(AnswerModel):
    """Whether this client has paid, and why the answer is what it is."""

    # the function builds it without pydantic, whose import would double its cold start; a test
    # holds the two together
    client_id: str
    product: str | None
    active: bool
    reason: Reason
    status: SubscriptionStatus | None
    plan: str | None
    subscription_id: str | None
    paid_through: Instant | None
    trial_end: Instant | None
    grace_until: Instant | None
    paused_at: Instant | None
    cancel_at: Instant | None
    as_of: Instant
    source: Literal["cache", "database", "psp"]
    pay_url: str | None
    entitlement: str | None
