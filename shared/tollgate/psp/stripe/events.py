"""A webhook's Event as a Hint: whom it is about, and nothing of what it says.

Source: docs.stripe.com/api/events. A session, a PaymentIntent and a charge have our reference in
their metadata; a refund has it where we asked for it; a dispute never has, but like a refund it
names the charge and the PaymentIntent.
"""

import json
from collections.abc import Mapping
from typing import Any

from tollgate.domain.errors import WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.answers import NOT_AS_DOCUMENTED, optional_text, text
from tollgate.psp.stripe.values import id_of

_NAMED_BY_ID = ("payment_intent", "charge")
_NAMED_BY_FIELD = {
    "charge": ("payment_intent",),
    "refund": ("payment_intent", "charge"),
    "dispute": ("payment_intent", "charge"),
}


def read_event(body: bytes) -> Hint:
    """The Hint in an Event whose signature was right. Raises WebhookMalformed."""
    try:
        event = json.loads(body)
        subject = event["data"]["object"]
        is_session = subject.get("object") == "checkout.session"
        return Hint(
            event_id=text(event["id"]),
            type=text(event["type"]),
            livemode=event["livemode"] is True,
            payment_id=optional_text((subject.get("metadata") or {}).get("payment_id")),
            # a PaymentIntent may be a session's own: then it is no reference of ours
            psp_reference=text(subject["id"]) if is_session else None,
            references=_references(subject),
        )
    except NOT_AS_DOCUMENTED:
        raise WebhookMalformed from None


def _references(subject: Mapping[str, Any]) -> tuple[str, ...]:
    kind = subject.get("object")
    own = [text(subject["id"])] if kind in _NAMED_BY_ID else []
    named = (id_of(subject.get(field)) for field in _NAMED_BY_FIELD.get(str(kind), ()))
    return (*own, *(name for name in named if name is not None))
