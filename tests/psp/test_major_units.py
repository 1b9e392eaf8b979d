"""Amounts in major units: the same money there and back, to the last minor unit; no floats."""

import json
from decimal import Decimal
from random import Random

import pytest

from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR, Money
from tollgate.psp.major_units import from_major, to_major

NO_FRACTIONS = {"KES": 0, "UGX": 0}


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (150_000, "KES", "1500.00"),
        (1, "KES", "0.01"),
        (10, "KES", "0.10"),
        (100, "KES", "1.00"),
        (29, "USD", "0.29"),  # 0.29 * 100 is less than 29 for a float
        (1_500, "UGX", "1500"),
        (1, "BHD", "0.001"),
        (1_500, "BHD", "1.500"),
        (0, "KES", "0.00"),
        (MAX_AMOUNT_MINOR, "KES", "9999999999.99"),
        (MAX_AMOUNT_MINOR, "UGX", "999999999999"),
    ],
)
def test_both_ways(minor: int, currency: str, text: str) -> None:
    money = Money(minor, currency)
    assert to_major(money) == text
    assert from_major(text, currency) == money


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_what_goes_out_comes_back(currency: str) -> None:
    random = Random(currency)
    for digits in range(1, 13):
        money = Money(random.randrange(10 ** (digits - 1), 10**digits), currency)
        text = to_major(money)
        told = json.loads(f'{{"amount": {text}}}', parse_float=Decimal)["amount"]
        assert from_major(text, currency) == from_major(told, currency.lower()) == money
        assert "E" not in text and text.count(".") <= 1


class TestOfFewerDecimals:
    @pytest.mark.parametrize(
        ("minor", "text"), [(100, "1"), (150_000, "1500"), (1_000_000, "10000")]
    )
    def test_whole_amounts_have_none(self, minor: int, text: str) -> None:
        assert to_major(Money(minor, "KES"), NO_FRACTIONS) == text

    @pytest.mark.parametrize("minor", [1, 99, 101, 150_050])
    def test_a_part_is_not_rounded_away(self, minor: int) -> None:
        with pytest.raises(UnsupportedAmount, match="KES"):
            to_major(Money(minor, "KES"), NO_FRACTIONS)

    def test_more_decimals_than_the_currency_has_are_noughts(self) -> None:
        assert to_major(Money(1_500, "UGX"), {"UGX": 2}) == "1500.00"

    def test_another_currency_is_as_ever(self) -> None:
        assert to_major(Money(1, "USD"), NO_FRACTIONS) == "0.01"


class TestRead:
    @pytest.mark.parametrize(
        "amount", ["1500", "1500.0", "1500.00", "1500.000", 1500, Decimal("1500.00"), "1.5E3"]
    )
    def test_every_way_to_write_it(self, amount: object) -> None:
        assert from_major(amount, "KES") == Money(150_000, "KES")

    def test_the_currency_in_small_letters(self) -> None:
        assert from_major("1", "kes") == Money(100, "KES")

    @pytest.mark.parametrize("amount", ["0.001", "1.005", Decimal("0.000001"), "1E-9"])
    def test_a_part_of_a_minor_unit_is_none_of_ours(self, amount: object) -> None:
        assert from_major(amount, "KES") is None

    @pytest.mark.parametrize("currency", ["XXX", "", "KE", "KES ", "Ksh"])
    def test_a_currency_that_is_none_is_none_of_ours(self, currency: str) -> None:
        assert from_major("1", currency) is None

    @pytest.mark.parametrize(
        "amount",
        [
            *(1500.0, 0.1, True, False, None, [], {}, b"1"),
            *("", " ", "x", "1,500", "1.500,00", "0x10", "KES 1", "--1"),
            *("NaN", "sNaN", "Infinity", "-Infinity", Decimal("NaN"), Decimal("Infinity")),
            *("1e400", "1E999999999", 10**13, "-1E20"),
        ],
    )
    def test_what_is_no_amount(self, amount: object) -> None:
        with pytest.raises((TypeError, ValueError, ArithmeticError)):
            from_major(amount, "KES")

    @pytest.mark.parametrize("currency", [None, 404, b"KES", ["KES"]])
    def test_what_is_no_currency(self, currency: object) -> None:
        with pytest.raises(TypeError):
            from_major("1", currency)
