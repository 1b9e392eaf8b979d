"""The currencies that a merchant may have enabled, and amounts as JSON numbers in major units."""

from decimal import Decimal

_DECIMALS = {"KES": 2, "MWK": 2, "RWF": 0, "TZS": 0, "UGX": 0, "USD": 2, "ZMW": 2}
_MINOR_DIGITS = _DECIMALS | {"TZS": 2, "EUR": 2}
"""Of ISO 4217, in which amounts are kept: cents of TZS exist, and can't be charged."""

CURRENCIES = frozenset(_DECIMALS)


def minor_of(amount: Decimal, currency: str) -> int | None:
    """The amount in minor units; None for a part of what can be charged."""
    if amount != round(amount, _DECIMALS[currency]):
        return None
    return int(amount.scaleb(_MINOR_DIGITS[currency]))


def major_of(amount_minor: int, currency: str) -> float:
    """The number as Pesapal's answers have it: always with a point, 1500.0."""
    return float(Decimal(amount_minor).scaleb(-_MINOR_DIGITS[currency]))


def amount_text(amount_minor: int, currency: str) -> str:
    """An amount as a person reads it: KES 1,500.00."""
    digits = _MINOR_DIGITS[currency]
    return f"{currency} {Decimal(amount_minor).scaleb(-digits):,.{digits}f}"
