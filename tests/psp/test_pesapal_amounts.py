"""Amounts in major units, exactly, as JSON numbers."""

import json
from decimal import Decimal
from random import Random

import pytest

from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR, Money
from tollgate.psp.major_units import from_major
from tollgate.psp.pesapal.adapter import Pesapal
from tollgate.psp.pesapal.requests import amount_of

EDGES = (1, 7, 10, 29, 99, 100, 101, 110, 1_999, 150_010, MAX_AMOUNT_MINOR - 1, MAX_AMOUNT_MINOR)


@pytest.mark.parametrize(
    ("money", "written"),
    [
        (Money(150_000, "KES"), "1500"),
        (Money(150_050, "KES"), "1500.5"),
        (Money(150_055, "KES"), "1500.55"),
        (Money(1, "USD"), "0.01"),
        (Money(29, "USD"), "0.29"),
        (Money(MAX_AMOUNT_MINOR, "USD"), "9999999999.99"),
        (Money(5_000, "UGX"), "5000"),
        (Money(MAX_AMOUNT_MINOR, "RWF"), "999999999999"),
        (Money(150_000, "TZS"), "1500"),
    ],
)
def test_is_written_without_a_float_s_traces(money: Money, written: str) -> None:
    assert json.dumps(amount_of(money)) == written


@pytest.mark.parametrize("currency", sorted(Pesapal.capabilities.currencies - {"TZS"}))
def test_every_amount_is_read_back_as_it_is(currency: str) -> None:
    random = Random(31)
    some = [random.randint(1, 10 ** random.randint(1, 12) - 1) for _ in range(2_000)]
    for amount_minor in (*EDGES, *some):
        money = Money(amount_minor, currency)
        written = json.dumps({"amount": amount_of(money)})
        read = json.loads(written, parse_float=Decimal)["amount"]
        assert "e" not in written.removeprefix('{"amount"')
        assert from_major(read, currency) == money


def test_a_fraction_that_nobody_pays_is_refused() -> None:
    with pytest.raises(UnsupportedAmount):
        amount_of(Money(1, "TZS"))


def test_all_its_currencies_are_known() -> None:
    assert Pesapal.capabilities.currencies <= EXPONENTS.keys()
