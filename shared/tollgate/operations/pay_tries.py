"""The tries to pay a bill on its page: at most one at a time can be paid."""

from datetime import timedelta

from tollgate.domain.bill import Bill
from tollgate.domain.errors import NotCancelable, PspUnavailable, RefusedByPsp
from tollgate.domain.idempotency import LOCK_SECONDS
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import UNPAID, Payment, PaymentStatus
from tollgate.domain.settling import apply
from tollgate.operations.captures import end_payment
from tollgate.operations.context import Context
from tollgate.operations.pay_ways import prompts_for
from tollgate.operations.settlement import ask_psp, save_locked
from tollgate.storage import bill_payments, payments

ACTOR = "client"
_TRIES_AN_HOUR = 10
PAUSE_SECONDS = 3600
"""How long whoever tried too often within an hour is asked to wait."""


def is_tired(context: Context, bill: Bill) -> bool:
    """Whether the client tried it too often within the last hour."""
    since = context.now() - timedelta(hours=1)
    return bill_payments.count_since(context.database, bill.id, since) >= _TRIES_AN_HOUR


def make_room(context: Context, last: Payment | None) -> bool:
    """Whether the last payment of a bill can't be paid any more, once that was asked for."""
    if last is None or not last.is_open:
        return last is None or last.status is not PaymentStatus.NEEDS_REVIEW
    last = ask_psp(context, last, pause_seconds=1)
    if last.status is PaymentStatus.REQUIRES_ACTION:
        try:
            last = end_payment(context, last.id, ACTOR)
        except (NotCancelable, RefusedByPsp, PspUnavailable):
            return False
    elif is_lost(context, last):
        last = _end_lost(context, last)
    return last.status in UNPAID


def is_lost(context: Context, payment: Payment) -> bool:
    """Whether nobody can pay it: it is paid on a page, and the page's address was lost with the
    answer to its opening. Whoever opens it, or opens it again, records the address before anybody
    is led there.

    A prompt needs no address: it may reach the phone yet. What is charged off session needs
    nobody.
    """
    return (
        payment.status is PaymentStatus.PENDING
        and payment.psp_reference is None
        and not payment.is_off_session
        and context.now() >= payment.created_at + timedelta(seconds=LOCK_SECONDS)
        and not prompts_for(context, payment.psp, payment.method)
    )


def _end_lost(context: Context, payment: Payment) -> Payment:
    """Ends it here, so that an address that is heard of later leads nobody to its page; as it then
    stands."""
    with context.database.transaction():
        locked = payments.lock_payment(context.database, payment.id)
        if locked.version != payment.version:
            return locked  # its page was heard of meanwhile
        ended = apply(locked, Outcome(PaymentStatus.CANCELED), context.now())
        return save_locked(context, locked, ended, ACTOR)
