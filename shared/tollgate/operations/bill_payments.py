"""Payments of bills: tried by us with what the client let the app keep, or by the client."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.bill import Bill
from tollgate.domain.errors import (
    BillClosed,
    ConcurrentChange,
    ConstraintViolated,
    Unavailable,
    Unprocessable,
)
from tollgate.domain.idempotency import Claim
from tollgate.domain.order import Customer
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, Method, Payment, PaymentStatus
from tollgate.domain.routing import psps_in_order
from tollgate.logs import log
from tollgate.operations import sending
from tollgate.operations.context import Context
from tollgate.operations.customers import open_subscriber, seal_customer
from tollgate.operations.payments import PAYABLE_HOURS
from tollgate.operations.routing import first_able
from tollgate.operations.settlement import record
from tollgate.storage import apps, bill_payments, payments, saved_methods

BEING_PAID = timedelta(hours=1)
"""For so long after a page was opened its client may be paying on it."""
_NOT_STARTED = Failure("psp_unavailable", "The PSP could not be reached. Nothing was charged.")


@dataclass(frozen=True)
class Try:
    """One try to pay a bill. `saved` are what may be charged, by PSP; without them the client is
    there, and `psps` may take what it pays by this method. `return_url` is where it comes back."""

    psps: tuple[str, ...]
    customer: Customer
    method: Method | None = None
    saved: Mapping[str, str] = field(default_factory=dict)
    return_url: str | None = None
    save_method: bool = False


def list_saved(context: Context, bill: Bill) -> Mapping[str, str]:
    """What the client let the app keep, by PSP, in the order in which they are tried; but for what
    will never do, as its PSP said when it was charged for this bill or for one before it."""
    newest = saved_methods.list_newest(context.database, bill.app_id, bill.client_id)
    refused = saved_methods.list_refused(context.database, bill.app_id, bill.client_id)
    kept = {psp: saved_id for psp, saved_id in newest if saved_id not in refused}
    psps = [psp for psp in psps_for(context, bill, None) if psp in kept]
    return {psp: kept[psp] for psp in (*psps, *kept)}


def is_being_paid(context: Context, bill: Bill) -> bool:
    """Whether another payment may pay for the same: what is charged or asked for beside it could be
    one too many."""
    now = context.now()
    return bill_payments.is_under_way(context.database, bill, now - BEING_PAID, now)


def charge_saved(
    context: Context, bill: Bill, saved: Mapping[str, str], actor: str
) -> Payment | None:
    """Charges what the client let the app keep (`list_saved`), for a bill that is not being paid;
    the payment as it then stands. None where there is nothing to charge, or no PSP can. Raises
    BillClosed, ConcurrentChange."""
    if not saved:
        return None
    customer = open_subscriber(context, bill.subscription_id, bill.app_id)
    try:
        return pay_bill(context, bill, Try(tuple(saved), customer, saved=saved), actor)
    except Unprocessable as refusal:
        log("bill.not_chargeable", bill_id=bill.id, code=refusal.code)
        return None


def is_app_there(context: Context, bill: Bill) -> bool:
    """Whether the bill's app was not deleted."""
    app = apps.find_app(context.database, bill.app_id)
    return app is not None and app.deleted_at is None


def psps_for(context: Context, bill: Bill, method: Method | None) -> tuple[str, ...]:
    """Who may take this bill by this method, in the app's order."""
    app = apps.find_app(context.database, bill.app_id)
    assert app is not None
    return psps_in_order(app.routing, app.default_psp, bill.money.currency, method)


def pay_bill(context: Context, bill: Bill, wish: Try, actor: str) -> Payment:
    """Starts one payment of an open bill that has no other one open; as it then stands.

    Three steps, as for any payment: recorded, asked of the PSP with no transaction open, recorded
    again; whoever dies on the way leaves it to reconcile. Raises BillClosed, ConcurrentChange,
    an Unprocessable that names what the PSPs support.
    """

    def prepare(psp: str) -> Payment:
        payment = _recordable(context, bill, wish, psp)
        sending.check(context, payment, wish.customer)
        return payment

    if not is_app_there(context, bill):
        raise BillClosed
    payment = first_able(context, wish.psps, prepare)
    _insert(context, bill, payment, wish, actor)
    reach(CrashPoint.BILL_CLAIMED)
    try:
        outcome = sending.start(context, payment, wish.customer, again=False)
    except Unavailable:
        # certain: nothing was charged
        outcome = Outcome(PaymentStatus.FAILED, failure=_NOT_STARTED)
    reach(CrashPoint.BILL_STARTED)
    payment = record(context, payment, outcome, actor)
    reach(CrashPoint.BILL_RECORDED)
    return payment


def _recordable(context: Context, bill: Bill, wish: Try, psp: str) -> Payment:
    now = context.now()
    return Payment(
        id=context.new_id("pay"),
        app_id=bill.app_id,
        client_id=bill.client_id,
        money=bill.money,
        status=PaymentStatus.PENDING,
        psp=psp,
        livemode=bill.livemode,
        version=1,
        created_at=now,
        updated_at=now,
        expires_at=now.replace(microsecond=0) + timedelta(hours=PAYABLE_HOURS),
        method=wish.method,
        saved_method_id=wish.saved.get(psp),
        save_method=wish.save_method,
        plan=bill.plan,
        product=bill.product,
        bill_id=bill.id,
        return_url=wish.return_url,
        cancel_url=wish.return_url,
    )


def _insert(context: Context, bill: Bill, payment: Payment, wish: Try, actor: str) -> None:
    """Its key is its own id: what pays a bill only once is that it has one open payment."""
    customer = seal_customer(context, payment, wish.customer)
    claim = Claim(bill.app_id, payment.id, hashlib.sha256(payment.id.encode()).digest())
    try:
        payments.insert_claimed(
            context.database, payment, customer, claim, actor=actor, now=context.now()
        )
    except ConstraintViolated as error:
        if error.constraint == "one_open_payment_per_bill":
            raise ConcurrentChange from None
        if error.constraint == "payment_is_of_its_bill":
            raise BillClosed from None
        raise
