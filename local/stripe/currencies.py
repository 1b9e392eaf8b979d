"""The currencies Stripe charges in, and how many decimals its amounts have.

From docs.stripe.com/currencies. The decimals are Stripe's, not ISO 4217's: UGX and ISK are sent
in hundredths. They serve the checkout page alone; amounts are kept as they were sent.
"""

_CODES = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd
gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak
lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd
omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std
szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer
zar zmw
"""
SUPPORTED = frozenset(_CODES.split())
_WITHOUT_DECIMALS = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
_THREE_DECIMALS = "bhd jod kwd omr tnd"


def amount_text(amount: int, currency: str) -> str:
    """An amount in the smallest unit as a person reads it: (150000, "kes") -> "KES 1,500.00"."""
    decimals = 0 if currency in _WITHOUT_DECIMALS else 3 if currency in _THREE_DECIMALS else 2
    whole, part = divmod(abs(amount), 10**decimals)
    fraction = f".{part:0{decimals}d}" if decimals else ""
    return f"{currency.upper()} {'-' if amount < 0 else ''}{whole:,}{fraction}"
