"""A change of plan: now, for what the rest is worth; now, for what is missing; or later."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from tollgate.domain.bill import Bill, BillKind
from tollgate.domain.errors import (
    BillClosed,
    ConcurrentChange,
    NotChangeable,
    NotFound,
    NothingToCharge,
    OtherProduct,
    SamePlan,
    UnknownPlan,
)
from tollgate.domain.events import EventType
from tollgate.domain.granting import choose_plan, has_time_left
from tollgate.domain.ids import is_id
from tollgate.domain.money import round_up
from tollgate.domain.plan import PricedPlan, Proration
from tollgate.domain.proration import left_minor
from tollgate.domain.subscription import Standing, Subscription, SubscriptionStatus
from tollgate.operations.bill_payments import charge_saved, is_being_paid, list_saved
from tollgate.operations.bills import (
    Asked,
    asks_for,
    currency_of,
    follow_choice,
    follow_dates,
    open_one,
    price_in,
)
from tollgate.operations.context import Call, Context
from tollgate.operations.pay_links import find_pay_url
from tollgate.operations.periods import convert_rest, list_left, save, up_to_date
from tollgate.storage import access_cache, bills, plans, subscriptions

if TYPE_CHECKING:
    from tollgate.schemas.subscriptions import ChangeSubscription


def change_subscription(context: Context, call: "Call[ChangeSubscription]") -> Standing:
    """Puts a subscription on another plan of its product.

    `charge_now` charges what the client let the app keep; without that, or where the bank wants the
    client, the plan changes when the client has paid at `pay_url`. Raises NotFound, UnknownPlan,
    OtherProduct, SamePlan, PlanNotPriced, NothingToCharge, NotChangeable.
    """
    if not is_id("sub", call.target):
        raise NotFound
    database, actor = context.database, call.caller.actor
    found = subscriptions.get_subscription(database, call.target)
    with database.transaction():
        subscriptions.lock_client(database, found.app_id, found.client_id, context.now())
        subscription = subscriptions.get_subscription(database, call.target)
        priced = _plan_for(context, subscription, call.content.plan)
        proration = call.content.proration or priced.plan.proration
        bill = _change(context, subscription, priced, proration, actor)
        known = subscriptions.read_access(database, found.app_id, found.client_id)
    access_cache.put_dates(context.cache, found.app_id, found.client_id, known)
    if bill is not None and not is_being_paid(context, bill):
        with suppress(BillClosed, ConcurrentChange):  # somebody was quicker
            charge_saved(context, bill, list_saved(context, bill), actor)
    return _standing(context, call.target)


def _plan_for(context: Context, subscription: Subscription, code: str) -> PricedPlan:
    """The plan that is asked for, if this subscription can go there."""
    dates, status = subscription.dates, Standing(subscription, context.now()).status
    if status is SubscriptionStatus.PAUSED:
        raise NotChangeable("It is paused: resume it first.")
    if status is SubscriptionStatus.CANCELED:
        raise NotChangeable("It is over. Create a new one on this plan.")
    if dates.cancel_at is not None:
        raise NotChangeable("It ends with its period. Take that back first.")
    priced = plans.find_priced(context.database, subscription.app_id, code)
    if priced is None or priced.plan.archived_at is not None:
        raise UnknownPlan
    if priced.plan.product != dates.product:
        raise OtherProduct
    if code == (dates.next_plan or dates.plan):
        raise SamePlan
    price_in(priced, currency_of(context, subscription))
    return priced


def _change(
    context: Context,
    subscription: Subscription,
    priced: PricedPlan,
    proration: Proration,
    actor: str,
) -> Bill | None:
    """Changes the plan, or opens the bill whose payment does. In the caller's transaction."""
    subscription = up_to_date(context, subscription, actor)
    now, dates, code = context.now(), subscription.dates, priced.plan.code
    if code == dates.plan_at(now):
        proration = Proration.NONE  # a choice is taken back: what is paid for is of this plan
    if proration is not Proration.NONE and _is_paid_at(dates.paid_through, now):
        if proration is Proration.CHARGE_NOW:
            return _bill_for_the_rest(context, subscription, priced, actor)
        price = price_in(priced, currency_of(context, subscription))
        changed = convert_rest(context, subscription, priced.plan, price)
    elif proration is not Proration.NONE and _is_paid_at(dates.trial_end, now):
        # what is free is worth nothing: it goes on under the other plan
        changed = replace(subscription, dates=replace(dates, plan=code, next_plan=None))
    else:
        changed = choose_plan(subscription, code, now)
        if changed is subscription and has_time_left(dates, now):
            raise NotChangeable("Another plan is paid for, and comes first.")
    changed = replace(changed, updated_at=now)
    save(context, changed, EventType.SUBSCRIPTION_PLAN_CHANGED, actor)
    follow_dates(context, changed, actor)
    follow_choice(context, changed, actor)
    return None


def _is_paid_at(ends_at: datetime | None, now: datetime) -> bool:
    return ends_at is not None and now < ends_at


def _bill_for_the_rest(
    context: Context, subscription: Subscription, priced: PricedPlan, actor: str
) -> Bill | None:
    """Asks for what is missing to a whole period of the plan from now on."""
    currency, now, code = currency_of(context, subscription), context.now(), priced.plan.code
    asked_for = bills.find_open(context.database, subscription.dates.subscription_id)
    if (
        asked_for is not None
        and asked_for.kind is BillKind.CHANGE
        and now < asked_for.closes_at
        and asks_for(context, asked_for, subscription, code)
    ):
        return asked_for  # so that who asks twice is charged once
    price = price_in(priced, currency)
    left = left_minor(list_left(context, subscription, currency), now)
    if left >= price.amount_minor:
        raise NothingToCharge
    missing = round_up(price.amount_minor - left, price)
    asked = Asked(BillKind.CHANGE, now, missing)
    bill = open_one(context, subscription, priced, asked, actor)
    if bill is not None:
        bills.renew_after(context.database, bill.subscription_id, bill.closes_at)
    return bill


def _standing(context: Context, subscription_id: str) -> Standing:
    subscription = subscriptions.get_subscription(context.database, subscription_id)
    return Standing(subscription, context.now(), find_pay_url(context, subscription_id))
