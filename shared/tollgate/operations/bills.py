"""Asking for money: a bill is opened, remade when plans change, and closed when it is moot."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.bill import (
    Bill,
    BillKind,
    BillStatus,
    change_closing,
    closing,
    first_step,
    next_step,
    steps,
)
from tollgate.domain.errors import PlanNotPriced
from tollgate.domain.granting import has_time_left
from tollgate.domain.money import Money
from tollgate.domain.plan import Plan, PricedPlan
from tollgate.domain.subscription import Dates, Subscription
from tollgate.operations.context import Context
from tollgate.storage import apps, bills, plans


@dataclass(frozen=True)
class Asked:
    """What a bill is to ask for: a whole period of the plan, or `amount_minor` of its price.
    `is_charged`: what the client let the app keep may pay it; else only the client can."""

    kind: BillKind
    due_at: datetime
    amount_minor: int | None = None
    is_charged: bool = True


def new_bill(
    context: Context, subscription: Subscription, priced: PricedPlan, currency: str, asked: Asked
) -> Bill:
    """A bill at today's price, not written yet. Raises PlanNotPriced."""
    price, now = price_in(priced, currency), context.now()
    if asked.kind is BillKind.CHANGE:
        paid_through = subscription.dates.paid_through
        assert paid_through is not None, "what is not paid for is not changed for money"
        closes_at = next_step_at = change_closing(paid_through, now)
    else:
        closes_at = closing(priced.plan, asked.due_at)
        days = schedule(context, subscription, priced.plan, asked.due_at)
        # who has just been given the link is not asked again at once
        next_step_at = (
            first_step(days, now) if asked.is_charged else next_step(days, closes_at, now)
        )
    return Bill(
        id=context.new_id("bil"),
        app_id=subscription.app_id,
        client_id=subscription.client_id,
        subscription_id=subscription.dates.subscription_id,
        kind=asked.kind,
        due_at=asked.due_at,
        plan=priced.plan.code,
        product=priced.plan.product,
        money=Money(asked.amount_minor or price.amount_minor, currency),
        price=price,
        livemode=subscription.livemode,
        opened_at=now,
        closes_at=closes_at,
        next_step_at=next_step_at,
        is_charged=asked.is_charged,
        updated_at=now,
    )


def schedule(
    context: Context, subscription: Subscription, plan: Plan, due_at: datetime
) -> Sequence[datetime]:
    """When this subscription's bill is asked for: at the hour that a client who is prompted chose,
    on each of the days."""
    asked, wishes = steps(plan, due_at), subscription.renewal
    if wishes.method is None:
        return asked
    return bills.local_hours(context.database, asked, wishes.hour, wishes.time_zone)


def price_in(priced: PricedPlan, currency: str) -> Money:
    """What a period costs today. Raises PlanNotPriced."""
    for price in priced.prices:
        if price.currency == currency:
            return price
    raise PlanNotPriced


def get_priced(context: Context, app_id: str, code: str) -> PricedPlan:
    """A plan that a subscription is on, with its prices; also when it is archived."""
    priced = plans.find_priced(context.database, app_id, code)
    assert priced is not None, "subscriptions refer to plans"
    return priced


def currency_of(context: Context, subscription: Subscription) -> str:
    """In what a subscription is billed."""
    if subscription.currency is not None:
        return subscription.currency
    app = apps.find_app(context.database, subscription.app_id)
    assert app is not None
    return app.default_currency


def bill_now(context: Context, subscription: Subscription, plan: Plan, actor: str) -> Bill | None:
    """Asks for a period that begins when it is paid: nothing is left, or nothing was paid yet. The
    bill that is open stays, if it asks for this plan. In the caller's transaction."""
    open_bill = bills.find_open(context.database, subscription.dates.subscription_id)
    now = context.now()
    if (
        open_bill
        and open_bill.kind is BillKind.PERIOD
        and now < open_bill.closes_at
        and asks_for(context, open_bill, subscription, plan.code)
    ):
        return open_bill
    priced = get_priced(context, subscription.app_id, plan.code)
    # there is nothing to renew: the client decides whether to pay
    asked = Asked(BillKind.PERIOD, now, is_charged=False)
    return open_one(context, subscription, priced, asked, actor)


def open_one(
    context: Context, subscription: Subscription, priced: PricedPlan, asked: Asked, actor: str
) -> Bill | None:
    """Opens one bill; None where it is paid already. Raises PlanNotPriced."""
    currency = currency_of(context, subscription)
    bill = new_bill(context, subscription, priced, currency, asked)
    # what is asked for now is all that is asked for: the timer opens no other one in its place
    bills.postpone_bills(context.database, [bill.subscription_id], None)
    return bills.open_bills(context.database, [bill], actor).get(bill.subscription_id)


def follow_dates(
    context: Context,
    subscription: Subscription,
    actor: str,
    *,
    paid_bill_id: str | None = None,
) -> None:
    """Closes the bill that was paid, and the one that is open where what it asks for is moot: all
    that was changed is written, in the caller's transaction."""
    database, now = context.database, context.now()
    if paid_bill_id is not None:
        bills.close_bill(database, paid_bill_id, BillStatus.PAID, actor, now)
    open_bill = bills.find_open(database, subscription.dates.subscription_id)
    if open_bill is not None and _is_moot(open_bill, subscription.dates, now):
        bills.close_bill(database, open_bill.id, BillStatus.VOID, actor, now)


def follow_choice(context: Context, subscription: Subscription, actor: str) -> None:
    """Asks for the plan that the client chose for the next period, where the bill for that is open
    and asks for another one. Raises PlanNotPriced."""
    open_bill = bills.find_open(context.database, subscription.dates.subscription_id)
    if open_bill is None or open_bill.kind is BillKind.CHANGE:
        return
    code, now = subscription.dates.renews_on, context.now()
    if not asks_for(context, open_bill, subscription, code):
        priced = get_priced(context, subscription.app_id, code)
        goes_on = has_time_left(subscription.dates, now)  # else it begins when it is paid
        asked = Asked(
            BillKind.PERIOD,
            open_bill.due_at if goes_on else now,
            is_charged=goes_on and open_bill.is_charged,
        )
        open_one(context, subscription, priced, asked, actor)


def asks_for(context: Context, bill: Bill, subscription: Subscription, code: str) -> bool:
    """Whether this bill is for this plan, in what the subscription is billed in."""
    return bill.plan == code and bill.money.currency == currency_of(context, subscription)


def _is_moot(bill: Bill, dates: Dates, now: datetime) -> bool:
    """Whether nobody wants the time it asks for, or it begins at another instant by now."""
    if dates.cancel_at is not None or dates.paused_at is not None:
        return True
    if dates.ended_by is not None:
        return True  # whoever had the money back is not asked for more of it
    if bill.kind is BillKind.CHANGE:
        return dates.plan == bill.plan
    ends_at = dates.ends_at
    if ends_at is None:
        return False
    return bill.due_at < ends_at or (now < ends_at != bill.due_at)
