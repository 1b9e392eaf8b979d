"""What payments do to subscriptions: one that is paid gives a period, one that goes back takes it.

All in the transaction that moves the payment, which holds the payment's row; the client's row is
locked after it.
"""

import json
from dataclasses import replace
from datetime import datetime

from tollgate.domain.events import EventType
from tollgate.domain.payment import TAKEN_BACK, Payment, PaymentStatus
from tollgate.domain.reversal import Change, restore, reverse
from tollgate.domain.subscription import (
    Dates,
    Reason,
    RefundRule,
    Subscription,
    SubscriptionStatus,
    access,
    grant,
)
from tollgate.operations.context import Context
from tollgate.storage import periods, plans, subscriptions
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
    assert payment.plan is not None and payment.product is not None
    plan = plans.find_plan(database, payment.app_id, payment.plan)
    assert plan is not None
    current = _live_subscription(context, payment, actor, now)
    was = access(current.dates, now).status
    extended, period = grant(current, plan, now)
    subscription_id = extended.dates.subscription_id
    renews = was in (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)
    subscriptions.save_subscription(
        database,
        extended,
        event_id=context.new_id("evt"),
        event_type=(EventType.SUBSCRIPTION_RENEWED if renews else EventType.SUBSCRIPTION_ACTIVATED),
        event_data=subscription_event_data(extended),
        actor=actor,
    )
    periods.insert_period(database, payment, subscription_id, period, now)
    granted = subscriptions.read_access(database, payment.app_id, payment.client_id)
    return replace(payment, subscription_id=subscription_id), granted


def _live_subscription(
    context: Context, payment: Payment, actor: str, now: datetime
) -> Subscription:
    """The client's live subscription to the product; a new one where there is none."""
    assert payment.plan is not None and payment.product is not None
    live = subscriptions.find_live(
        context.database, payment.app_id, payment.client_id, payment.product
    )
    if live is not None:
        if access(live.dates, now).status is not SubscriptionStatus.CANCELED:
            return live
        subscriptions.end_subscription(context.database, live.dates.subscription_id, actor, now)
    dates = Dates(context.new_id("sub"), payment.product, payment.plan)
    return Subscription(
        app_id=payment.app_id,
        client_id=payment.client_id,
        dates=dates,
        livemode=payment.livemode,
        created_at=now,
        updated_at=now,
    )


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
    subscription = subscriptions.get_subscription(database, given.subscription_id)
    if not is_back:
        change = restore(subscription, given.period, plan, now)
    elif plan.refund_rule is RefundRule.NEVER:
        return None
    else:
        disputed = after.status is PaymentStatus.DISPUTED
        reason = Reason.DISPUTED if disputed else Reason.REFUNDED
        later = periods.list_after(database, given.subscription_id, given.period.ends_at)
        known = (given.period, *later)
        change = reverse(subscription, known, reason, plan.refund_rule, now)
    _save(context, subscription, change, actor)
    return subscriptions.read_access(database, after.app_id, after.client_id)


def _save(context: Context, before: Subscription, change: Change, actor: str) -> None:
    for period in change.periods:  # in order, so that no two overlap on the way
        periods.save_period(context.database, period)
    if change.subscription is before:
        return
    subscriptions.save_subscription(
        context.database,
        change.subscription,
        event_id=context.new_id("evt"),
        event_type=_event(before.dates, change.subscription.dates),
        event_data=subscription_event_data(change.subscription),
        actor=actor,
    )


def _event(before: Dates, after: Dates) -> EventType | None:
    """That it ends, or goes on after all. That it became shorter, the payment's events tell."""
    ends = (after.ended_by, after.cancel_at)
    if ends == (before.ended_by, before.cancel_at):
        return None
    return EventType.SUBSCRIPTION_CANCELED if any(ends) else EventType.SUBSCRIPTION_ACTIVATED


def subscription_event_data(subscription: Subscription) -> str:
    """What an event tells of a subscription, as JSON text."""
    dates = subscription.dates
    return json.dumps(
        {
            "subscription_id": dates.subscription_id,
            "client_id": subscription.client_id,
            "product": dates.product,
            "plan": dates.plan,
            "next_plan": dates.next_plan,
            "next_plan_at": dates.next_plan_at.isoformat() if dates.next_plan_at else None,
            "paid_through": dates.paid_through.isoformat() if dates.paid_through else None,
        }
    )
