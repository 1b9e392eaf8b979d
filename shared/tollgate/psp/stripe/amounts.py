"""Currencies that Stripe charges, and amounts as it counts them, which is not always ISO 4217.

Source: docs.stripe.com/currencies. MGA is charged whole though ISO gives it two decimals; ISK and
UGX are sent with two decimals (and the decimals zero) though ISO gives them none; three-decimal
currencies are sent in thousandths that end in zero.
"""

from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.money import EXPONENTS, Money

_PRESENTMENT = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF "
    "CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR ISK JMD JPY KES KGS KHR KMF KRW KYD KZT LAK LBP LKR LRD LSL MAD "
    "MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD SZL THB TJS TOP TRY TTD TWD "
    "TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW"
)
_THREE_DECIMALS = "BHD JOD KWD OMR TND"

CURRENCIES = frozenset(_PRESENTMENT.split()) | frozenset(_THREE_DECIMALS.split())
"""What may be charged. An account may be allowed less: Stripe then refuses the payment."""

_STRIPE_EXPONENTS = EXPONENTS | {"MGA": 0, "ISK": 2, "UGX": 2}


def to_stripe(money: Money) -> int:
    """The integer that Stripe takes for this money. Raises UnsupportedAmount."""
    amount = _shifted(money.amount_minor, _stripe_decimals_more(money.currency))
    if amount is None or (_STRIPE_EXPONENTS[money.currency] == 3 and amount % 10):
        raise UnsupportedAmount(f"Stripe can't charge this fraction of {money.currency}.")
    return amount


def from_stripe(amount: int, currency: str) -> Money | None:
    """The money that Stripe's integer stands for; None when it is none that we could have asked."""
    code = currency.upper()
    if code not in EXPONENTS:
        return None
    minor = _shifted(amount, -_stripe_decimals_more(code))
    return Money(minor, code) if minor is not None else None


def _stripe_decimals_more(currency: str) -> int:
    return _STRIPE_EXPONENTS[currency] - EXPONENTS[currency]


def _shifted(amount: int, decimals: int) -> int | None:
    """The amount with its decimal point moved; None where that would lose a part of it."""
    if decimals >= 0:
        return amount * int(10**decimals)
    whole, rest = divmod(amount, int(10**-decimals))
    return None if rest else whole
