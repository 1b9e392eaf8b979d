"""Settle: the one routine by which the PSP's word becomes our truth.

Webhook, customer's return, reading, reconcile and the paid-check all come here, and whoever asked
the PSP for something. None of them is believed: each is a hint to read the PSP, and what it says is
applied under the payment's row lock.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.capabilities import CancelBy
from tollgate.domain.checks import next_check
from tollgate.domain.errors import Misconfigured, PspUnavailable, UnsupportedPsp
from tollgate.domain.events import REFUND_EVENTS, payment_event
from tollgate.domain.idempotency import LOCK_SECONDS
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import UNPAID, Capture, Failure, Payment, PaymentStatus
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.domain.settling import FollowUp, apply, follow_up, mismatch
from tollgate.logs import log
from tollgate.operations.context import Context
from tollgate.operations.periods import follow_money, grant_period
from tollgate.storage import (
    access_cache,
    disputes,
    payments,
    psp_references,
    refunds,
    saved_methods,
)
from tollgate.storage.subscriptions import ClientDates

ASK_PAUSE_SECONDS = 10
"""Reads of an open payment ask the PSP about it at most this often, all together: longer than the
PSP's answer usually takes. Two askers at once are needless, and harmless."""

FETCHES = 3
"""How often the PSP is read in one go, when others record its words meanwhile."""


def settle(
    context: Context, payment: Payment, actor: str, psp_reference: str | None = None
) -> Payment:
    """Reads the PSP and applies what it says; the payment as it then stands.

    `psp_reference` serves where the row has none yet, because the answer to our create was lost;
    without either the PSP is asked by our own reference. Safe at any time, in any order, any number
    of times. Raises PspUnavailable, also when the PSP says what this adapter does not know;
    DatabaseUnavailable.
    """
    for _ in range(FETCHES):
        outcome = _fetch(context, payment, payment.psp_reference or psp_reference)
        if outcome is None:
            return payment
        if _is_ours_to_take(payment, outcome):
            outcome = _take(context, payment, outcome)
        if outcome.status is PaymentStatus.PENDING:
            raise PspUnavailable
        reach(CrashPoint.SETTLE_FETCHED)
        try:
            return _record(context, payment, outcome, actor)
        except _Outrun:  # somebody recorded a word that may be newer than this one
            payment = payments.get_payment(context.within(payment.tenant).database, payment.id)
    raise PspUnavailable


def _fetch(context: Context, payment: Payment, reference: str | None) -> Outcome | None:
    """What the PSP says now; no transaction is open here."""
    psp = context.psp(payment.psp)
    if reference is None:
        return psp.find(payment.id, payment.created_at, payment.is_off_session)
    return psp.fetch(reference)


def _is_ours_to_take(payment: Payment, outcome: Outcome) -> bool:
    """Whether the client agreed, and the PSP waits for us to take the money, which the app wants
    as soon as that. Not what was ended meanwhile, and nothing but what was asked."""
    return (
        outcome.status is PaymentStatus.AUTHORIZED
        and payment.capture is Capture.AUTOMATIC
        and payment.is_open
        and payment.cancel_asked_at is None
        and mismatch(payment, outcome) is None
    )


def _take(context: Context, payment: Payment, agreed: Outcome) -> Outcome:
    """What the PSP says after it was asked to take the money; no transaction is open here."""
    assert agreed.psp_reference is not None
    psp = context.psp(payment.psp)
    refusal = psp.capture(agreed.psp_reference, payment.money, f"tollgate-{payment.id}-take")
    outcome = psp.fetch(agreed.psp_reference)
    if refusal is not None and outcome.status is PaymentStatus.AUTHORIZED:
        return replace(outcome, status=PaymentStatus.FAILED, failure=refusal, next_action=None)
    return outcome


def flag(context: Context, payment: Payment, outcome: Outcome, failure: Failure) -> Payment:
    """Puts a payment into review because of what a PSP said; the payment as it then stands."""
    doubtful = replace(outcome, status=PaymentStatus.NEEDS_REVIEW, failure=failure)
    return record(context, payment, doubtful, f"psp:{payment.psp}")


