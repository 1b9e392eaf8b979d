"""A prompt to pay, pushed to the client's phone: M-Pesa into the merchant's Jenga wallet.

KES alone, in whole shillings. Source: Jenga's guide on M-Pesa STK push, wallet based settlement.
"""

import json
import re
from dataclasses import dataclass

from tollgate.domain.errors import CustomerIncomplete, FieldError, UnsupportedAmount
from tollgate.domain.order import Order
from tollgate.psp.jenga.references import OrderReference
from tollgate.psp.major_units import to_major

CURRENCY = "KES"
DESCRIPTION_MAX = 200
_WHOLE_SHILLINGS = {CURRENCY: 0}
_NO_IDENTITY = "00000000"
"""Jenga wants the number of an identity card. We don't ask for it."""


@dataclass(frozen=True)
class Push:
    """The request as it is sent, and the fields that its signature covers, in order."""

    body: bytes
    signed: tuple[str, ...]


def push_of(order: Order, reference: OrderReference, *, callback_url: str, country: str) -> Push:
    """The request to prompt for this order. Raises UnsupportedAmount, CustomerIncomplete."""
    amount, number = whole_shillings(order), phone_of(order)
    description = order.description[:DESCRIPTION_MAX]
    in_json = int(amount)  # whose digits in the body are those that are signed
    body = {
        "order": {
            "orderReference": reference.text,
            "orderAmount": in_json,
            "orderCurrency": CURRENCY,
            "source": "APICHECKOUT",
            "countryCode": country,
            "description": description,
        },
        "customer": {
            "name": order.customer.name or "Customer",
            "email": order.customer.email or "",
            "phoneNumber": number,
            "identityNumber": _NO_IDENTITY,
        },
        "payment": {
            "paymentReference": reference.of_request,
            "paymentCurrency": CURRENCY,
            "channel": "MOBILE",
            "service": "MPESA",
            "provider": "JENGA",
            "callbackUrl": callback_url,
            "details": {"msisdn": number, "paymentAmount": in_json},
        },
    }
    return Push(json.dumps(body).encode(), (reference.text, CURRENCY, number, amount))


def whole_shillings(order: Order) -> str:
    """The amount as it is signed and sent. Raises UnsupportedAmount."""
    if order.money.currency != CURRENCY:
        raise UnsupportedAmount("M-Pesa through Jenga takes KES only.")
    return to_major(order.money, _WHOLE_SHILLINGS)


def phone_of(order: Order) -> str:
    """The number to prompt, as 2547… or 2541…. Raises CustomerIncomplete."""
    digits = (order.customer.phone or "").removeprefix("+")
    if not re.fullmatch(r"254[17][0-9]{8}", digits):
        problem = "M-Pesa needs the client's Kenyan mobile number, as +2547… or +2541…."
        raise CustomerIncomplete(errors=(FieldError("customer.phone", problem),))
    return digits
