"""Seeing to an open bill: what the client let the app keep is charged, or else the client is asked.

At most one conversation with a PSP each time, so that it fits what is left of a slice; whoever dies
in between finds the bill as the payments say that it stands.
"""

from datetime import datetime, timedelta

from tollgate.domain.bill import Bill, BillKind, BillStatus, next_step
from tollgate.domain.errors import (
    BillClosed,
    ConcurrentChange,
    NotCancelable,
    PspUnavailable,
    RefusedByPsp,
    TollgateError,
)
from tollgate.domain.events import EventType
from tollgate.domain.payment import Payment, PaymentStatus, RetryAdvice
from tollgate.domain.subscription import Standing, Subscription
from tollgate.logs import log
from tollgate.operations.bill_payments import (
    BEING_PAID,
    Try,
    charge_saved,
    is_app_there,
    is_being_paid,
    list_saved,
    pay_bill,
    psps_for,
)
from tollgate.operations.bills import get_priced, schedule
from tollgate.operations.captures import end_payment
from tollgate.operations.context import Context
from tollgate.operations.customers import open_subscriber
from tollgate.operations.pay_links import pay_url
from tollgate.operations.periods import subscription_event_data
from tollgate.storage import bill_payments, bills, breakers, subscriptions
from tollgate.storage.subscriptions import Announcement

LOOK_AGAIN = timedelta(hours=1)
"""While a payment may still pay the bill, or its PSP can't be reached; so long, too, nothing is
charged a second time."""
_HOUR_LASTS = timedelta(hours=4)
"""For so long after the hour that a client chose it is prompted, should something be late."""
_ACTOR = "renew"


def see_to(context: Context, bill: Bill) -> bool:
    """Charges, asks for, leaves alone for a while, or gives up one bill that was claimed; whether
    something was charged. Raises BillClosed for one that is not as it was claimed any more."""
    database, now = context.database, context.now()
    if now >= bill.closes_at or not is_app_there(context, bill):
        _give_up(context, bill)
        return False
    last = bill_payments.find_newest(database, bill.id)
    if last is not None and _never_was(last):
        last = None  # it says nothing
    if last is not None and _is_left(context, last):
        _end(context, bill, last)
        return False
    if is_being_paid(context, bill):
        bills.plan_step(database, bill, now + LOOK_AGAIN, now)
        return False
    is_charged = bill.is_charged and not _wants_client(last)
    if is_charged and not _was_just_charged(context, last):
        saved = list_saved(context, bill)
        if saved and all(breakers.is_down(context.cache, psp) for psp in saved):
            # a try for each bill would hold up the bills of other PSPs
            bills.plan_step(database, bill, now + LOOK_AGAIN, now)
            return False
        charged = charge_saved(context, bill, saved, _ACTOR)
        if charged is not None:
            _follow(context, bill, charged)
            return True
    subscription = subscriptions.get_subscription(database, bill.subscription_id)
    asked_at = _hour_to_ask(context, subscription, now)
    if now < asked_at:
        bills.plan_step(database, bill, min(asked_at, bill.closes_at), now)
        return False
    _ask_client(context, bill, subscription)
    _plan_next(context, bill, subscription, is_charged=is_charged)
    return False


def announce_bill(context: Context, subscription: Subscription, bill: Bill) -> Announcement:
    """That there is something to pay, and where."""
    is_first = subscription.dates.paid_through is None and subscription.dates.trial_end is not None
    ends_trial = is_first and context.now() < bill.due_at
    return Announcement(
        subscription.dates.subscription_id,
        context.new_id("evt"),
        EventType.SUBSCRIPTION_TRIAL_WILL_END if ends_trial else EventType.SUBSCRIPTION_RENEWAL_DUE,
        subscription_event_data(
            subscription,
            status=Standing(subscription, context.now()).status,
            bill_id=bill.id,
            due_at=bill.due_at.isoformat(),
            amount=bill.money.amount_minor,
            currency=bill.money.currency,
            pay_url=pay_url(context, bill),
        ),
    )


def _never_was(last: Payment) -> bool:
    """Whether it ended before any PSP had it."""
    return last.status in (PaymentStatus.CANCELED, PaymentStatus.EXPIRED) and (
        last.psp_reference is None
    )


def _is_left(context: Context, last: Payment) -> bool:
    """Whether nobody pays on the page of this payment: none was given to the client, or it had time
    enough."""
    return last.status is PaymentStatus.REQUIRES_ACTION and (
        last.is_off_session or context.now() - last.created_at >= BEING_PAID
    )


