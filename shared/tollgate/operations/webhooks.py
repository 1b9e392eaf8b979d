"""A PSP tells us something: verified, recorded once, and taken as a hint to settle."""

from typing import Any

from tollgate.domain.errors import BadRequest, NotFound, UnsupportedPsp, WrongMode
from tollgate.domain.payment import Hint
from tollgate.domain.principal import EVERY_TENANT
from tollgate.logs import log
from tollgate.operations.context import Call, Context
from tollgate.operations.settlement import settle
from tollgate.storage import inbox, payments

_RECEIVED = {"received": True}


def receive_event(context: Context, call: Call[None]) -> dict[str, Any]:
    """Settles the payment that a PSP's event is about.

    The event is recorded before it is worked on. When the PSP can't be read now, the answer is an
    error, so that the PSP delivers the event again.
    """
    psp, context = call.target, context.within(EVERY_TENANT)
    hint = _verified(context, call, psp)
    payment = payments.find_payment(context.database, hint.payment_id) if hint.payment_id else None
    if payment is None or payment.psp != psp:
        # an event of something else on the same account: acknowledged, and nobody is asked
        context.cache.count(f"webhook_dropped:{psp}")
        log("webhook.dropped", psp=psp, type=hint.type)
        return _RECEIVED
    if not inbox.insert_event(context.database, psp, hint, context.now()):
        return _RECEIVED
    settle(context, payment, actor=f"webhook:{psp}", psp_reference=hint.psp_reference)
    inbox.mark_processed(context.database, psp, hint.event_id, context.now())
    return _RECEIVED


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
