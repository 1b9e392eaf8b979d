"""What payments do to subscriptions: one that is paid gives a period, one that goes back takes it.

All in the transaction that moves the payment, which holds the payment's row; the client's row is
locked after it.
"""

import json
from dataclasses import replace
from datetime import datetime

from tollgate.domain.bill import Bill, BillKind
from tollgate.domain.billing import Period
from tollgate.domain.errors import NotChangeable, NotPaused
from tollgate.domain.events import EventType
from tollgate.domain.granting import Share, grant, has_time_left
from tollgate.domain.lifecycle import pause, wake
from tollgate.domain.money import Money
from tollgate.domain.payment import TAKEN_BACK, Payment, PaymentStatus
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.proration import change_plan, worth_of, worth_paid
from tollgate.domain.reversal import Change, PaidPeriod, restore, reverse
from tollgate.domain.subscription import (
    Dates,
    Reason,
    Standing,
    Subscription,
    SubscriptionStatus,
    access,
)
from tollgate.operations.bills import follow_dates
from tollgate.operations.context import Context
from tollgate.storage import bills, periods, plans, subscriptions
from tollgate.storage.subscriptions import ClientDates


def grant_period(
    context: Context, payment: Payment, actor: str
) -> tuple[Payment, ClientDates | None]:
    """Gives the client the period that this payment paid for, once; the payment with its
    subscription, and the client's dates where they changed. In the caller's transaction."""
    database = context.database
    subscriptions.lock_client(database, payment.app_id, payment.client_id, context.now())
    now = context.now()  # the lock may have taken a while
    if periods.find_given(database, payment.id):
        return payment, None
    assert payment.plan is not None
    plan = plans.find_plan(database, payment.app_id, payment.plan)
    assert plan is not None
    live = _live_subscription(context, payment, actor, now)
    extended, period, event = _extended(context, live, payment, plan, now)
    save(context, extended, event, actor)
    subscription_id = extended.dates.subscription_id
    worth = worth_paid(period, payment.amount_captured_minor)
    periods.insert_period(database, payment, subscription_id, period, worth=worth, now=now)
    follow_dates(context, extended, actor, paid_bill_id=payment.bill_id)
    granted = subscriptions.read_access(database, payment.app_id, payment.client_id)
    return replace(payment, subscription_id=subscription_id), granted


def _extended(
    context: Context, live: Subscription, payment: Payment, plan: Plan, now: datetime
) -> tuple[Subscription, Period, EventType]:
    """The subscription with the time that this payment buys, that time, and what is told of it."""
    now = max(now, live.dates.paused_at or now)  # by a clock that is ahead of this one
    current = awake(context, live, now)
    was = Standing(current, now).status
    bill = bills.get_bill(context.database, payment.bill_id) if payment.bill_id else None
    # what was asked: of a change, less than a period costs
    price = bill.price if bill and bill.kind is BillKind.CHANGE else payment.money
    changed = _changed_by(context, current, plan, bill) if bill else None
    extended, period = grant(
        changed or current,
        plan,
        now,
        paid=Share(payment.amount_captured_minor, price.amount_minor),
        # who was charged while away may have wished to leave
        withdraws_cancellation=not payment.is_off_session,
    )
    if payment.is_off_session and live.dates.is_paused(now):
        extended = pause(extended, live.dates.resumes_at, now)  # nor did it wish to go on
    event = _event_of_payment(was, changes=changed is not None)
    return replace(extended, currency=payment.money.currency), period, event


def _event_of_payment(was: SubscriptionStatus, *, changes: bool) -> EventType:
    if changes:
        return EventType.SUBSCRIPTION_PLAN_CHANGED
    renews = was in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
    return EventType.SUBSCRIPTION_RENEWED if renews else EventType.SUBSCRIPTION_ACTIVATED


