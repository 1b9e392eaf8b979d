"""What Jenga calls us for, as a Hint: whom it is about, and nothing of what it says.

An instant payment notification (IPN) comes with HTTP Basic, a push's callback to an address that
nobody can guess. Neither is signed, so neither is believed. Sources: Jenga's guides on instant
payment notifications and on the callbacks of STK pushes.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from typing import Any

from tollgate.domain.callback import Callback
from tollgate.domain.errors import SignatureRefused, WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.answers import NOT_AS_DOCUMENTED, mapping, text
from tollgate.psp.jenga.api import code_of
from tollgate.psp.jenga.reading import DEBITED_NOT_CREDITED
from tollgate.psp.jenga.references import OrderReference, read_reference
from tollgate.settings import Settings

PART_MAX = 80
"""Of each of the three texts that an IPN is told apart by."""
_DEBITED_NOT_CREDITED = 4


def read_event(callback: Callback, settings: Settings) -> Hint:
    """The Hint in a call whose sender is who may send it.

    Raises SignatureRefused, WebhookMalformed; Misconfigured where there is nothing to verify by.
    """
    is_push = bool(callback.path_token)
    if is_push:
        _verify(
            callback.path_token.encode(errors="replace"), settings.psp_value("JENGA_CALLBACK_TOKEN")
        )
    else:
        user = settings.psp_value("JENGA_IPN_USER")
        password = settings.psp_value("JENGA_IPN_PASSWORD")
        _verify(_basic(callback.headers.get("authorization", "")), f"{user}:{password}")
    try:
        body = mapping(json.loads(callback.body))
        return _push_hint(body, settings) if is_push else _ipn_hint(body, settings)
    except NOT_AS_DOCUMENTED:
        raise WebhookMalformed from None


def _verify(given: bytes, expected: str) -> None:
    if not hmac.compare_digest(given, expected.encode()):
        raise SignatureRefused


def _basic(header: str) -> bytes:
    """User and password, as HTTP Basic joins them. Raises SignatureRefused."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        raise SignatureRefused
    try:
        return base64.b64decode(credentials, validate=True)
    except (binascii.Error, ValueError):
        raise SignatureRefused from None


def _ipn_hint(body: Mapping[str, Any], settings: Settings) -> Hint:
    """Our reference is the customer's after a push, and the bill's number after a checkout."""
    customer, transaction = mapping(body.get("customer") or {}), mapping(body["transaction"])
    bank = mapping(body.get("bank") or {})
    status = text(transaction["status"], PART_MAX)
    told_apart_by = (transaction["reference"], bank.get("reference") or "none", status)
    named = (customer.get("reference"), transaction.get("billNumber"))
    ours = (read_reference(name) for name in named)
    return _hint(
        event_id=":".join(text(part, PART_MAX) for part in told_apart_by),
        event_type=f"ipn.{status.lower()}",
        settings=settings,
        about=next((one for one in ours if one is not None), None),
    )


def _push_hint(body: Mapping[str, Any], settings: Settings) -> Hint:
    """Numbered by nothing. Code 4 may be all that anybody ever hears of money that went astray."""
    code = code_of(body["code"])
    return _hint(
        event_id=None,
        event_type=f"push.{code}",
        settings=settings,
        about=read_reference(body["transactionReference"]),
        astray=code == _DEBITED_NOT_CREDITED,
    )


def _hint(
    *,
    event_id: str | None,
    event_type: str,
    settings: Settings,
    about: OrderReference | None,
    astray: bool = False,
) -> Hint:
    return Hint(
        event_id=event_id,
        type=event_type,
        livemode=settings.livemode,
        payment_id=about.payment_id if about is not None else None,
        psp_reference=about.text if about is not None else None,
        alarm=DEBITED_NOT_CREDITED if astray else None,
    )
