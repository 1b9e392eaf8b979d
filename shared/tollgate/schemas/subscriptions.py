"""The subscription, and the answer to "has this client paid?"."""

from typing import Literal, Self

from tollgate.domain.subscription import Reason, Standing, SubscriptionStatus
from tollgate.schemas.fields import AnswerModel, ClientId, Instant, PlanCode, RequestModel


class CreateSubscription(RequestModel):
    """A subscription to make, or to move to another plan of the same product."""

    client_id: ClientId
    plan: PlanCode


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
    cancel_at: Instant | None
    livemode: bool
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """The view of a subscription at an instant."""
        subscription, dates = standing.subscription, standing.subscription.dates
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
            cancel_at=dates.cancel_at,
            livemode=subscription.livemode,
            created_at=subscription.created_at,
            updated_at=subscription.updated_at,
        )


class CheckView(AnswerModel):
    """Whether this client has paid, and why the answer is what it is.

    The function builds this answer without pydantic, whose import would double its cold start;
    a test holds the two together.
    """

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
