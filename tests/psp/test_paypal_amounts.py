"""What PayPal can charge, as it writes it, and what its account lets us do."""

from decimal import Decimal

import pytest

from tests.psp.paypal_values import (
    VAULT,
    adapter,
    asked,
    created,
    order,
    order_of,
    start,
)
from tollgate.domain.errors import UnsupportedAmount
from tollgate.domain.money import Money


@pytest.mark.parametrize(
    "money", [Money(1, "USD"), Money(50_000, "HUF"), Money(100, "TWD"), Money(1, "JPY")]
)
def test_takes_what_paypal_can_charge(money: Money) -> None:
    adapter().check(order_of(money=money))


@pytest.mark.parametrize("money", [Money(50_050, "HUF"), Money(1, "TWD")])
def test_refuses_what_paypal_can_not_charge(money: Money) -> None:
    with pytest.raises(UnsupportedAmount):
        adapter().check(order_of(money=money))


@pytest.mark.parametrize(
    ("money", "value"),
    [
        (Money(1000, "USD"), "10.00"),
        (Money(5, "USD"), "0.05"),
        (Money(50_000, "HUF"), "500"),
        (Money(100_000, "TWD"), "1000"),
        (Money(500, "JPY"), "500"),
    ],
)
def test_money_goes_as_text_and_comes_back(money: Money, value: str) -> None:
    amount = asked(money=money)["purchase_units"][0]["amount"]
    assert amount == {"currency_code": money.currency, "value": value}
    assert start(created(order(amount=amount))).money == money


def test_does_not_shorten_a_description_within_a_character() -> None:
    description = asked(description="é" * 200)["purchase_units"][0]["description"]
    assert description == "é" * 63


def test_what_the_account_can_do_follows_its_setting() -> None:
    without, with_vault = adapter().capabilities, adapter(**VAULT).capabilities
    assert (without.saves_methods, without.off_session) == (False, False)
    assert (with_vault.saves_methods, with_vault.off_session) == (True, True)
    assert adapter(PAYPAL_VAULT="yes").capabilities == without
    assert not without.manual_capture
    assert "KES" not in without.currencies


def test_no_amount_is_ever_a_float() -> None:
    assert start(created(order(amount={"currency_code": "USD", "value": "0.29"}))).money == Money(
        int(Decimal("0.29") * 100), "USD"
    )
