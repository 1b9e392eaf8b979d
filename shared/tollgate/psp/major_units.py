"""Amounts as decimal numbers of the major unit, such as 1500.00, without ever being a float."""

from collections.abc import Mapping
from decimal import Decimal

from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR, Money


def to_major(money: Money, decimals: Mapping[str, int] = EXPONENTS) -> str:
    """The amount as text with as many decimals as `decimals` says of its currency.

    Raises UnsupportedAmount where that would lose a part of it.
    """
    exact = Decimal(money.amount_minor).scaleb(-EXPONENTS[money.currency])
    places = decimals.get(money.currency, EXPONENTS[money.currency])
    shown = exact.quantize(Decimal(1).scaleb(-places))
    if shown != exact:
        raise UnsupportedAmount(f"The PSP can't charge this fraction of {money.currency}.")
    return f"{shown:f}"


def from_major(amount: object, currency: object) -> Money | None:
    """The money that a number stands for: a text, an int, or a Decimal (`parse_float=Decimal`).

    None for money that we can't have asked: an unknown currency, a part of a minor unit. Raises
    TypeError, ValueError, ArithmeticError for what is no amount at all.
    """
    if isinstance(amount, bool | float) or not isinstance(amount, str | int | Decimal):
        raise TypeError
    if not isinstance(currency, str):
        raise TypeError
    code = currency.upper()
    number = Decimal(amount)
    if not number.is_finite() or abs(number) > MAX_AMOUNT_MINOR:
        raise ValueError
    if code not in EXPONENTS:
        return None
    minor = number.scaleb(EXPONENTS[code])
    return Money(int(minor), code) if minor == minor.to_integral_value() else None
