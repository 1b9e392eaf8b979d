"""Settle: the one routine by which the PSP's word becomes our truth.

Webhook, customer's return, reading and the paid-check all come here. None of them is believed:
each is a hint to read the PSP, and what it says is applied under the payment's row lock.
"""

import json
from dataclasses import replace
from datetime import datetime

from tollgate.domain.errors import Misconfigured, PspUnavailable, UnsupportedPsp
from tollgate.domain.events import PAYMENT_EVENTS, EventType
from tollgate.domain.payment import Outcome, Payment, PaymentStatus, apply
from tollgate.domain.subscription import Dates, Subscription, SubscriptionStatus, access, grant
from tollgate.operations.context import Context
from tollgate.storage import access_cache, payments, plans, subscriptions
from tollgate.storage.subscriptions import ClientDates

ASK_PAUSE_SECONDS = 10
"""Reads of an open payment ask the PSP about it at most this often, all together: longer than the
PSP's answer usually takes. Two askers at once are needless, and harmless."""


def settle(
    context: Context, payment: Payment, actor: str, psp_reference: str | None = None
) -> Payment:
    """Reads the PSP and applies what it says; the payment as it then stands.

    `psp_reference` serves where the row has none yet, because the answer to our create was lost.
    Safe at any time, in any order, any number of times. Raises PspUnavailable, also when the PSP
    says what this adapter does not know; DatabaseUnavailable.
    """
    reference = payment.psp_reference or psp_reference
    if reference is None:
        return payment
    outcome = context.psp(payment.psp).fetch(reference)  # no transaction is open here
    if outcome.status is PaymentStatus.PENDING:
        raise PspUnavailable
    return record(context, payment, outcome, actor)


def record(context: Context, payment: Payment, outcome: Outcome, actor: str) -> Payment:
    """Applies what the PSP said, with all that follows from it; the payment as it then stands."""
    if apply(payment, outcome, context.now()) is payment:
        return payment
    context = context.within(payment.tenant)
    with context.database.transaction():
        recorded, granted = _record_locked(context, payment.id, outcome, actor)
    if granted:  # only now that it is committed
        access_cache.put_dates(context.cache, payment.app_id, payment.client_id, granted)
    return recorded


def ask_psp(
    context: Context, payment: Payment, *, pause_seconds: int = ASK_PAUSE_SECONDS
) -> Payment:
    """Settles an open payment on a reader's behalf, unless one asked just now; else as it stands.

    A PSP that can't be read leaves the payment as it is: the reader gets what we know.
    """
    if not payment.is_open or payment.psp_reference is None:
        return payment
    context = context.within(payment.tenant)  # the reader may be a client, who writes nothing
    if not payments.claim_question(context.database, payment.id, context.now(), pause_seconds):
        return payment
    try:
        return settle(context, payment, actor="reader")
    except (PspUnavailable, UnsupportedPsp, Misconfigured):
        return payment


def payment_event_data(payment: Payment) -> str:
    """What an event tells of a payment, as JSON text: no metadata, no personal data."""
    return json.dumps(
        {
            "payment_id": payment.id,
            "client_id": payment.client_id,
            "status": payment.status,
            "amount": payment.money.amount_minor,
            "currency": payment.money.currency,
            "plan": payment.plan,
            "product": payment.product,
            "subscription_id": payment.subscription_id,
        }
    )


def _record_locked(
    context: Context, payment_id: str, outcome: Outcome, actor: str
) -> tuple[Payment, ClientDates | None]:
    """The change itself, in the caller's transaction, against the row as it stands now."""
    before = payments.lock_payment(context.database, payment_id)
    after = apply(before, outcome, context.now())
    if after is before:
        return before, None
    granted = None
    if after.status is PaymentStatus.SUCCEEDED and after.plan is not None:
        after, granted = _grant_period(context, after, actor)
    saved = payments.save_payment(
        context.database,
        before,
        after,
        event_id=context.new_id("evt"),
        event_type=PAYMENT_EVENTS.get(after.status),
        event_data=payment_event_data(after),
        actor=actor,
    )
    assert saved.moved, "the row is locked, so its version can't have moved"
    return after, granted


def _grant_period(
    context: Context, payment: Payment, actor: str
) -> tuple[Payment, ClientDates | None]:
    """Gives the client the period that this payment paid for, once."""
    database = context.database
    subscriptions.lock_client(database, payment.app_id, payment.client_id, context.now())
    now = context.now()  # the lock may have taken a while
    if subscriptions.has_period(database, payment.id):
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
    subscriptions.insert_period(database, payment, subscription_id, period, now)
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