def _changed_by(
    context: Context, current: Subscription, plan: Plan, bill: Bill
) -> Subscription | None:
    """The subscription on the plan that this bill changes it to, if that can still be; else its
    money buys its time behind what is paid for."""
    now = context.now()
    is_on_it = current.dates.plan_at(now) == plan.code
    if bill.kind is not BillKind.CHANGE or is_on_it or not has_time_left(current.dates, now):
        return None
    try:
        return convert_rest(context, current, plan, bill.price)
    except NotChangeable:
        return None


def awake(context: Context, subscription: Subscription, now: datetime) -> Subscription:
    """The subscription without a pause, its periods moved with it: what was paid is for use now."""
    dates = subscription.dates
    if dates.paused_at is None:
        return subscription
    paid = periods.list_ending_after(context.database, dates.subscription_id, dates.paused_at)
    change = wake(subscription, paid, now)
    save_periods(context, change)
    return change.subscription


def resume_now(context: Context, subscription: Subscription) -> Subscription:
    """The subscription that goes on where it stood, its periods moved with it. Raises NotPaused."""
    now = context.now()
    if Standing(subscription, now).status is not SubscriptionStatus.PAUSED:
        raise NotPaused
    return awake(context, subscription, now)


def convert_rest(
    context: Context, subscription: Subscription, plan: Plan, price: Money
) -> Subscription:
    """The subscription on another plan from now on, its periods with as much time as their rest
    buys at this price. Raises NotChangeable, before anything is written."""
    now = context.now()
    left = list_left(context, subscription, price.currency)
    worth = worth_of(plan.interval, price.amount_minor, now)
    change = change_plan(subscription, left, plan, worth, now)
    save_periods(context, change)
    return change.subscription


def list_left(context: Context, subscription: Subscription, currency: str) -> list[PaidPeriod]:
    """The periods with time left, in order. Raises NotChangeable for one paid in another currency,
    for a change of plan that is paid for, or for time that nothing was paid for here."""
    dates, now = subscription.dates, context.now()
    if dates.next_plan_at is not None and dates.next_plan_at > now:
        raise NotChangeable("Another plan is paid for, and comes first.")
    left = periods.list_ending_after(context.database, dates.subscription_id, now)
    paid_from = left[0].starts_at if left else dates.paid_through
    if paid_from is not None and paid_from > max(now, dates.trial_end or now):
        raise NotChangeable("Time that was imported has no price. Use proration: none.")
    paid_in = periods.list_currencies(context.database, [period.payment_id for period in left])
    if paid_in - {currency}:
        raise NotChangeable("Periods were paid for in another currency. Use proration: none.")
    return left


def _live_subscription(
    context: Context, payment: Payment, actor: str, now: datetime
) -> Subscription:
    """The client's live subscription to the product; a new one where there is none."""
    assert payment.plan is not None and payment.product is not None
    live = subscriptions.find_live(
        context.database, payment.app_id, payment.client_id, payment.product
    )
    cancel_at = None
    if live is not None:
        if not is_replaceable(context, live, now):
            return live
        subscriptions.end_subscription(context.database, live.dates.subscription_id, actor, now)
        cancel_at = now if payment.is_off_session else None  # it gives its period, and no more
    dates = Dates(context.new_id("sub"), payment.product, payment.plan, cancel_at=cancel_at)
    return Subscription(
        app_id=payment.app_id,
        client_id=payment.client_id,
        dates=dates,
        livemode=payment.livemode,
        created_at=now,
        updated_at=now,
    )


def is_replaceable(context: Context, live: Subscription, now: datetime) -> bool:
    """Whether a new subscription takes the place of this one: it was canceled, and no time that a
    refund or a dispute took of it can come back, for then it must be seen."""
    if Standing(live, now).status is not SubscriptionStatus.CANCELED:
        return False
    return not periods.may_come_back(context.database, live.dates.subscription_id)


