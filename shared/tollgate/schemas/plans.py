"""A plan: what an operator sends to set one up, and what it reads back."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from tollgate.domain.billing import Unit
from tollgate.domain.page import Listing
from tollgate.domain.subscription import PricedPlan, RefundRule
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


class CreatePlan(RequestModel):
    """A plan to sell: a period of `product`, at a price in each currency.

    `refund_rule` is what a full refund or a dispute does to the time that was paid for: ends it
    now, lets the period run out and renews no more, or nothing.
    """

    app_id: str
    code: PlanCode
    product: PlanCode
    interval: IntervalFields
    trial_days: Days = 0
    grace_days: Days = 0
    refund_rule: RefundRule = RefundRule.END_NOW
    prices: Prices


class UpdatePlan(RequestModel):
    """The fields to change; the others stay. `prices` takes the place of all prices."""

    trial_days: Days | None = None
    grace_days: Days | None = None
    refund_rule: RefundRule | None = None
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
