"""The page behind a pay link: what is due, how it can be paid, and how that went.

Whoever holds the link may see and pay the bill, and sees nothing else of the client. The page is
one address in every state, so that going back to it, or loading it again, is always safe.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from tollgate.crypto.pay_links import bill_of_link
from tollgate.domain.bill import Bill, BillKind, BillStatus
from tollgate.domain.contact import read_customer, read_form
from tollgate.domain.errors import (
    BillClosed,
    ConcurrentChange,
    CustomerIncomplete,
    Unprocessable,
)
from tollgate.domain.payment import TAKEN_BACK, UNPAID, Payment, PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.subscription import Subscription
from tollgate.operations.bill_payments import Try, pay_bill
from tollgate.operations.bills import get_priced
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.customers import open_subscriber
from tollgate.operations.pay_tries import ACTOR, PAUSE_SECONDS, is_lost, is_tired, make_room
from tollgate.operations.pay_ways import offers_to_save, prompts_for, ways_to_pay
from tollgate.operations.settlement import ask_psp
from tollgate.pages import bill as pages
from tollgate.pages.bill import Due, Receipt, Sent, Way
from tollgate.pages.layout import CONTENT_TYPE, HEADERS
from tollgate.pages.texts import language_of
from tollgate.settings import needed
from tollgate.storage import apps, bill_payments, bills, subscriptions

ASK_PAUSE_SECONDS = 4
"""The PSP is asked about a payment at most this often, however many look at its page."""
_REFRESHES = (
    (timedelta(seconds=30), 5),
    (timedelta(minutes=2), 15),
    (timedelta(minutes=5), 30),
)
"""Until a payment is that old its page looks again after so many seconds. After that the client
does it: a page left open costs nobody anything."""


@dataclass(frozen=True)
class _Opened:
    """A bill whose link was opened, with the last try to pay it; `link` is the page's address."""

    bill: Bill
    subscription: Subscription
    last: Payment | None
    due: Due
    link: str


def show_pay_page(context: Context, call: Call[None]) -> Reply:
    """The page, as the bill and the last try to pay it stand."""
    context, opened = _open(context, call)
    if opened is None:
        return _unknown(call)
    if opened.last is not None and opened.last.is_open:
        last = ask_psp(context, opened.last, pause_seconds=ASK_PAUSE_SECONDS)
        bill = bills.get_bill(context.database, opened.bill.id)
        opened = replace(opened, bill=bill, last=last)
    wants_other, is_back = call.query.get("other") == "1", "payment_id" in call.query
    return _reply(200, _page(context, opened, wants_other=wants_other, is_back=is_back))


def pay_on_page(context: Context, call: Call[None]) -> Reply:
    """Starts a payment by the method that was chosen, and sends the client on (303)."""
    context, opened = _open(context, call)
    if opened is None:
        return _unknown(call)
    form = read_form(call.raw_body)
    # a try that the form's page knew nothing of: most likely this is the same client's second tap,
    # and what the first one sent to the phone can be paid, whatever is ended here
    is_late = form.get("after", "") != _after(opened)
    if is_late or _is_over(context, opened.bill):
        return _back(opened)
    ways = ways_to_pay(context, opened.bill)
    method = next((way for way in ways if way.value == form.get("method")), None)
    shown = form.get("amount")
    if method is None or shown is None:
        return _due(context, opened, "choose")
    sent = Sent(method, form)
    if shown != pages.shown_amount(opened.bill.money):
        return _due(context, opened, "other_amount", sent, status=409)
    if is_tired(context, opened.bill):
        tired = _due(context, opened, "too_often", sent, status=429)
        return replace(tired, headers={**tired.headers, "retry-after": str(PAUSE_SECONDS)})
    known = open_subscriber(context, opened.subscription.dates.subscription_id, opened.bill.app_id)
    customer, wrong = read_customer(known, form)
    if wrong is not None:
        return _due(context, opened, f"wrong_{wrong}", replace(sent, wrong=(wrong,)))
    wish = Try(
        psps=(ways[method],),
        customer=customer,
        method=method,
        return_url=opened.link,
        save_method=form.get("save") == "yes" and offers_to_save(context, ways[method], method),
    )
    return _pay(context, opened, wish, sent)


def _pay(context: Context, opened: _Opened, wish: Try, sent: Sent) -> Reply:
    if not make_room(context, opened.last):  # only now: what was refused above ends nothing
        return _back(opened)
    try:
        payment = pay_bill(context, opened.bill, wish, ACTOR)
    except CustomerIncomplete as error:
        asks = tuple(field.path.removeprefix("customer.") for field in error.errors)
        if not asks:
            return _due(context, opened, "not_taken", sent)
        problem = f"wrong_{asks[0]}" if len(asks) == 1 else "asks_contact"
        return _due(context, opened, problem, replace(sent, asks=asks, wrong=asks))
    except (BillClosed, ConcurrentChange):
        return _back(opened)  # somebody was quicker, the same client's second click most likely
    except Unprocessable:
        return _due(context, opened, "not_taken", sent)
    action = payment.next_action or {}
    if action.get("type") == "redirect":
        return Reply(303, "", headers={"location": str(action["url"])})
    return _back(opened)


