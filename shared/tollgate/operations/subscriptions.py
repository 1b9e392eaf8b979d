"""Making a subscription, or moving the live one to another plan."""

from datetime import timedelta
from typing import TYPE_CHECKING

from tollgate.domain.errors import UnknownPlan
from tollgate.domain.events import EventType
from tollgate.domain.subscription import (
    Dates,
    Plan,
    Standing,
    Subscription,
    SubscriptionStatus,
    access,
    choose_plan,
)
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.periods import subscription_event_data
from tollgate.storage import access_cache, plans, subscriptions

if TYPE_CHECKING:
    from tollgate.schemas.subscriptions import CreateSubscription


def create_subscription(context: Context, call: "Call[CreateSubscription]") -> Reply:
    """201 with a new subscription, or 200 with the client's live one on the plan asked for.

    It gives access once a payment for its plan succeeds, or at once where the plan has a trial
    that this client has not had. While time that was paid for or granted lasts, another plan is
    `next_plan`: it takes effect when it is paid for.
    """
    app_id, client_id, database = call.caller.app_id, call.content.client_id, context.database
    plan = plans.find_plan(database, app_id, call.content.plan)
    if plan is None or plan.archived_at is not None:
        raise UnknownPlan
    now = context.now()
    with database.transaction():
        subscriptions.lock_client(database, app_id, client_id, now)
        live = subscriptions.find_live(database, app_id, client_id, plan.product)
        if live and access(live.dates, now).status is SubscriptionStatus.CANCELED:
            ended = live.dates.subscription_id
            subscriptions.end_subscription(database, ended, call.caller.actor, now)
            live = None
        subscription = choose_plan(live, plan.code, now) if live else _new(context, call, plan)
        if subscription is not live:
            event = EventType.SUBSCRIPTION_PLAN_CHANGED if live else EventType.SUBSCRIPTION_CREATED
            _save(context, call, subscription, event)
        known = subscriptions.read_access(database, app_id, client_id)
    access_cache.put_dates(context.cache, app_id, client_id, known)
    return Reply(200 if live else 201, Standing(subscription, now))


def _new(context: Context, call: "Call[CreateSubscription]", plan: Plan) -> Subscription:
    now, client_id = context.now(), call.content.client_id
    had_one = subscriptions.had_subscription(context.database, plan.app_id, client_id, plan.product)
    has_trial = plan.trial_days > 0 and not had_one
    dates = Dates(
        subscription_id=context.new_id("sub"),
        product=plan.product,
        plan=plan.code,
        trial_end=now + timedelta(days=plan.trial_days) if has_trial else None,
    )
    return Subscription(
        app_id=plan.app_id,
        client_id=client_id,
        dates=dates,
        livemode=context.settings.livemode,
        created_at=now,
        updated_at=now,
    )


def _save(
    context: Context,
    call: "Call[CreateSubscription]",
    subscription: Subscription,
    event: EventType,
) -> None:
    subscriptions.save_subscription(
        context.database,
        subscription,
        event_id=context.new_id("evt"),
        event_type=event,
        event_data=subscription_event_data(subscription),
        actor=call.caller.actor,
    )
