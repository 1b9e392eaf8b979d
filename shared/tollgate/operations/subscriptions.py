"""Subscriptions as apps set them up: made, read, ended, paused and resumed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tollgate.domain.errors import FieldError, InvalidFields, NotFound, UnknownPlan
from tollgate.domain.events import EventType
from tollgate.domain.granting import choose_plan, has_time_left
from tollgate.domain.ids import is_client_id, is_id, is_plan_code
from tollgate.domain.lifecycle import CancelAt, cancel, pause
from tollgate.domain.page import PAGE_QUERY, Listing, listing, read_page
from tollgate.domain.plan import Plan
from tollgate.domain.subscription import (
    Dates,
    RenewalWishes,
    Standing,
    Subscription,
    SubscriptionStatus,
)
from tollgate.operations.bills import (
    bill_now,
    currency_of,
    follow_choice,
    follow_dates,
    get_priced,
    price_in,
)
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.customers import seal_subscriber
from tollgate.operations.pay_links import find_pay_url, find_pay_urls, pay_url
from tollgate.operations.periods import is_replaceable, resume_now, save, up_to_date
from tollgate.storage import access_cache, bills, plans, subscribers, subscriptions

if TYPE_CHECKING:
    from tollgate.schemas.subscriptions import (
        CancelSubscription,
        CreateSubscription,
        PauseSubscription,
    )

SUBSCRIPTIONS_QUERY = ("client_id", "product", *PAGE_QUERY)
"""The query fields of the list."""


def create_subscription(context: Context, call: "Call[CreateSubscription]") -> Reply:
    """201 with a new subscription, or 200 with the client's live one on the plan asked for.

    It gives access once its bill is paid, which `pay_url` leads to, or a payment for its plan
    succeeds; at once where the plan has a trial that this client has not had. While time that was
    paid for or granted lasts, another plan is `next_plan`: it takes effect when it is paid for.
    Raises UnknownPlan, PlanNotPriced, InvalidFields.
    """
    app_id, client_id, database = call.caller.app_id, call.content.client_id, context.database
    plan = plans.find_plan(database, app_id, call.content.plan)
    _check_time_zone(context, call.content)
    with database.transaction():
        subscriptions.lock_client(database, app_id, client_id, context.now())
        now = context.now()  # the lock may have taken a while
        live = _live(context, call, plan)
        if plan is None or (plan.archived_at is not None and not _is_on(live, plan)):
            raise UnknownPlan
        chosen = choose_plan(live, plan.code, now) if live else _new(context, call, plan)
        subscription = _as_wished(chosen, call.content)
        if subscription is not live:
            priced = get_priced(context, app_id, subscription.dates.renews_on)
            price_in(priced, currency_of(context, subscription))
            _save_created(context, call, live, subscription)
        if call.content.customer is not None:
            sealed = seal_subscriber(context, subscription, call.content.customer.model_dump())
            subscribers.save_customer(database, subscription.dates.subscription_id, sealed)
        was_canceled = Standing(subscription, now).status is SubscriptionStatus.CANCELED
        if has_time_left(subscription.dates, now) and not was_canceled:
            bill = bills.find_open(database, subscription.dates.subscription_id)
        else:
            bill = bill_now(context, subscription, plan, call.caller.actor)
        known = subscriptions.read_access(database, app_id, client_id)
    access_cache.put_dates(context.cache, app_id, client_id, known)
    url = pay_url(context, bill) if bill else None
    return Reply(200 if live else 201, Standing(subscription, now, url))


def get_subscription(context: Context, call: Call[None]) -> Standing:
    """One subscription that the caller may see. Raises NotFound."""
    return _standing(context, _found(context, call.target))


def list_subscriptions(context: Context, call: Call[None]) -> Listing[Standing]:
    """The subscriptions that the caller may see, newest first. Raises InvalidFields."""
    page, query = read_page(call.query), call.query
    errors = []
    if "client_id" in query and not is_client_id(query["client_id"]):
        errors.append(FieldError("client_id", "This can't be a client's id."))
    if "product" in query and not is_plan_code(query["product"]):
        errors.append(FieldError("product", "This can't be a product's code."))
    if errors:
        raise InvalidFields(errors=tuple(errors))
    found = subscriptions.list_subscriptions(
        context.database,
        call.caller.app_id or None,  # of all, for an operator
        query.get("client_id"),
        query.get("product"),
        page,
    )
    now = context.now()
    urls = find_pay_urls(context, [subscription.dates.subscription_id for subscription in found])
    standings = [
        Standing(subscription, now, urls.get(subscription.dates.subscription_id))
        for subscription in found
    ]
    return listing(page, standings, lambda item: item.subscription.dates.subscription_id)


def cancel_subscription(context: Context, call: "Call[CancelSubscription]") -> Standing:
    """Ends a subscription with its period, or now, or takes that back; no money moves by it.

    Raises NotFound, AlreadyCanceled, NotCanceled.
    """
    at = call.content.at
    event = (
        EventType.SUBSCRIPTION_ACTIVATED
        if at is CancelAt.NEVER
        else EventType.SUBSCRIPTION_CANCELED
    )
    return _change(context, call, lambda found: cancel(found, at, context.now()), event)


def pause_subscription(context: Context, call: "Call[PauseSubscription]") -> Standing:
    """Stands a subscription still, until `resumes_at` or until it is resumed or paid for: access
    ends at once, and what time was left is kept. Raises NotFound, NotPausable, InvalidFields."""
    until = call.content.resumes_at
    return _change(
        context,
        call,
        lambda found: pause(found, until, context.now()),
        EventType.SUBSCRIPTION_PAUSED,
    )


def resume_subscription(context: Context, call: Call[None]) -> Standing:
    """Lets a paused subscription go on where it stood. Raises NotFound, NotPaused."""
    return _change(
        context,
        call,
        lambda found: resume_now(context, found),
        EventType.SUBSCRIPTION_RESUMED,
    )


def _change(
    context: Context,
    call: "Call[CancelSubscription] | Call[PauseSubscription] | Call[None]",
    change: Callable[[Subscription], Subscription],
    event: EventType,
) -> Standing:
    """One change of a subscription, under its client's lock."""
    database, found = context.database, _found(context, call.target)
    with database.transaction():
        subscriptions.lock_client(database, found.app_id, found.client_id, context.now())
        subscription = subscriptions.get_subscription(database, call.target)
        changed = change(up_to_date(context, subscription, call.caller.actor))
        save(context, changed, event, call.caller.actor)
        follow_dates(context, changed, call.caller.actor)
        known = subscriptions.read_access(database, found.app_id, found.client_id)
    access_cache.put_dates(context.cache, found.app_id, found.client_id, known)
    return _standing(context, changed)