def _open(context: Context, call: Call[None]) -> tuple[Context, _Opened | None]:
    keyring = needed(context.settings.pay_link_keys, "PAY_LINK_KEYS")
    bill_id = bill_of_link(keyring, call.target, context.now())
    if bill_id is None:
        return context, None
    bill = bills.get_bill(context.within(EVERY_TENANT).database, bill_id)
    context = context.within(bill.tenant)
    subscription = subscriptions.get_subscription(context.database, bill.subscription_id)
    app = apps.find_app(context.database, bill.app_id)
    assert app is not None
    plan = get_priced(context, bill.app_id, bill.plan).plan
    language = language_of(call.query, call.headers, subscription.renewal.language)
    zone = subscription.renewal.time_zone
    due = Due(
        app=app.name,
        product=bill.product,
        plan=bill.plan,
        interval=plan.interval,
        money=bill.money,
        due_on=bills.local_date(context.database, bill.due_at, zone),
        is_change=bill.kind is BillKind.CHANGE,
        language=language,
    )
    address = f"{context.settings.public_url}/payments/pay/{call.target}?lang={language}"
    last = bill_payments.find_newest(context.database, bill.id)
    return context, _Opened(bill, subscription, last, due, address)


def _page(context: Context, opened: _Opened, *, wants_other: bool, is_back: bool) -> str:
    """The page for the state that the bill and its last payment are in. `is_back`: from a PSP's
    page, by payments/return."""
    bill, last, due = opened.bill, opened.last, opened.due
    if bill.status is BillStatus.PAID:
        return _receipt(context, opened)
    if last is not None and last.status is PaymentStatus.NEEDS_REVIEW:
        return pages.review_page(_due_for(context, opened, last))
    may_leave = wants_other and last is not None and last.status is PaymentStatus.REQUIRES_ACTION
    if last is not None and last.is_open and not (may_leave or is_lost(context, last)):
        refresh_seconds = _refresh_seconds(context.now() - last.created_at)
        asked = _due_for(context, opened, last)
        return pages.waiting_page(
            asked, last.next_action, refresh_seconds=refresh_seconds, is_back=is_back
        )
    if _is_over(context, bill):
        return pages.plain_page(due.language, "over", due.app)
    return _due_page(context, opened, _to_know(last, wants_other=wants_other) if last else None)


def _is_over(context: Context, bill: Bill) -> bool:
    """Whether it can't be paid any more; its link lives on for who is on a PSP's page by now."""
    return bill.status is not BillStatus.OPEN or context.now() >= bill.closes_at


def _refresh_seconds(age: timedelta) -> int | None:
    return next((seconds for until, seconds in _REFRESHES if age < until), None)


def _to_know(last: Payment, *, wants_other: bool) -> str | None:
    """The text that says what became of the last try, or may yet, if there is something to say."""
    if wants_other:
        is_prompt = last.is_open and (last.next_action or {}).get("type") == "await_push"
        return "left_prompt" if is_prompt else None  # no PSP takes a prompt back
    if last.status is PaymentStatus.PENDING:  # its start was lost
        return "psp_unavailable"
    if last.status in UNPAID:
        return pages.reason(last.failure.code if last.failure else None)
    return None


def _receipt(context: Context, opened: _Opened) -> str:
    """Of what was paid: by the last try, or by one before it that was thought to be over."""
    subscription, zone = opened.subscription, opened.subscription.renewal.time_zone
    paid = bill_payments.find_paid(context.database, opened.bill.id)
    if paid is None:
        return pages.plain_page(opened.due.language, "over", opened.due.app)
    is_given_back = paid.status in TAKEN_BACK
    paid_through = None if is_given_back else subscription.dates.at(context.now()).paid_through
    receipt = Receipt(
        money=paid.captured,
        paid_on=bills.local_date(context.database, paid.created_at, zone),
        reference=paid.id,
        paid_through=bills.local_date(context.database, paid_through, zone)
        if paid_through
        else None,
        is_given_back=is_given_back,
    )
    return pages.receipt_page(_due_for(context, opened, paid), receipt)


def _due_for(context: Context, opened: _Opened, payment: Payment) -> Due:
    """What this payment asks for: its bill may have been made anew since."""
    bill = opened.bill
    if payment.plan is None or (payment.plan, payment.money) == (bill.plan, bill.money):
        return opened.due
    interval = get_priced(context, bill.app_id, payment.plan).plan.interval
    return replace(opened.due, plan=payment.plan, interval=interval, money=payment.money)


def _due(
    context: Context,
    opened: _Opened,
    problem: str,
    sent: Sent | None = None,
    *,
    status: int = 422,
) -> Reply:
    return _reply(status, _due_page(context, opened, problem, sent))


def _due_page(
    context: Context, opened: _Opened, problem: str | None, sent: Sent | None = None
) -> str:
    bill = opened.bill
    ways = [
        Way(
            method,
            prompts=prompts_for(context, psp, method),
            saves=offers_to_save(context, psp, method),
        )
        for method, psp in ways_to_pay(context, bill).items()
    ]
    known = open_subscriber(context, bill.subscription_id, bill.app_id)
    digits = known.phone[-3:] if known.phone else None
    return pages.due_page(
        opened.due, ways, after=_after(opened), phone_digits=digits, problem=problem, sent=sent
    )


def _after(opened: _Opened) -> str:
    """The last try that the page's forms know of, as they send it back."""
    return opened.last.id if opened.last else ""


def _back(opened: _Opened) -> Reply:
    """To the page, which says how things stand."""
    return Reply(303, "", headers={"location": opened.link})


def _unknown(call: Call[None]) -> Reply:
    language = language_of(call.query, call.headers)
    return _reply(404, pages.plain_page(language, "unknown"))


def _reply(status: int, html: str) -> Reply:
    return Reply(status, html, headers=dict(HEADERS), content_type=CONTENT_TYPE)
