"""A webhook's Event as a Hint: whom it is about, and nothing of what it says.

Source: docs.stripe.com/api/events. A session, a PaymentIntent and a charge have our reference in
their metadata; a refund has it where we asked for it; a dispute never has.
"""

import json

from tollgate.domain.errors import WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.stripe_values import NOT_AS_DOCUMENTED, id_of, optional_text, text

_WITHOUT_OUR_REFERENCE = ("dispute", "refund")


def read_event(body: bytes) -> Hint:
    """The Hint in an Event whose signature was right. Raises WebhookMalformed."""
    try:
        event = json.loads(body)
        subject = event["data"]["object"]
        kind = subject.get("object")
        payment_id = optional_text((subject.get("metadata") or {}).get("payment_id"))
        nameless = payment_id is None and kind in _WITHOUT_OUR_REFERENCE
        return Hint(
            event_id=text(event["id"]),
            type=text(event["type"]),
            livemode=event["livemode"] is True,
            payment_id=payment_id,
            psp_reference=text(subject["id"]) if kind == "checkout.session" else None,
            intent_reference=id_of(subject.get("payment_intent")) if nameless else None,
        )
    except NOT_AS_DOCUMENTED:
        raise WebhookMalformed from None
