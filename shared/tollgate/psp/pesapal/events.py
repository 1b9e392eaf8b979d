"""An IPN as a Hint: whom it is about. It says nothing of how the payment stands.

Source: developer.pesapal.com, API 3.0 (register IPN URL, recurring payments). Pesapal signs nothing
and calls from addresses that change: who knows the token in our address is believed to be Pesapal,
and is believed nothing else. The names of the fields come in upper and lower case.
"""

import hmac
import json
import re
from typing import Any

from tollgate.domain.callback import Callback
from tollgate.domain.errors import SignatureRefused, WebhookMalformed
from tollgate.domain.outcome import Hint
from tollgate.psp.answers import NOT_AS_DOCUMENTED, mapping, text
from tollgate.psp.pesapal.requests import payment_id_of

RECURRING = "RECURRING"
"""A charge that Pesapal made by a schedule of its own, which we never ask for."""


def verify_token(given: str, expected: str) -> None:
    """Compares the token in the path, in constant time. Raises SignatureRefused."""
    if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
        raise SignatureRefused


def read_event(callback: Callback, *, livemode: bool) -> Hint:
    """The Hint in an IPN whose token was right: the query of a GET, the JSON body of a POST.

    Raises WebhookMalformed.
    """
    try:
        fields = _fields(callback)
        kind = text(fields["ordernotificationtype"], 64)
        tracking_id = text(fields["ordertrackingid"], 64)
        reference = text(fields["ordermerchantreference"])
        if not re.fullmatch(r"[0-9A-Za-z-]+", tracking_id):
            raise ValueError
    except NOT_AS_DOCUMENTED:
        raise WebhookMalformed from None
    return Hint(
        event_id=None,
        type=kind,
        livemode=livemode,
        payment_id=payment_id_of(reference) if kind.upper() != RECURRING else None,
        psp_reference=tracking_id,
        reply={
            "orderNotificationType": kind,
            "orderTrackingId": tracking_id,
            "orderMerchantReference": reference,
            "status": 200,
        },
    )


def _fields(callback: Callback) -> dict[str, Any]:
    told = json.loads(callback.body) if callback.method == "POST" else callback.query
    return {name.lower(): value for name, value in mapping(told).items()}
