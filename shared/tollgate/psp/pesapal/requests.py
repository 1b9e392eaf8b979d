"""An order as Pesapal is sent it: its amount, our reference, and who pays.

Source: developer.pesapal.com, API 3.0 (submit order request).
"""

import re
from decimal import Decimal
from typing import Any

from tollgate.domain.ids import is_id
from tollgate.domain.money import EXPONENTS, Money
from tollgate.domain.order import Customer, Order
from tollgate.psp.major_units import to_major

DESCRIPTION_MAX_LENGTH = 100

_DECIMALS = EXPONENTS | {"TZS": 0}
"""UGX has no decimals by ISO 4217; nobody pays in cents of TZS either."""

_COUNTRY_OF_CALLING_CODE = {
    "+250": "RW",
    "+254": "KE",
    "+255": "TZ",
    "+256": "UG",
    "+260": "ZM",
    "+265": "MW",
}
"""Of the countries where Pesapal takes mobile money: all of them dial a 0 within the country."""


def amount_of(money: Money) -> int | float:
    """The amount as a JSON number in major units, exactly: 1500, 1500.5, 0.01.

    A number with a point is written as the shortest text that it can be read back from, which is
    the amount itself: it has twelve digits at the most, and a float holds fifteen. Raises
    UnsupportedAmount for a fraction that Pesapal can't charge.
    """
    major = Decimal(to_major(money, _DECIMALS))
    return int(major) if major == major.to_integral_value() else float(major)


def merchant_reference(order: Order) -> str:
    """Our reference and which try this is: Pesapal takes a merchant reference once only."""
    return f"{order.payment_id}.{order.attempt}"


def payment_id_of(reference: object) -> str | None:
    """Our payment id in a merchant reference; None for one that is not ours."""
    if not isinstance(reference, str):
        return None
    payment_id = reference.partition(".")[0]
    return payment_id if is_id("pay", payment_id) else None


def order_request(order: Order, notification_id: str) -> dict[str, Any]:
    """The body of SubmitOrderRequest. Raises UnsupportedAmount."""
    return {
        "id": merchant_reference(order),
        "currency": order.money.currency,
        "amount": amount_of(order.money),
        "description": order.description[:DESCRIPTION_MAX_LENGTH],
        "callback_url": order.return_url,
        "cancellation_url": order.cancel_url,
        "notification_id": notification_id,
        "billing_address": _billing_address(order.customer),
    }


def _billing_address(customer: Customer) -> dict[str, str]:
    """What is known of who pays; what is not known is left out."""
    first, _, last = (customer.name or "").strip().partition(" ")
    known = {
        "email_address": customer.email,
        **_phone(customer.phone),
        "first_name": first,
        "last_name": last.strip(),
    }
    return {name: value for name, value in known.items() if value}


def _phone(phone: str | None) -> dict[str, str]:
    """A number as it is dialled in its country, as in Pesapal's examples; else as we know it."""
    if phone is None:
        return {}
    country = _COUNTRY_OF_CALLING_CODE.get(phone[:4])
    if country is None:
        return {"phone_number": phone}
    national = re.sub(r"\D", "", phone[4:])
    return {"phone_number": f"0{national}", "country_code": country}
