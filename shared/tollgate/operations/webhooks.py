"""A PSP tells us something: verified, recorded once, and taken as a hint to settle."""

from datetime import timedelta
from typing import Any

from tollgate.crash_points import CrashPoint, reach
from tollgate.crypto.fields import Place
from tollgate.domain.callback import Callback
from tollgate.domain.card_numbers import mask_card_numbers
from tollgate.domain.errors import BadRequest, NotFound, TooManyRequests, UnsupportedPsp, WrongMode
from tollgate.domain.outcome import Hint, Outcome
from tollgate.domain.payment import Failure, Payment, PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.rate import WINDOW_SECONDS, Allowance
from tollgate.logs import log
from tollgate.operations.context import Call, Context
from tollgate.operations.customers import field_cipher
from tollgate.operations.settlement import flag, settle
from tollgate.storage import checks, inbox, payments, psp_references, strays

_RECEIVED = {"received": True}
_NOTHING_LEFT = Allowance(False, strays.MAX_PER_WINDOW, 0, WINDOW_SECONDS, WINDOW_SECONDS)

UNSIGNED_PAUSE_SECONDS = 1
"""Where a PSP signs and numbers nothing, it is asked once a second about a payment, no more."""


def receive_notification(context: Context, call: Call[None]) -> dict[str, Any]:
    """The same by GET, as Pesapal has it."""
    return receive_event(context, call)


def receive_event(context: Context, call: Call[None]) -> dict[str, Any]:
    """Settles the payment that a PSP's event is about.

    The event is recorded before it is worked on. When the PSP can't be read now, the answer is an
    error, so that the PSP delivers the event again.
    """
    psp, _, path_token = call.target.partition("/")
    hint = _verified(context, call, psp, path_token)
    reply = dict(hint.reply) if hint.reply is not None else _RECEIVED
    if _is_a_mere_nudge(hint) and strays.are_too_many(context.cache, psp):
        raise TooManyRequests(_NOTHING_LEFT)
    payment = _payment_of(context, psp, hint)
    if payment is None or payment.psp != psp:
        _drop(context, psp, hint)
        return reply
    context = context.within(payment.tenant)
    if _is_a_mere_nudge(hint) and _was_asked_just_now(context, payment, hint):
        return reply
    event_id = hint.event_id or context.new_id("evt")
    payload = _sealed_payload(context, call, payment, event_id)
    if not inbox.insert_event(
        context.database, payment.app_id, psp, event_id, hint, payload=payload, now=context.now()
    ):
        return reply
    reach(CrashPoint.WEBHOOK_RECEIVED)
    _settle(context, payment, hint)
    reach(CrashPoint.WEBHOOK_SETTLED)
    inbox.mark_processed(context.database, psp, event_id, context.now())
    reach(CrashPoint.WEBHOOK_PROCESSED)
    return reply


def _is_a_mere_nudge(hint: Hint) -> bool:
    """Whether it says no more than "look again", and may be anybody's."""
    return hint.event_id is None and hint.alarm is None


def _drop(context: Context, psp: str, hint: Hint) -> None:
    """An event of something else on the same account: acknowledged, and nobody is asked."""
    context.cache.count(f"webhook_dropped:{psp}")
    if hint.event_id is None:
        strays.count(context.cache, psp)
    log("webhook.dropped", psp=psp, type=hint.type)


def _was_asked_just_now(context: Context, payment: Payment, hint: Hint) -> bool:
    """Whether the PSP need not be asked for this nudge. Whoever asked may have asked too early:
    then reconcile asks again."""
    if hint.psp_reference not in (None, payment.psp_reference):
        return False  # nobody asks about that reference
    now, pause = context.now(), UNSIGNED_PAUSE_SECONDS
    if payments.claim_question(context.database, payment.id, now, pause):
        return False
    checks.check_at(context.database, payment.id, now + timedelta(seconds=pause))
    return True


def _settle(context: Context, payment: Payment, hint: Hint) -> None:
    """As the PSP says. What only the event claims, or what was paid under a name that is not the
    payment's, is for a human."""
    try:
        payment = settle(context, payment, f"webhook:{payment.psp}", hint.psp_reference)
    finally:  # the PSP may not tell it again
        if hint.alarm is not None:
            claimed = Outcome(PaymentStatus.NEEDS_REVIEW, psp_reference=hint.psp_reference)
            payment = flag(context, payment, claimed, hint.alarm)
    if hint.psp_reference is not None and not _is_its_name(context, payment, hint.psp_reference):
        other = context.psp(payment.psp).fetch(hint.psp_reference)
        # an unsigned callback may name anybody's reference
        if other.status is PaymentStatus.SUCCEEDED and other.reference == payment.id:
            flag(context, payment, other, _PAID_ELSEWHERE)


def _is_its_name(context: Context, payment: Payment, reference: str) -> bool:
    if reference == payment.psp_reference:
        return True
    known = psp_references.find_payment_id(context.database, payment.psp, (reference,))
    return known == payment.id


_PAID_ELSEWHERE = Failure(
    "paid_elsewhere", "The PSP took money for this payment under another reference of its own."
)


def _payment_of(context: Context, psp: str, hint: Hint) -> Payment | None:
    database, payment_id = context.within(EVERY_TENANT).database, hint.payment_id
    if payment_id is None:
        names = (*filter(None, (hint.psp_reference,)), *hint.references)
        payment_id = psp_references.find_payment_id(database, psp, names) if names else None
    return payments.find_payment(database, payment_id) if payment_id is not None else None


def _sealed_payload(context: Context, call: Call[None], payment: Payment, event_id: str) -> bytes:
    """The event as it was sent, for whoever must know later; without card numbers, encrypted."""
    sent = call.raw_body.decode(errors="replace") or repr(dict(call.query))
    masked = mask_card_numbers(sent).encode()
    row_id = inbox.row_id(payment.psp, event_id)
    return field_cipher(context).encrypt(Place("inbox", "payload", row_id, payment.app_id), masked)


def _verified(context: Context, call: Call[None], psp: str, path_token: str) -> Hint:
    """The event, if the PSP sent it, in our mode. What is refused leaves a counter and no more."""
    try:
        adapter = context.psp(psp)
    except UnsupportedPsp:
        raise NotFound from None
    callback = Callback(call.method, path_token, call.query, call.headers, call.raw_body)
    try:
        hint = adapter.read_event(callback, context.now())
        if hint.livemode != context.settings.livemode:
            raise WrongMode
    except BadRequest:
        context.cache.count(f"webhook_refused:{psp}")
        raise
    return hint
