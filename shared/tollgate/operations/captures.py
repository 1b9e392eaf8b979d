"""Taking the money of an authorized payment, and ending one that has not been paid.

What the app wants is written down before the PSP is asked for it: if the answer is lost, reconcile
asks again.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from tollgate.domain.errors import (
    FieldError,
    InvalidFields,
    NotCancelable,
    NotCapturable,
    PspUnavailable,
    RefusedByPsp,
)
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import UNPAID, Capture, Payment, PaymentStatus
from tollgate.domain.settling import apply
from tollgate.operations import sending
from tollgate.operations.context import Call, Context, Reply
from tollgate.operations.settlement import ask_psp, save_locked, settle
from tollgate.storage import payments

if TYPE_CHECKING:
    from tollgate.schemas.payments import CapturePayment


_UNPAID_SO_FAR = (PaymentStatus.REQUIRES_ACTION, PaymentStatus.AUTHORIZED)


def capture_payment(context: Context, call: "Call[CapturePayment]") -> Reply:
    """Takes all of an authorized payment, or a part and lets go of the rest.

    Again with the same amount is answered by how the payment stands. 202 when the PSP's answer is
    not known. Raises NotCapturable, InvalidFields, RefusedByPsp.
    """
    payment = payments.get_payment(context.database, call.target)
    amount_minor = _amount(call.content, payment)
    if payment.is_paid and payment.capture_amount_minor == amount_minor:
        return Reply(200, payment)
    wanted = _ask_to_capture(context, payment.id, amount_minor, call.caller.actor)
    refusal = sending.capture(context, wanted)
    payment = _settled(context, wanted, call.caller.actor)
    if refusal is not None and not payment.is_paid:
        withdraw(context, wanted, call.caller.actor)
        raise RefusedByPsp(refusal.message)
    return Reply(202 if payment.is_open else 200, payment)


def cancel_payment(context: Context, call: Call[None]) -> Reply:
    """Ends a payment that has not been paid.

    Again is answered by how the payment stands. 202 when the PSP's answer is not known. Raises
    NotCancelable, RefusedByPsp.
    """
    payment = ask_psp(context, payments.get_payment(context.database, call.target))
    if payment.status is PaymentStatus.CANCELED:
        return Reply(200, payment)
    payment = end_payment(context, payment.id, call.caller.actor)
    if not payment.is_open and payment.status not in UNPAID:
        raise NotCancelable("It was paid before it could be canceled. Refund it instead.")
    return Reply(202 if payment.is_open else 200, payment)


def end_payment(context: Context, payment_id: str, actor: str) -> Payment:
    """Asks to end a payment that has not been paid; as it then stands, which may be open while the
    PSP's answer is not known. Raises NotCancelable, RefusedByPsp."""
    wanted = _ask_to_cancel(context, payment_id, actor)
    refusal = sending.cancel(context, wanted)
    payment = _settled(context, wanted, actor, ends=refusal is None)
    if refusal is not None and payment.is_open:
        withdraw(context, wanted, actor)
        raise RefusedByPsp(refusal.message)
    return payment


def _amount(request: "CapturePayment", payment: Payment) -> int:
    whole = payment.money.amount_minor
    amount_minor = request.amount if request.amount is not None else whole
    if amount_minor > whole:
        message = f"No more than {whole} was authorized."
        raise InvalidFields(errors=(FieldError("amount", message),))
    if amount_minor < whole and payment.plan is not None:
        raise InvalidFields(errors=(FieldError("amount", "A plan is paid for as a whole."),))
    return amount_minor


def _ask_to_capture(context: Context, payment_id: str, amount_minor: int, actor: str) -> Payment:
    with context.database.transaction():
        payment = payments.lock_payment(context.database, payment_id)
        if payment.status is not PaymentStatus.AUTHORIZED or payment.cancel_asked_at is not None:
            raise NotCapturable
        if payment.capture is not Capture.MANUAL:
            raise NotCapturable("This payment is captured by itself, as a whole.")
        if payment.capture_amount_minor == amount_minor:
            return payment
        if payment.capture_amount_minor is not None:
            raise NotCapturable("Another amount of this payment is being captured.")
        wanted = replace(payment, capture_amount_minor=amount_minor, updated_at=context.now())
        return save_locked(context, payment, wanted, actor, action="payment.capture_asked")


def _ask_to_cancel(context: Context, payment_id: str, actor: str) -> Payment:
    with context.database.transaction():
        payment = payments.lock_payment(context.database, payment_id)
        if not payment.is_open or payment.capture_amount_minor is not None:
            raise NotCancelable
        if payment.psp_reference is None:
            raise NotCancelable("The PSP has not answered yet. Try again in a minute.")
        if payment.cancel_asked_at is not None:
            return payment
        wanted = replace(payment, cancel_asked_at=context.now(), updated_at=context.now())
        return save_locked(context, payment, wanted, actor, action="payment.cancel_asked")


def _settled(context: Context, payment: Payment, actor: str, *, ends: bool = False) -> Payment:
    """As the PSP says that it stands; `ends` what it says is unpaid, where it can't itself."""
    try:
        payment = settle(context, payment, actor)
    except PspUnavailable:
        return payment  # reconcile will hear of it
    if ends and payment.is_open:
        return end_here(context, payment, PaymentStatus.CANCELED, actor)
    return payment


def end_here(context: Context, payment: Payment, status: PaymentStatus, actor: str) -> Payment:
    """Ends a payment that the PSP has just called unpaid, where the PSP ends none when it is asked;
    as it then stands. Should the PSP take the money all the same, its word that it did wins.
    """
    if not sending.ends_here(context, payment) or payment.status not in _UNPAID_SO_FAR:
        return payment
    with context.database.transaction():
        locked = payments.lock_payment(context.database, payment.id)
        if locked.version != payment.version:
            return locked  # somebody heard more of it
        return save_locked(context, locked, apply(locked, Outcome(status), context.now()), actor)


def withdraw(context: Context, wanted: Payment, actor: str) -> None:
    """The PSP said no: what was wanted of a payment is wanted no more, unless it is something else
    by now."""
    with context.database.transaction():
        locked = payments.lock_payment(context.database, wanted.id)
        asked = (wanted.capture_amount_minor, wanted.cancel_asked_at)
        if not locked.is_open or asked != (locked.capture_amount_minor, locked.cancel_asked_at):
            return
        after = replace(
            locked, capture_amount_minor=None, cancel_asked_at=None, updated_at=context.now()
        )
        save_locked(context, locked, after, actor, action="payment.refused")
