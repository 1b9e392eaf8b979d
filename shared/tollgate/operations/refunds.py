"""Giving money back: recorded, then asked of the PSP, then settled by what the PSP says."""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tollgate.crash_points import CrashPoint, reach
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.errors import (
    Conflict,
    FieldError,
    IdempotencyKeyInUse,
    InvalidFields,
    NotRefundable,
    PspUnavailable,
    Unavailable,
)
from tollgate.domain.idempotency import StoredAnswer, answer_of
from tollgate.domain.money import Money
from tollgate.domain.outcome import Outcome, RefundOutcome
from tollgate.domain.payment import Failure, Payment, PaymentStatus
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.domain.settling import refund_after
from tollgate.operations import sending
from tollgate.operations.context import Call, Context
from tollgate.operations.settlement import record, record_refusal, settle
from tollgate.storage import idempotency, payments, refunds

if TYPE_CHECKING:
    from tollgate.schemas.refunds import CreateRefund

_REFUNDABLE = (PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED)


_NOT_ASKED = Failure("not_asked", "The PSP could not be reached. Ask for the refund again.")


def refund_payment(context: Context, call: "Call[CreateRefund]") -> StoredAnswer:
    """Gives a paid payment back, wholly or in part, once for its Idempotency-Key."""
    claim, now = call.key_claim, context.now()
    payment = payments.get_payment(context.database, call.target)
    held = idempotency.find_held(context.database, claim.app_id, claim.key)
    if held is None:
        asked = _insert(context, call, payment)
        if asked is not None:
            return _give_back(context, call, payment, asked, again=False)
        held = idempotency.find_held(context.database, claim.app_id, claim.key)
        assert held is not None
    answer = answer_of(held, claim, now)
    if answer is not None:
        return answer
    assert held.refund_id is not None  # the claim is over the function's name too
    asked = refunds.get_refund(context.database, held.refund_id)
    if held.is_removed:  # the answer is forgotten; what it was about is not
        return replace(call.answer(201, asked), replayed=True)
    if not idempotency.take_over(context.database, claim, held, now):
        raise IdempotencyKeyInUse
    return _give_back(context, call, payment, asked, again=True)


def send_refund(
    context: Context, payment: Payment, asked: Refund, actor: str, *, again: bool
) -> Refund:
    """Asks the PSP for a refund that it may not know, and settles; the refund as it then stands.

    Raises PspUnavailable where it is certain that the PSP did nothing.
    """
    refusal = sending.refund(context, payment, asked, again=again)
    return _settle_refund(context, payment, asked, refusal, actor)


def settle_by_hand(context: Context, refund_id: str, actor: str, *, done: bool) -> Refund:
    """An operator tells what became of a refund that the PSP can't tell of; it as it then stands.

    Raises NotFound; Conflict where the PSP tells itself, or has told.
    """
    asked = refunds.get_refund(context.database, refund_id)
    payment = payments.get_payment(context.database, asked.payment_id)
    if context.psp(asked.psp).capabilities.refund is RefundBy.API:
        raise Conflict(f"{asked.psp} tells by itself what became of a refund.")
    if asked.status is not RefundStatus.PENDING:
        raise Conflict(f"This refund is {asked.status} already.")
    if payment.status is PaymentStatus.NEEDS_REVIEW:
        raise Conflict("Its payment is in review: decide about that first.")
    word = RefundOutcome(
        psp_reference=asked.psp_reference or f"by-hand-{asked.id}",
        refund_id=asked.id,
        money=asked.money,
        status=RefundStatus.SUCCEEDED if done else RefundStatus.FAILED,
        failure=None if done else Failure("refused_by_hand", "The money did not go back."),
    )
    record(context, payment, Outcome(PaymentStatus.SUCCEEDED, refunds=(word,)), actor)
    return refunds.get_refund(context.database, refund_id)


def _settle_refund(
    context: Context, payment: Payment, asked: Refund, refusal: Failure | None, actor: str
) -> Refund:
    reach(CrashPoint.REFUND_SENT)
    if refusal is not None:
        failed = refund_after(asked, RefundStatus.FAILED, refusal, context.now())
        record_refusal(context, asked, failed, actor)
    else:
        with contextlib.suppress(PspUnavailable):  # reconcile will hear of it
            settle(context, payment, actor)
    reach(CrashPoint.REFUND_SETTLED)
    return refunds.get_refund(context.database, asked.id)


def _give_back(
    context: Context, call: "Call[CreateRefund]", payment: Payment, asked: Refund, *, again: bool
) -> StoredAnswer:
    """Sends the refund unless the PSP is known to have it, and keeps the answer."""
    reach(CrashPoint.REFUND_CLAIMED)
    if asked.status is RefundStatus.PENDING and asked.psp_reference is None:
        try:
            refusal = sending.refund(context, payment, asked, again=again)
        except Unavailable:
            # certain: nothing went back. The next try with this key may go on at once.
            if context.psp(asked.psp).capabilities.refund is not RefundBy.REQUEST:
                idempotency.release(context.database, call.key_claim, context.now())
                raise
            refusal = _NOT_ASKED  # there is no next try where people are asked once
        asked = _settle_refund(context, payment, asked, refusal, call.caller.actor)
    unknown = asked.status is RefundStatus.PENDING and asked.psp_reference is None
    answer = call.answer(202 if unknown else 201, asked)
    kept = idempotency.store_answer(context.database, call.key_claim, answer)
    reach(CrashPoint.REFUND_ANSWERED)
    return kept


def _insert(context: Context, call: "Call[CreateRefund]", payment: Payment) -> Refund | None:
    """The refund, recorded; None when its key is taken. Raises NotRefundable, InvalidFields."""
    now, database, claim = context.now(), context.database, call.key_claim
    with database.transaction():
        payment = payments.lock_payment(database, payment.id)
        if idempotency.find_held(database, claim.app_id, claim.key) is not None:
            return None  # the same request was quicker: what it reserved is not in this one's way
        if payment.status not in _REFUNDABLE:
            raise NotRefundable(f"A payment that is {payment.status} can't be refunded.")
        asked = Refund(
            id=context.new_id("ref"),
            app_id=payment.app_id,
            payment_id=payment.id,
            psp=payment.psp,
            money=_amount(call.content, payment, refunds.list_of_payment(database, payment.id)),
            status=RefundStatus.PENDING,
            version=1,
            created_at=now,
            updated_at=now,
            reason=call.content.reason,
        )
        inserted = refunds.insert_claimed(database, asked, claim, actor=call.caller.actor, now=now)
    return asked if inserted else None


def _amount(request: "CreateRefund", payment: Payment, known: tuple[Refund, ...]) -> Money:
    """How much goes back: what was asked, or all that is left."""
    if request.currency is not None and request.currency != payment.money.currency:
        message = f"A refund is in the currency of its payment: {payment.money.currency}."
        raise InvalidFields(errors=(FieldError("currency", message),))
    reserved = sum(r.money.amount_minor for r in known if r.status is not RefundStatus.FAILED)
    left = payment.amount_captured_minor - reserved
    if left <= 0:
        raise NotRefundable("All of this payment is refunded, or on its way back.")
    if request.amount is not None and request.amount > left:
        message = f"No more than {left} can be refunded: what was taken, less earlier refunds."
        raise InvalidFields(errors=(FieldError("amount", message),))
    return Money(request.amount or left, payment.money.currency)
