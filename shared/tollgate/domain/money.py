"""Money: integers in minor units of ISO 4217, never floats."""

from dataclasses import dataclass

MAX_AMOUNT_MINOR = 999_999_999_999
"""Far above any real price, far below a bigint and what a JSON number holds exactly."""

_EXPONENT_0 = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_EXPONENT_2 = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
    "CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD "
    "HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA "
    "MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN "
    "QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP "
    "TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
)
_EXPONENT_3 = "BHD IQD JOD KWD LYD OMR TND"

EXPONENTS: dict[str, int] = {
    code: exponent
    for exponent, codes in ((0, _EXPONENT_0), (2, _EXPONENT_2), (3, _EXPONENT_3))
    for code in codes.split()
}
"""How many decimals each circulating currency has (ISO 4217, active codes without funds)."""


@dataclass(frozen=True)
class Money:
    """`amount_minor` in minor units of `currency` (upper case): Money(150000, "KES") is 1,500/=."""

    amount_minor: int
    currency: str


def round_up(amount_minor: int, price: Money) -> int:
    """A part of this price, in whole units of its currency where the price is: mobile money has no
    cents."""
    unit: int = 10 ** EXPONENTS[price.currency]
    if price.amount_minor % unit:
        return amount_minor
    return -(-amount_minor // unit) * unit