def _end(context: Context, bill: Bill, last: Payment) -> None:
    """Ends the last try; the bill is seen to at once, or later where it could not be ended."""
    now = context.now()
    try:
        is_open = end_payment(context, last.id, _ACTOR).is_open
    except (NotCancelable, RefusedByPsp, PspUnavailable):
        is_open = True
    bills.plan_step(context.database, bill, now + LOOK_AGAIN if is_open else now, now)


def _follow(context: Context, bill: Bill, charged: Payment) -> None:
    """Plans what follows a charge that did not pay the bill: a look later while the PSP may
    still move it, or could not be reached; else the client is asked at once."""
    now = context.now()
    is_waited_for = charged.status in _WAITED_FOR or _is_unreachable(charged)
    bills.plan_step(context.database, bill, now + LOOK_AGAIN if is_waited_for else now, now)


_WAITED_FOR = (
    PaymentStatus.PENDING,
    PaymentStatus.PROCESSING,
    PaymentStatus.AUTHORIZED,
    PaymentStatus.NEEDS_REVIEW,
)


def _was_just_charged(context: Context, last: Payment | None) -> bool:
    """Whether it was declined so lately that the client is asked now."""
    return last is not None and last.is_off_session and context.now() - last.created_at < LOOK_AGAIN


def _wants_client(last: Payment | None) -> bool:
    """Whether what was charged off session can't be charged again without the client."""
    if last is None or not last.is_off_session:
        return False
    if last.status in (PaymentStatus.CANCELED, PaymentStatus.EXPIRED):
        return True  # it wanted the client on a page
    return last.failure is not None and last.failure.advice in (
        RetryAdvice.NEVER,
        RetryAdvice.CLIENT,
    )


def _is_unreachable(payment: Payment) -> bool:
    return payment.failure is not None and payment.failure.code == "psp_unavailable"


def _hour_to_ask(context: Context, subscription: Subscription, now: datetime) -> datetime:
    """When the client may be asked, now or later: a phone does not ring at night because the bill
    was opened late, or the timer."""
    wishes = subscription.renewal
    if wishes.method is None:
        return now
    days = [now + timedelta(days=day) for day in (-1, 0, 1, 2)]
    hours = bills.local_hours(context.database, days, wishes.hour, wishes.time_zone)
    return next(max(hour, now) for hour in hours if now < hour + _HOUR_LASTS)


def _ask_client(context: Context, bill: Bill, subscription: Subscription) -> None:
    """Tells the app, and prompts the client's phone where a PSP can. Raises BillClosed."""
    database = context.database
    with database.transaction():
        told = [announce_bill(context, subscription, bill)]
        subscriptions.tell(database, told, context.now())
        # whoever closes it writes the subscription before, and so waits for this or was first
        if bills.get_bill(database, bill.id) != bill:
            raise BillClosed
    try:
        _prompt(context, bill, subscription)
    except (BillClosed, ConcurrentChange):
        return  # it is being paid already
    except TollgateError as error:  # the app was told, and is not told again each hour
        log("bill.not_prompted", bill_id=bill.id, code=error.code)


def _prompt(context: Context, bill: Bill, subscription: Subscription) -> None:
    method = subscription.renewal.method
    if method is None:
        return
    psps = tuple(
        psp
        for psp in psps_for(context, bill, method)
        if method in context.psp(psp).capabilities.prompts
    )
    customer = open_subscriber(context, bill.subscription_id, bill.app_id)
    if psps and customer.phone is not None:
        pay_bill(context, bill, Try(psps, customer, method), _ACTOR)


def _plan_next(
    context: Context, bill: Bill, subscription: Subscription, *, is_charged: bool
) -> None:
    """When this bill is seen to next: on the next day of its schedule."""
    plan, now = get_priced(context, bill.app_id, bill.plan).plan, context.now()
    asked = schedule(context, subscription, plan, bill.due_at)
    at = next_step(asked, bill.closes_at, now)
    bills.plan_step(context.database, bill, at, now, is_charged=is_charged)


def _give_up(context: Context, bill: Bill) -> None:
    """Nobody paid it in time. Money that comes all the same still buys its time."""
    database, now = context.database, context.now()
    with database.transaction():
        if bill.kind is BillKind.CHANGE:  # first the subscription, then its bill, as all others do
            bills.renew_after(database, bill.subscription_id, now)
        bills.close_bill(database, bill.id, BillStatus.VOID, _ACTOR, now)
