"""A PSP tells us something: verified, recorded once, and taken as a hint to settle."""

from typing import Any

from tollgate.crash_points import CrashPoint, reach
from tollgate.crypto.fields import Place
from tollgate.domain.card_numbers import mask_card_numbers
from tollgate.domain.errors import BadRequest, NotFound, UnsupportedPsp, WrongMode
from tollgate.domain.outcome import Hint
from tollgate.domain.payment import Payment
from tollgate.domain.principal import EVERY_TENANT
from tollgate.logs import log
from tollgate.operations.context import Call, Context
from tollgate.operations.customers import field_cipher
from tollgate.operations.settlement import settle
from tollgate.storage import inbox, payments

_RECEIVED = {"received": True}


def receive_event(context: Context, call: Call[None]) -> dict[str, Any]:
    """Settles the payment that a PSP's event is about.

    The event is recorded before it is worked on. When the PSP can't be read now, the answer is an
    error, so that the PSP delivers the event again.
    """
    psp = call.target
    hint = _verified(context, call, psp)
    payment = _payment_of(context, psp, hint)
    if payment is None or payment.psp != psp:
        # an event of something else on the same account: acknowledged, and nobody is asked
        context.cache.count(f"webhook_dropped:{psp}")
        log("webhook.dropped", psp=psp, type=hint.type)
        return _RECEIVED
    context = context.within(payment.tenant)
    payload = _sealed_payload(context, call, payment, hint)
    if not inbox.insert_event(
        context.database, payment.app_id, psp, hint, payload=payload, now=context.now()
    ):
        return _RECEIVED
    reach(CrashPoint.WEBHOOK_RECEIVED)
    settle(context, payment, actor=f"webhook:{psp}", psp_reference=hint.psp_reference)
    reach(CrashPoint.WEBHOOK_SETTLED)
    inbox.mark_processed(context.database, psp, hint.event_id, context.now())
    reach(CrashPoint.WEBHOOK_PROCESSED)
    return _RECEIVED


def _payment_of(context: Context, psp: str, hint: Hint) -> Payment | None:
    payment_id = hint.payment_id
    if payment_id is None and hint.intent_reference is not None:
        payment_id = context.psp(psp).find_payment_id(hint.intent_reference)
    if payment_id is None:
        return None
    return payments.find_payment(context.within(EVERY_TENANT).database, payment_id)


def _sealed_payload(context: Context, call: Call[None], payment: Payment, hint: Hint) -> bytes:
    """The event as it was sent, for whoever must know later; without card numbers, encrypted."""
    masked = mask_card_numbers(call.raw_body.decode(errors="replace")).encode()
    row_id = inbox.row_id(payment.psp, hint.event_id)
    return field_cipher(context).encrypt(Place("inbox", "payload", row_id, payment.app_id), masked)


def _verified(context: Context, call: Call[None], psp: str) -> Hint:
    """The event, if the PSP sent it, in our mode. What is refused leaves a counter and no more."""
    try:
        adapter = context.psp(psp)
    except UnsupportedPsp:
        raise NotFound from None
    try:
        hint = adapter.read_event(call.headers, call.raw_body, context.now())
        if hint.livemode != context.settings.livemode:
            raise WrongMode
    except BadRequest:
        context.cache.count(f"webhook_refused:{psp}")
        raise
    return hint