def _standing(context: Context, subscription: Subscription) -> Standing:
    url = find_pay_url(context, subscription.dates.subscription_id)
    return Standing(subscription, context.now(), url)


def _found(context: Context, subscription_id: str) -> Subscription:
    if not is_id("sub", subscription_id):
        raise NotFound
    return subscriptions.get_subscription(context.database, subscription_id)


def _live(
    context: Context, call: "Call[CreateSubscription]", plan: Plan | None
) -> Subscription | None:
    """The client's subscription to the plan's product, unless it makes room for a new one."""
    if plan is None:
        return None
    database, now = context.database, context.now()
    live = subscriptions.find_live(database, plan.app_id, call.content.client_id, plan.product)
    if live is not None and is_replaceable(context, live, now):
        ended = live.dates.subscription_id
        subscriptions.end_subscription(database, ended, call.caller.actor, now)
        return None
    return live


def _is_on(live: Subscription | None, plan: Plan) -> bool:
    return live is not None and live.dates.plan == plan.code


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


def _check_time_zone(context: Context, request: "CreateSubscription") -> None:
    zone = request.renewal.time_zone if request.renewal else None
    if zone is not None and not subscribers.is_time_zone(context.database, zone):
        message = "This is no time zone such as Africa/Nairobi (IANA)."
        raise InvalidFields(errors=(FieldError("renewal.time_zone", message),))


def _as_wished(subscription: Subscription, request: "CreateSubscription") -> Subscription:
    """With what the app tells of how to bill it; the same object when that changes nothing."""
    wishes = subscription.renewal
    if request.renewal is not None:
        told = request.renewal.model_dump(exclude_none=True)
        if "method" in request.renewal.model_fields_set:
            told["method"] = request.renewal.method  # null: no prompts any more
        wishes = RenewalWishes(**{**wishes.__dict__, **told})
    currency = request.currency or subscription.currency
    if (wishes, currency) == (subscription.renewal, subscription.currency):
        return subscription
    return replace(subscription, renewal=wishes, currency=currency)


def _save_created(
    context: Context,
    call: "Call[CreateSubscription]",
    live: Subscription | None,
    subscription: Subscription,
) -> None:
    subscription = replace(subscription, updated_at=context.now())
    event = EventType.SUBSCRIPTION_CREATED if live is None else None
    if live is not None and live.dates != subscription.dates:
        event = EventType.SUBSCRIPTION_PLAN_CHANGED
    save(context, subscription, event, call.caller.actor)
    follow_choice(context, subscription, call.caller.actor)