def follow_money(
    context: Context, before: Payment, after: Payment, actor: str
) -> ClientDates | None:
    """Reverses the period of a payment whose money went back, by its plan's rule, and restores it
    when the money is here again; the client's dates where they changed."""
    was_back, is_back = before.status in TAKEN_BACK, after.status in TAKEN_BACK
    in_doubt = before.status is PaymentStatus.NEEDS_REVIEW  # what came meanwhile had no effect yet
    if after.plan is None or (was_back == is_back and not in_doubt):
        return None
    database = context.database
    subscriptions.lock_client(database, after.app_id, after.client_id, context.now())
    now = context.now()  # the lock may have taken a while
    given = periods.find_given(database, after.id)
    plan = plans.find_plan(database, after.app_id, after.plan)
    if given is None or plan is None or (given.period.reversal is not None) == is_back:
        return None
    subscription = up_to_date(
        context, subscriptions.get_subscription(database, given.subscription_id), actor
    )
    now = subscription.dates.clock(now)  # in a pause nothing of the time is used up
    given = periods.find_given(database, after.id) or given
    if not is_back:
        held = plans.find_plan(database, after.app_id, given.period.plan or plan.code)
        assert held is not None, "periods refer to plans"
        change = restore(subscription, given.period, held, now)
    elif plan.refund_rule is RefundRule.NEVER:
        return None
    else:
        disputed = after.status is PaymentStatus.DISPUTED
        reason = Reason.DISPUTED if disputed else Reason.REFUNDED
        later = periods.list_after(database, given.subscription_id, given.period.ends_at)
        paid = (given.period, *later)
        change = reverse(subscription, paid, reason, plan.refund_rule, now)
    _save(context, subscription, change, actor)
    return subscriptions.read_access(database, after.app_id, after.client_id)


def up_to_date(context: Context, subscription: Subscription, actor: str) -> Subscription:
    """The subscription with a pause that is over written into its dates and its periods, and told.
    The same object where there is none. The caller holds lock_client."""
    now = context.now()
    if subscription.dates.is_paused(now):
        return subscription
    woken = awake(context, subscription, now)
    if woken is not subscription:
        save(context, woken, EventType.SUBSCRIPTION_RESUMED, actor)
    return woken


def _save(context: Context, before: Subscription, change: Change, actor: str) -> None:
    save_periods(context, change)
    if change.subscription is before:
        return
    after = replace(change.subscription, updated_at=context.now())
    save(context, after, _event(before.dates, after.dates), actor)
    follow_dates(context, after, actor)


def save_periods(context: Context, change: Change) -> None:
    """Writes the periods of a change, in an order in which no two overlap on the way."""
    for period in change.periods:
        periods.save_period(context.database, period)


def save(context: Context, subscription: Subscription, event: EventType | None, actor: str) -> None:
    """Writes a subscription with its event and audit row. The caller holds lock_client."""
    subscriptions.save_subscription(
        context.database,
        subscription,
        event_id=context.new_id("evt"),
        event_type=event,
        event_data=subscription_event_data(subscription),
        actor=actor,
    )


def _event(before: Dates, after: Dates) -> EventType | None:
    """That it ends, or goes on after all. That it became shorter, the payment's events tell."""
    ends = (after.ended_by, after.cancel_at)
    if ends == (before.ended_by, before.cancel_at):
        return None
    return EventType.SUBSCRIPTION_CANCELED if any(ends) else EventType.SUBSCRIPTION_ACTIVATED


def subscription_event_data(subscription: Subscription, **more: object) -> str:
    """What an event tells of a subscription, as JSON text; `more` is what this one tells besides.
    storage/sweeps.py tells the same."""
    dates = subscription.dates
    return json.dumps(
        {
            "subscription_id": dates.subscription_id,
            "client_id": subscription.client_id,
            "product": dates.product,
            "status": access(dates, subscription.updated_at).status,
            "plan": dates.plan,
            "next_plan": dates.next_plan,
            "next_plan_at": dates.next_plan_at.isoformat() if dates.next_plan_at else None,
            "paid_through": dates.paid_through.isoformat() if dates.paid_through else None,
            **more,
        }
    )
