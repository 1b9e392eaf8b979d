"""Reconcile: what nobody waits for any more is settled here.

Works through the payments that are due, in slices: finishes what a dead caller began, asks again
for what was asked, ends what nobody paid. What can't be settled stays due, ever less often, and is
reported.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.bill import BillStatus
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.checks import DISPUTE_PAUSE, LATE_AT_MOST
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import (
    ConcurrentChange,
    InternalError,
    Misconfigured,
    PspUnavailable,
    UnsupportedPsp,
)
from tollgate.domain.idempotency import KEPT_DAYS
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import UNPAID, Failure, Payment, PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.refund import RefundStatus
from tollgate.logs import log
from tollgate.operations import sending
from tollgate.operations.captures import end_here, withdraw
from tollgate.operations.context import Context
from tollgate.operations.customers import open_customer
from tollgate.operations.refunds import send_refund
from tollgate.operations.settlement import flag, plan_check, record, settle
from tollgate.storage import bills, checks, disputes, idempotency, payments, refunds

BATCH = 20
PURGE_BATCH = 1000
FAILURES_OF_A_PSP = 3
"""After so many in a row the PSP is taken for down, and left alone for the rest of the slice."""
LATE = timedelta(minutes=10)
"""How long after its time to pay a page may stay open before we close it."""
_ACTOR = "reconcile"


@dataclass
class _Report:
    """What a slice did. `unsettled` names payments whose PSP could not tell."""

    looked_at: int = 0
    settled: int = 0
    unsettled: list[str] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)

    def is_down(self, psp: str) -> bool:
        return self.failures[psp] >= FAILURES_OF_A_PSP


_NOBODY_KNOWS = Failure(
    "nobody_knows", "The PSP can't say whether it took this payment. Look in its own pages."
)


def reconcile_payments(context: Context, has_time: Callable[[], bool]) -> dict[str, Any]:
    """One slice of it, for as long as there is time; what it did, as JSON.

    `looked_at`, `settled` (nothing about it is open any more), `unsettled` (the PSP could not
    tell: their ids), `due` (what is left for the next slice), `keys_removed`.
    """
    every = context.within(EVERY_TENANT)
    report = _Report()
    while has_time():
        due = checks.claim_due(every.database, context.now(), BATCH)
        if not due:
            break
        reach(CrashPoint.RECONCILE_CLAIMED)
        for payment_id in due:
            if not has_time():
                break  # its claim ends within a minute
            _look_at(context, payments.get_payment(every.database, payment_id), report)
    return {
        "looked_at": report.looked_at,
        "settled": report.settled,
        "unsettled": report.unsettled,
        "due": checks.count_due(every.database, context.now()),
        "keys_removed": _remove_keys(every, has_time),
    }


def _remove_keys(every: Context, has_time: Callable[[], bool]) -> int:
    long_ago, removed, more = every.now() - timedelta(days=KEPT_DAYS), 0, True
    while more:
        batch = idempotency.delete_old(every.database, long_ago, PURGE_BATCH)
        removed += batch
        more = batch == PURGE_BATCH and has_time()
    return removed


def _look_at(context: Context, payment: Payment, report: _Report) -> None:
    if report.is_down(payment.psp):
        report.unsettled.append(payment.id)
        return
    report.looked_at += 1
    context = context.within(payment.tenant)
    try:
        payment = _advance(context, payment)
    except ConcurrentChange:
        return  # somebody else has it in hand
    except (PspUnavailable, UnsupportedPsp, Misconfigured, InternalError) as error:
        # what the database refuses says nothing of the PSP, nor does one that is only watched: they
        # hold up no other payment
        only_watched = payment.status in UNPAID
        report.failures[payment.psp] += not (isinstance(error, InternalError) or only_watched)
        report.unsettled.append(payment.id)
        if only_watched and plan_check(context, payment) is None:  # long enough
            checks.end_checks(context.database, payment.id, payment.version)
        log("reconcile.unsettled", payment_id=payment.id, psp=payment.psp, code=error.code)
        return
    report.failures[payment.psp] = 0
    reach(CrashPoint.RECONCILE_SETTLED)
    _plan_next_check(context, payment, report)


def _plan_next_check(context: Context, payment: Payment, report: _Report) -> None:
    """None for what is over, rarely for a dispute that is open, or where the client may still pay
    on a page that is over for us; the others were planned when they were claimed."""
    if payment.is_open:
        return
    if payment.status in UNPAID:
        until = plan_check(context, payment)
        over = checks.end_checks(context.database, payment.id, payment.version, until=until)
        report.settled += over or until is not None
        return
    disputed = disputes.list_of_payment(context.database, payment.id)
    if any(dispute.status is DisputeStatus.OPEN for dispute in disputed):
        later = context.now() + DISPUTE_PAUSE
        checks.end_checks(context.database, payment.id, payment.version, until=later)
    elif checks.end_checks(context.database, payment.id, payment.version):
        report.settled += 1


def _advance(context: Context, payment: Payment) -> Payment:
    """Brings one payment as far as it goes now. Raises PspUnavailable."""
    if payment.is_open and payment.psp_reference is None:
        return _finish_start(context, payment)
    if payment.psp_reference is None:
        return payment
    payment = settle(context, payment, _ACTOR)
    if payment.is_open:
        return _ask_again(context, payment)
    if context.psp(payment.psp).capabilities.refund is not RefundBy.API:
        return payment  # people decide: it was asked, or an operator tells
    for asked in refunds.list_of_payment(context.database, payment.id):
        if asked.status is RefundStatus.PENDING and asked.psp_reference is None:
            _refund_again(context, payment, asked.id)
    return payments.get_payment(context.database, payment.id)


def _finish_start(context: Context, payment: Payment) -> Payment:
    """Opens a payment whose caller died or never heard the PSP's answer; ends it when it is too
    late for that, or nobody wants it any more, and the PSP knows none."""
    if context.now() >= payment.expires_at or _is_unwanted(context, payment):
        try:
            payment = settle(context, payment, _ACTOR)
        except PspUnavailable:
            too_late = context.now() >= payment.expires_at + LATE_AT_MOST
            if not (payment.is_off_session and too_late):
                raise
            doubtful = Outcome(PaymentStatus.NEEDS_REVIEW)
            return flag(context, payment, doubtful, _NOBODY_KNOWS)
        if payment.is_open and payment.psp_reference is None:
            return record(context, payment, Outcome(PaymentStatus.EXPIRED), _ACTOR)
        return payment
    if not idempotency.take_over_sending(context.database, payment.id, None, context.now()):
        return payment
    customer = open_customer(context, payment)
    outcome = sending.start(context, payment, customer, again=True)
    if outcome.status is PaymentStatus.PENDING:
        raise PspUnavailable
    reach(CrashPoint.RECONCILE_STARTED)
    payment = record(context, payment, outcome, _ACTOR)
    idempotency.release_sending(context.database, payment.id, None, context.now())
    return payment


def _is_unwanted(context: Context, payment: Payment) -> bool:
    """Whether what the client let the app keep was to be charged for a bill that is closed, or asks
    for something else: it left meanwhile, paid in another way, or chose another plan."""
    if payment.bill_id is None or not payment.is_off_session:
        return False
    bill = bills.get_bill(context.database, payment.bill_id)
    is_asked_for = (bill.plan, bill.money) == (payment.plan, payment.money)
    return bill.status is not BillStatus.OPEN or not is_asked_for


def _ask_again(context: Context, payment: Payment) -> Payment:
    """What the app asked for and did not get yet, unless the PSP refuses it; and that a page is
    closed that nobody paid on."""
    wants_capture = payment.capture_amount_minor is not None
    late = context.now() >= payment.expires_at + LATE
    if payment.status is PaymentStatus.AUTHORIZED and wants_capture:
        refusal = sending.capture(context, payment)
    elif payment.cancel_asked_at is not None:
        refusal = sending.cancel(context, payment)
    elif payment.status is PaymentStatus.REQUIRES_ACTION and late:
        sending.cancel(context, payment)
        refusal = None  # whatever it says: nobody waits for this
    else:
        return payment
    payment = settle(context, payment, _ACTOR)
    if payment.is_open and not wants_capture and refusal is None:
        # one that was asked to be canceled is canceled by this too
        return end_here(context, payment, PaymentStatus.EXPIRED, _ACTOR)
    if refusal is not None and payment.is_open:
        withdraw(context, payment, _ACTOR)
    return payment


def _refund_again(context: Context, payment: Payment, refund_id: str) -> None:
    now = context.now()
    if idempotency.take_over_sending(context.database, payment.id, refund_id, now):
        asked = refunds.get_refund(context.database, refund_id)
        if asked.status is RefundStatus.PENDING and asked.psp_reference is None:
            send_refund(context, payment, asked, _ACTOR, again=True)
            reach(CrashPoint.RECONCILE_REFUNDED)
        idempotency.release_sending(context.database, payment.id, refund_id, now)
