"""PayPal's money objects (developer.paypal.com, currency codes)."""

from decimal import ROUND_HALF_UP, Decimal

from local.paypal.errors import Json, unprocessable
from tollgate.domain.money import EXPONENTS

SUPPORTED = frozenset(
    [
        *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
        *("JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
    ]
)
_WITHOUT_DECIMALS = ("HUF", "JPY", "TWD")


def check_amount(amount: Json, field: str) -> None:
    """Raises ApiError (422) for what PayPal can't charge."""
    value, currency = Decimal(amount["value"]), amount["currency_code"]
    if currency not in SUPPORTED:
        raise unprocessable("INVALID_CURRENCY_CODE", field=f"{field}/currency_code")
    if value <= 0:
        raise unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE", field=f"{field}/value")
    if currency in _WITHOUT_DECIMALS and value != int(value):
        raise unprocessable("DECIMALS_NOT_SUPPORTED", field=f"{field}/value")
    if _decimals_of(value) > 2:
        raise unprocessable("DECIMAL_PRECISION", field=f"{field}/value")


def minor(amount: Json) -> int:
    """In minor units of ISO 4217, as the ledger counts."""
    return int(Decimal(amount["value"]).scaleb(EXPONENTS[amount["currency_code"]]))


def money(minor_units: int, currency: str) -> Json:
    """A money object, with as many decimals as PayPal writes."""
    exact = Decimal(minor_units).scaleb(-EXPONENTS[currency])
    return {"currency_code": currency, "value": f"{_shown(exact, currency):f}"}


def fee_of(amount: Json) -> Json:
    """3.9 %: PayPal's own is a matter of contract."""
    share = Decimal(amount["value"]) * Decimal("0.039")
    return {
        "currency_code": amount["currency_code"],
        "value": f"{_shown(share, amount['currency_code']):f}",
    }


def less(amount: Json, part: Json) -> Json:
    """What is left of an amount, in its currency."""
    left = Decimal(amount["value"]) - Decimal(part["value"])
    return {"currency_code": amount["currency_code"], "value": f"{left:f}"}


def text_of(amount: Json) -> str:
    """`USD 15.00`."""
    return f"{amount['currency_code']} {amount['value']}"


def _shown(value: Decimal, currency: str) -> Decimal:
    places = 0 if currency in _WITHOUT_DECIMALS else EXPONENTS[currency]
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _decimals_of(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
