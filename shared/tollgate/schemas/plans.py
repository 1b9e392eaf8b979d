"""A plan: what an operator sends to set one up, and what it reads back."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from tollgate.domain.billing import Unit
from tollgate.domain.page import Listing
from tollgate.domain.plan import PricedPlan, Proration, RefundRule
from tollgate.schemas.fields import (
    Amount,
    AnswerModel,
    Currency,
    Instant,
    PlanCode,
    RequestModel,
)


class IntervalFields(RequestModel):
    """How long one period is: {"unit": "month", "count": 3} is a quarter."""

    unit: Unit
    count: Annotated[int, Field(ge=1, le=366)] = 1


class PriceFields(RequestModel):
    """What a period costs, in minor units of the currency."""

    amount: Amount
    currency: Currency


def _each_currency_once(prices: list[PriceFields]) -> list[PriceFields]:
    if len({price.currency for price in prices}) < len(prices):
        raise ValueError("names a currency twice")
    return prices


Prices = Annotated[
    list[PriceFields], Field(min_length=1, max_length=50), AfterValidator(_each_currency_once)
]
Days = Annotated[int, Field(ge=0, le=366)]
LeadDays = Annotated[int, Field(ge=0, le=60)]


def _ascending(days: list[int]) -> list[int]:
    if days != sorted(set(days)):
        raise ValueError("must be in ascending order, each day once")
    return days


DunningDays = Annotated[
    list[Annotated[int, Field(ge=0, le=60)]], Field(max_length=10), AfterValidator(_ascending)
]


class CreatePlan(RequestModel):
    """A plan to sell: a period of `product`, at a price in each currency.

    `refund_rule` is what a full refund or a dispute does to the time that was paid for: ends it
    now, lets the period run out and renews no more, or nothing. A bill for the next period opens
    `renewal_lead_days` before the end; it is asked for a day before, and again `dunning_days` after
    the end. `proration` is what a change to this plan does to the time that is paid for, unless the
    change says otherwise.
    """

    app_id: str
    code: PlanCode
    product: PlanCode
    interval: IntervalFields
    trial_days: Days = 0
    grace_days: Days = 0
    refund_rule: RefundRule = RefundRule.END_NOW
    renewal_lead_days: LeadDays = 3
    dunning_days: DunningDays = Field(default=[1, 3, 5, 7])
    proration: Proration = Proration.CREDIT
    prices: Prices


class UpdatePlan(RequestModel):
    """The fields to change; the others stay. `prices` takes the place of all prices."""

    trial_days: Days | None = None
    grace_days: Days | None = None
    refund_rule: RefundRule | None = None
    renewal_lead_days: LeadDays | None = None
    dunning_days: DunningDays | None = None
    proration: Proration | None = None
    prices: Prices | None = None


class IntervalView(AnswerModel):
    """How long one period is."""

    unit: Unit
    count: int


class PriceView(AnswerModel):
    """What a period costs, in minor units of the currency."""

    amount: int
    currency: str


class PlanView(AnswerModel):
    """A plan as operators see it. An archived one can't be chosen or paid for."""

    object: Literal["plan"] = "plan"
    app_id: str
    code: str
    product: str
    interval: IntervalView
    trial_days: int
    grace_days: int
    refund_rule: RefundRule
    renewal_lead_days: int
    dunning_days: list[int]
    proration: Proration
    prices: list[PriceView]
    created_at: Instant
    archived_at: Instant | None

    @classmethod
    def of(cls, priced: PricedPlan) -> Self:
        """The view of a plan."""
        plan = priced.plan
        return cls(
            app_id=plan.app_id,
            code=plan.code,
            product=plan.product,
            interval=IntervalView(unit=plan.interval.unit, count=plan.interval.count),
            trial_days=plan.trial_days,
            grace_days=plan.grace_days,
            refund_rule=plan.refund_rule,
            renewal_lead_days=plan.renewal_lead_days,
            dunning_days=list(plan.dunning_days),
            proration=plan.proration,
            prices=[PriceView(amount=p.amount_minor, currency=p.currency) for p in priced.prices],
            created_at=priced.created_at,
            archived_at=plan.archived_at,
        )


class PlanList(AnswerModel):
    """A page of plans."""

    object: Literal["list"] = "list"
    data: list[PlanView]
    next_cursor: str | None

    @classmethod
    def of(cls, found: Listing[PricedPlan]) -> Self:
        """The view of a page."""
        data = [PlanView.of(priced) for priced in found.items]
        return cls(data=data, next_cursor=found.next_cursor)