def record(context: Context, payment: Payment, outcome: Outcome, actor: str) -> Payment:
    """Applies what the PSP answered when it was asked to start `payment`; the payment as it then
    stands."""
    try:
        return _record(context, payment, outcome, actor)
    except _Outrun:  # somebody else has read the PSP since
        return payments.get_payment(context.within(payment.tenant).database, payment.id)


def _record(context: Context, payment: Payment, outcome: Outcome, actor: str) -> Payment:
    """Applies what the PSP said after `payment` was read, with all that follows from it; the
    payment as it then stands. Raises _Outrun."""
    nothing_new = apply(payment, outcome, context.now()) is payment
    if nothing_new and not _tells_more(payment, outcome) and not _was_reviewed(payment, outcome):
        return payment
    context = context.within(payment.tenant)
    with context.database.transaction():
        recorded, granted = _record_locked(context, payment, outcome, actor)
        reach(CrashPoint.SETTLE_WRITTEN)
    reach(CrashPoint.SETTLE_COMMITTED)
    if granted:  # only now that it is committed
        access_cache.put_dates(context.cache, payment.app_id, payment.client_id, granted)
    return recorded


def ask_psp(
    context: Context, payment: Payment, *, pause_seconds: int = ASK_PAUSE_SECONDS
) -> Payment:
    """Settles an open payment on a reader's behalf, unless one asked just now; else as it stands.

    A PSP that can't be read leaves the payment as it is: the reader gets what we know.
    """
    now = context.now()
    started = payment.psp_reference is not None
    if not payment.is_open or (
        not started and now < payment.created_at + timedelta(seconds=LOCK_SECONDS)
    ):
        return payment  # nothing to ask, or whoever starts it may still be at it
    context = context.within(payment.tenant)  # the reader may be a client, who writes nothing
    if not payments.claim_question(context.database, payment.id, now, pause_seconds):
        return payment
    try:
        return settle(context, payment, actor="reader")
    except (PspUnavailable, UnsupportedPsp, Misconfigured):
        return payment


def record_refusal(context: Context, refund: Refund, failed: Refund, actor: str) -> None:
    """Keeps that the PSP refused a refund, unless it was heard otherwise meanwhile."""
    with context.database.transaction():
        payments.lock_payment(context.database, refund.payment_id)
        if refunds.get_refund(context.database, refund.id).version == refund.version:
            _save_refund(context, refund, failed, actor)


def _tells_more(payment: Payment, outcome: Outcome) -> bool:
    """Whether the PSP speaks of what becomes of a payment after it is paid."""
    new_fee = payment.fee is None and outcome.fee is not None
    return payment.is_paid and bool(outcome.refunds or outcome.disputes or new_fee)


def _was_reviewed(payment: Payment, outcome: Outcome) -> bool:
    """Whether it is paid by an operator's word, so that the PSP's names of it may be news."""
    return payment.is_paid and payment.review is not None and bool(outcome.references)


class _Outrun(Exception):
    """The payment moved between the PSP's word and its row's lock."""


def _record_locked(
    context: Context, read: Payment, outcome: Outcome, actor: str
) -> tuple[Payment, ClientDates | None]:
    """The change itself, in the caller's transaction, against the row as it stands now.

    Refunds and disputes go to and fro, so an old word about them must not follow a newer one.
    """
    payment = payments.lock_payment(context.database, read.id)
    reach(CrashPoint.SETTLE_LOCKED)
    if payment.version != read.version and _tells_more(payment, outcome):
        raise _Outrun
    after, granted = apply(payment, outcome, context.now()), None
    if after is not payment:
        if after.status is PaymentStatus.SUCCEEDED and after.plan is not None:
            after, granted = grant_period(context, after, actor)
            reach(CrashPoint.SETTLE_GRANTED)
        payment = save_locked(context, payment, after, actor)
        _keep_names(context, payment, outcome)
    elif _was_reviewed(payment, outcome):
        _keep_names(context, payment, outcome)
    if _tells_more(payment, outcome):
        payment, changed = _follow_up_locked(context, payment, outcome, actor)
        granted = changed or granted
    return payment, granted


