"""Amounts as Stripe counts them, and what it is offered for."""

from dataclasses import replace
from random import Random

import pytest

from local.stripe.currencies import SUPPORTED
from tollgate.domain.capabilities import check_supported
from tollgate.domain.errors import UnsupportedAmount, UnsupportedCurrency, UnsupportedMethod
from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR, Money
from tollgate.domain.order import Order, SavedMethod
from tollgate.domain.payment import Capture, Method, PaymentPage
from tollgate.psp.stripe.adapter import CAPABILITIES
from tollgate.psp.stripe.amounts import CURRENCIES, from_stripe, to_stripe

# docs.stripe.com/currencies; MGA is on it though ISO 4217 gives it two decimals
ZERO_DECIMALS = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF"
ALL = sorted(EXPONENTS)


@pytest.mark.parametrize(
    ("money", "stripe"),
    [
        (Money(150_000, "KES"), 150_000),
        (Money(1, "USD"), 1),
        (Money(5, "UGX"), 500),
        (Money(50_000, "UGX"), 5_000_000),
        (Money(1_000, "ISK"), 100_000),
        (Money(500, "JPY"), 500),
        (Money(2_000, "RWF"), 2_000),
        (Money(12_300, "MGA"), 123),
        (Money(1_230, "KWD"), 1_230),
        (Money(10, "BHD"), 10),
    ],
)
def test_is_what_stripe_takes_and_gives(money: Money, stripe: int) -> None:
    assert to_stripe(money) == stripe
    assert from_stripe(stripe, money.currency.lower()) == money
    assert from_stripe(stripe, money.currency) == money


@pytest.mark.parametrize(
    "money",
    [
        Money(12_345, "MGA"),
        Money(1, "MGA"),
        Money(1_235, "KWD"),
        Money(1_234, "KWD"),
        Money(1, "TND"),
    ],
)
def test_a_fraction_that_stripe_can_not_charge_is_refused(money: Money) -> None:
    with pytest.raises(UnsupportedAmount):
        to_stripe(money)


@pytest.mark.parametrize(("amount", "currency"), [(501, "ugx"), (1, "isk"), (150, "ugx")])
def test_what_we_can_not_have_asked_for_is_no_money(amount: int, currency: str) -> None:
    assert from_stripe(amount, currency) is None


@pytest.mark.parametrize("currency", ["xxx", "", "usdc", "BTC", "k\u017fh"])
def test_an_unknown_currency_is_no_money(currency: str) -> None:
    assert from_stripe(100, currency) is None


@pytest.mark.parametrize("currency", ALL)
def test_every_currency_comes_back_as_it_went(currency: str) -> None:
    random = Random(currency)
    for amount in [1, MAX_AMOUNT_MINOR, *(random.randint(1, 10**8) for _ in range(50))]:
        money = Money(amount, currency)
        try:
            sent = to_stripe(money)
        except UnsupportedAmount:
            continue
        assert from_stripe(sent, currency.lower()) == money
    whole_units = Money(7 * 10 ** EXPONENTS[currency], currency)
    assert from_stripe(to_stripe(whole_units), currency) == whole_units


@pytest.mark.parametrize("currency", ALL)
def test_a_whole_unit_is_as_many_as_the_documentation_says(currency: str) -> None:
    thousandths = EXPONENTS[currency] == 3
    expected = 1 if currency in ZERO_DECIMALS else 1000 if thousandths else 100
    assert to_stripe(Money(10 ** EXPONENTS[currency], currency)) == expected


def test_takes_the_currencies_that_stripe_does_and_that_we_can_count() -> None:
    listed = {code.upper() for code in SUPPORTED}
    assert listed & EXPONENTS.keys() == CURRENCIES
    for code in CURRENCIES:
        assert from_stripe(to_stripe(Money(500_000, code)), code.lower()) == Money(500_000, code)


@pytest.mark.parametrize("code", ["GHS", "IQD", "IRR", "KPW", "LYD", "ZWG"])
def test_what_stripe_does_not_take_is_not_offered(order: Order, code: str) -> None:
    with pytest.raises(UnsupportedCurrency):
        check_supported("stripe", CAPABILITIES, replace(order, money=Money(500_000, code)))


def test_offers_both_pages_holds_and_saved_methods(order: Order) -> None:
    saved = SavedMethod("cus_1", "pm_1")
    for able in (
        replace(order, page=PaymentPage.EMBEDDED, save_method=True, capture=Capture.MANUAL),
        replace(order, save_method=True, method=Method.CARD),
        replace(order, saved_method=saved),
    ):
        check_supported("stripe", CAPABILITIES, able)
    with pytest.raises(UnsupportedMethod):
        check_supported("stripe", CAPABILITIES, replace(order, method=Method.MPESA))
