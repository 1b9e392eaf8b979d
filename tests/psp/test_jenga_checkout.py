"""The form of Jenga's hosted checkout: what it holds, and what its signature covers."""

import pytest

from tests.psp.jenga_values import (
    CHECKOUT,
    PAYMENT_ID,
    TOKEN,
    VALUES,
    is_signed,
    jenga_answers,
    jenga_of,
    order_of,
    settings_of,
)
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.errors import Misconfigured
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Method, PaymentStatus
from tollgate.psp import open_psp
from tollgate.psp.jenga.adapter import Jenga


def start(order: Order, jenga: Jenga | None = None) -> Outcome:
    with jenga_answers():
        return (jenga or jenga_of()).start(order)


def fields_of(order: Order) -> dict[str, str]:
    action = start(order).next_action
    assert action is not None
    assert action["type"] == "form_post"
    fields: dict[str, str] = dict(action["fields"])
    return fields


@pytest.mark.parametrize("method", [None, Method.CARD, Method.EQUITEL])
def test_a_checkout_is_a_form_for_the_clients_browser(method: Method | None) -> None:
    order = order_of(method=method)
    outcome = start(order)
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    assert (outcome.psp_reference, outcome.reference) == (CHECKOUT, PAYMENT_ID)
    assert (outcome.money, outcome.livemode) == (order.money, False)
    assert outcome.next_action is not None
    assert outcome.next_action["url"] == "https://v3-uat.jengapgw.io/processPayment"
    fields = dict(outcome.next_action["fields"])
    assert len(fields.pop("signature")) == 344
    assert fields == {
        "token": "eyJ.1",
        "merchantCode": "9837446275",
        "currency": "KES",
        "orderAmount": "1500.00",
        "orderReference": CHECKOUT,
        "productType": "Service",
        "productDescription": "Gold <plan> & more",
        "extraData": PAYMENT_ID,
        "paymentTimeLimit": "15mins",
        "callbackUrl": order.return_url,
        "countryCode": "KE",
        "customerFirstName": "",
        "customerLastName": "",
        "customerEmail": "",
        "customerPhone": "",
        "customerPostalCodeZip": "",
        "customerAddress": "",
    }


@pytest.mark.parametrize(
    ("money", "amount"),
    [
        (Money(100, "KES"), "1.00"),
        (Money(1_005, "USD"), "10.05"),
        (Money(999_999_999, "KES"), "9999999.99"),
    ],
)
def test_the_amount_that_is_signed_is_the_one_in_the_form(money: Money, amount: str) -> None:
    order = order_of(money=money)
    fields = fields_of(order)
    assert fields["orderAmount"] == amount
    signed = f"9837446275{CHECKOUT}{money.currency}{amount}{order.return_url}"
    assert is_signed(fields["signature"], signed)
    assert not is_signed(fields["signature"], signed.replace(amount, amount + "0"))


def test_the_same_order_makes_the_same_form() -> None:
    assert start(order_of(attempt="a1b2c3d4")) == start(order_of(attempt="zzzzzzzz"))


def test_the_form_holds_nothing_of_the_person() -> None:
    known, unknown = fields_of(order_of()), fields_of(order_of(customer=Customer()))
    assert known == unknown
    assert not any("ann" in value.lower() or "254" in value for value in known.values())


def test_a_long_description_is_cut() -> None:
    assert len(fields_of(order_of(description="x" * 500))["productDescription"]) == 200


def test_the_token_is_asked_for_once() -> None:
    jenga = jenga_of()
    with jenga_answers() as router:
        jenga.start(order_of())
        jenga.start(order_of(payment_id="pay_2"))
        assert router.routes[0].call_count == 1
        assert [call.request.url for call in router.calls] == [TOKEN]


def test_references_are_long_enough_and_tell_payments_apart() -> None:
    references = [start(order_of(payment_id=f"pay_{one}")).psp_reference for one in ("1", "12")]
    assert references == ["Cpay1ZZZ", "Cpay12ZZ"]


@pytest.mark.parametrize(
    ("livemode", "page"),
    [
        (False, "https://v3-uat.jengapgw.io/processPayment"),
        (True, "https://v3.jengapgw.io/processPayment"),
    ],
)
def test_the_mode_chooses_the_page(livemode: bool, page: str) -> None:
    jenga = open_psp("jenga", settings_of(livemode), KeptTokens())
    with jenga_answers() as router:
        router.post(TOKEN.replace("uat.", "api.")).mock(return_value=router.routes[0].return_value)
        outcome = jenga.start(order_of())
    assert outcome.next_action is not None
    assert (outcome.next_action["url"], outcome.livemode) == (page, livemode)


def test_another_page_and_country_may_be_set() -> None:
    jenga = jenga_of(
        JENGA_CHECKOUT_URL="http://127.0.0.1:1/processPayment", JENGA_COUNTRY_CODE="UG"
    )
    action = start(order_of(), jenga).next_action
    assert action is not None
    assert action["url"] == "http://127.0.0.1:1/processPayment"
    assert action["fields"]["countryCode"] == "UG"


BAD_KEYS = ["not base64!", "bm8ga2V5", VALUES["JENGA_PRIVATE_KEY"][:200]]


@pytest.mark.parametrize("private_key", BAD_KEYS)
def test_a_private_key_that_cannot_be_read_is_a_setting_to_mend(private_key: str) -> None:
    with pytest.raises(Misconfigured, match="JENGA_PRIVATE_KEY") as raised:
        start(order_of(), jenga_of(JENGA_PRIVATE_KEY=private_key))
    assert private_key not in str(raised.value)