def _keep_names(context: Context, payment: Payment, outcome: Outcome) -> None:
    """The PSP's other names of the payment, and what it was paid with, if the client agreed."""
    if outcome.references:
        psp_references.insert_references(context.database, payment, outcome.references)
    if payment.save_method and payment.is_paid and outcome.saved_method is not None:
        saved_methods.insert_saved_method(
            context.database, context.new_id("met"), payment, outcome.saved_method, context.now()
        )


def _follow_up_locked(
    context: Context, payment: Payment, outcome: Outcome, actor: str
) -> tuple[Payment, ClientDates | None]:
    known = FollowUp(
        payment,
        refunds.list_of_payment(context.database, payment.id),
        disputes.list_of_payment(context.database, payment.id),
    )
    now = follow_up(known, outcome, context.now(), context.new_id)
    before = {refund.id: refund for refund in known.refunds}
    moved = [refund for refund in now.refunds if before.get(refund.id) is not refund]
    for refund in moved:
        _save_refund(context, before.get(refund.id), refund, actor)
    changed = [dispute for dispute in now.disputes if dispute not in known.disputes]
    for dispute in changed:
        disputes.save_dispute(context.database, dispute, actor=actor)
    if now.payment is payment and not moved and not changed:
        return payment, None
    granted = None
    if now.payment.is_paid:
        granted = follow_money(context, payment, now.payment, actor)
    # also where only a refund moved: its version tells that this word was heard
    saved = save_locked(
        context,
        payment,
        replace(now.payment, updated_at=context.now()),
        actor,
        look_again=any(refund.status is RefundStatus.PENDING for refund in now.refunds),
        dispute_moved=bool(changed),
    )
    return saved, granted


def save_locked(
    context: Context,
    before: Payment,
    after: Payment,
    actor: str,
    *,
    action: str | None = None,
    note: str | None = None,
    look_again: bool = False,
    dispute_moved: bool = False,
) -> Payment:
    """Writes a payment whose row the caller holds, with its event and audit row; as it stands."""
    if after.status is PaymentStatus.NEEDS_REVIEW and after.failure is not None:
        log("payment.needs_review", alert=True, payment_id=after.id, code=after.failure.code)
    saved = payments.save_payment(
        context.database,
        before,
        after,
        event_id=context.new_id("evt"),
        event_type=payment_event(before, after, dispute_moved=dispute_moved),
        event_data=payment_event_data(after),
        actor=actor,
        action=action,
        note=note,
        next_check_at=plan_check(context, after, look_again=look_again),
    )
    assert saved.moved, "the row is locked, so its version can't have moved"
    return replace(after, version=before.version + 1)


def plan_check(context: Context, payment: Payment, *, look_again: bool = False) -> datetime | None:
    """When reconcile looks at it next; None: never."""
    final = True
    if payment.status in UNPAID:
        can = context.psp(payment.psp).capabilities
        # what ended here may have been taken by us there, at that very moment
        final = can.ends_are_final and can.cancel is CancelBy.API
    return next_check(payment, context.now(), look_again=look_again, ends_are_final=final)


def _save_refund(context: Context, before: Refund | None, after: Refund, actor: str) -> None:
    moved = before is None or before.status is not after.status
    refunds.save_refund(
        context.database,
        after,
        event_id=context.new_id("evt"),
        event_type=REFUND_EVENTS.get(after.status) if moved else None,
        event_data=_refund_event_data(after),
        actor=actor,
    )


def payment_event_data(payment: Payment) -> str:
    """What an event tells of a payment, as JSON text: no metadata, no personal data."""
    return json.dumps(
        {
            "payment_id": payment.id,
            "client_id": payment.client_id,
            "status": payment.status,
            "amount": payment.money.amount_minor,
            "amount_captured": payment.amount_captured_minor,
            "amount_refunded": payment.amount_refunded_minor,
            "currency": payment.money.currency,
            "plan": payment.plan,
            "product": payment.product,
            "subscription_id": payment.subscription_id,
        }
    )


def _refund_event_data(refund: Refund) -> str:
    """What an event tells of a refund, as JSON text."""
    return json.dumps(
        {
            "refund_id": refund.id,
            "payment_id": refund.payment_id,
            "status": refund.status,
            "amount": refund.money.amount_minor,
            "currency": refund.money.currency,
            "failure": refund.failure and refund.failure.code,
        }
    )
