"""Amounts as PayPal writes them: text of the major unit, beside the currency's code.

Source: developer.paypal.com, currency codes. HUF and TWD are charged whole, though ISO 4217 gives
them two decimals. KES, UGX and TZS are not taken.
"""

from typing import Any

from tollgate.domain.money import Money
from tollgate.psp.answers import mapping, text
from tollgate.psp.major_units import from_major, to_major

_CODES = (
    "AUD BRL CAD CHF CNY CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD "
    "USD"
)
CURRENCIES = frozenset(_CODES.split())
_DECIMALS = {"HUF": 0, "JPY": 0, "TWD": 0}


def to_paypal(money: Money) -> dict[str, str]:
    """PayPal's money object. Raises UnsupportedAmount for a fraction that it can't charge."""
    return {"currency_code": money.currency, "value": to_major(money, _DECIMALS)}


def money(stated: object) -> Money | None:
    """What a money object stands for; None for money that we can't have asked.

    Raises one of NOT_AS_DOCUMENTED.
    """
    given: Any = mapping(stated)
    return from_major(text(given["value"], max_length=32), given["currency_code"])


def stated_money(stated: object) -> Money:
    """As `money`, of what is about nothing else: it must be known, and not negative."""
    known = money(stated)
    if known is None or known.amount_minor < 0:
        raise ValueError
    return known
