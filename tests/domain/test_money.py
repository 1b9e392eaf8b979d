"""Money: currencies with the right number of decimals, and amounts that every layer can hold."""

import dataclasses

import pytest

from tollgate.domain.money import EXPONENTS, MAX_AMOUNT_MINOR, Money


@pytest.mark.parametrize(
    ("exponent", "currencies"),
    [
        (0, "UGX RWF BIF DJF KMF XAF XOF JPY KRW ISK CLP PYG VND"),
        (2, "KES TZS ZAR NGN GHS ETB EGP USD EUR GBP INR MGA CNY CHF ZMW"),
        (3, "KWD BHD OMR JOD TND LYD IQD"),
    ],
)
def test_a_currency_has_the_decimals_of_iso_4217(exponent: int, currencies: str) -> None:
    assert {code: EXPONENTS[code] for code in currencies.split()} == dict.fromkeys(
        currencies.split(), exponent
    )


def test_codes_are_three_capital_letters() -> None:
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in EXPONENTS)
    assert set(EXPONENTS.values()) == {0, 2, 3}


@pytest.mark.parametrize("code", ["kes", "XXX", "XTS", "XAU", "CLF", "HRK", "BGN", "ANG", "ZWL"])
def test_funds_metals_and_retired_codes_are_no_currency(code: str) -> None:
    assert code not in EXPONENTS


def test_the_largest_amount_is_exact_in_json_and_in_a_bigint_in_any_currency() -> None:
    thousandths_of_a_psp = MAX_AMOUNT_MINOR * 1000
    assert thousandths_of_a_psp < 2**53 < 2**63


def test_money_does_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Money(1, "KES").amount_minor = 2  # type: ignore[misc]  # what is tested
