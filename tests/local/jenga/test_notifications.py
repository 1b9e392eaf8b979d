"""What Jenga's stand-in tells the merchant: IPNs and the callbacks of pushes."""

import base64
from typing import Any

import pytest

from tests.local.jenga.conftest import (
    CHECKOUT,
    IPN_PASSWORD,
    IPN_USER,
    REFERENCE,
    Bench,
    push_body,
    until,
)


def ipns(bench: Bench, count: int = 1) -> list[dict[str, Any]]:
    until(lambda: len(bench.receiver.told("/ipn")) >= count)
    return bench.receiver.told("/ipn")


def callbacks(bench: Bench, count: int = 1) -> list[dict[str, Any]]:
    until(lambda: len(bench.receiver.told("/callback")) >= count)
    return bench.receiver.told("/callback")


def test_an_ipn_comes_with_http_basic_and_a_callback_with_nothing(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.happen("pay")
    ipns(jenga_bench)
    callbacks(jenga_bench)
    came = dict(zip(jenga_bench.receiver.paths, jenga_bench.receiver.headers, strict=True))
    expected = base64.b64encode(f"{IPN_USER}:{IPN_PASSWORD}".encode()).decode()
    assert came["/ipn"]["authorization"] == f"Basic {expected}"
    assert "authorization" not in came["/callback"]


def test_an_ipn_of_a_push_names_it_as_the_customers_reference(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.happen("pay")
    (ipn,) = ipns(jenga_bench)
    transaction = ipn["transaction"]
    assert (ipn["callbackType"], ipn["customer"]["reference"]) == ("IPN", REFERENCE)
    assert transaction["billNumber"].startswith("INV")
    assert (transaction["paymentMode"], transaction["status"]) == ("MPESA", "SUCCESS")
    assert (transaction["amount"], transaction["orderAmount"]) == (1505.0, 1500.0)
    assert transaction["serviceCharge"] == 5.0
    assert (transaction["currency"], transaction["orderCurrency"]) == ("KES", "KES")


def test_an_ipn_of_a_checkout_names_it_as_the_bill(jenga_bench: Bench) -> None:
    jenga_bench.open_checkout()
    jenga_bench.happen("pay", CHECKOUT)
    (ipn,) = ipns(jenga_bench)
    transaction = ipn["transaction"]
    assert (transaction["billNumber"], transaction["paymentMode"]) == (CHECKOUT, "CARD")
    assert ipn["customer"]["reference"] == "254700000001"
    assert (transaction["amount"], transaction["serviceCharge"]) == (1500.0, 0)
    assert jenga_bench.receiver.told("/callback") == []


def test_an_ipn_of_a_declined_card(jenga_bench: Bench) -> None:
    jenga_bench.open_checkout()
    jenga_bench.happen("decline", CHECKOUT)
    (ipn,) = ipns(jenga_bench)
    assert (ipn["transaction"]["status"], ipn["transaction"]["amount"]) == ("FAILED", 1500.0)


CODES = [("pay", 3, True), ("decline", 6, False), ("expire", 5, False)]


@pytest.mark.parametrize(("what", "code", "status"), CODES)
def test_a_callback_tells_its_code(jenga_bench: Bench, what: str, code: int, status: bool) -> None:
    jenga_bench.push()
    jenga_bench.happen(what)
    (callback,) = callbacks(jenga_bench)
    assert (int(callback["code"]), callback["status"]) == (code, status)
    assert callback["transactionReference"] == REFERENCE
    assert callback["debitedAmount"] == (1505.0 if what == "pay" else 0)
    assert (callback["telcoReference"] is not None) == (what == "pay")


def test_a_wrong_pin_tells_code_1(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.post(f"/phone/{REFERENCE}/wrong_pin")
    assert int(callbacks(jenga_bench)[0]["code"]) == 1


def test_money_that_went_astray_tells_code_4_and_no_ipn(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.fault(debited_not_credited=True)
    jenga_bench.happen("pay")
    (callback,) = callbacks(jenga_bench)
    assert (int(callback["code"]), callback["debitedAmount"]) == (4, 1505.0)
    assert callback["telcoReference"] is not None
    assert [event["type"] for event in jenga_bench.ledger()["events"]] == ["push.4"]


def test_a_code_is_a_number_or_a_text(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.happen("pay")
    jenga_bench.open_checkout()
    jenga_bench.happen("pay", CHECKOUT)
    other = push_body(
        jenga_bench.callback_url,
        order__orderReference="Panother1",
        payment__paymentReference="Panother1R",
    )
    jenga_bench.push(other)
    jenga_bench.happen("decline", "Panother1")
    first, second = callbacks(jenga_bench, 2)
    assert {type(first["code"]), type(second["code"])} == {int, str}


def test_a_notification_is_repeated_until_it_is_taken(jenga_bench: Bench) -> None:
    jenga_bench.receiver.statuses = [500, 503]
    jenga_bench.open_checkout()
    jenga_bench.happen("pay", CHECKOUT)
    for count in (1, 2):
        ipns(jenga_bench, count)
        jenga_bench.clock.advance(40)
    said = ipns(jenga_bench, 3)
    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize(
    ("switches", "arrive"), [({"twice": True}, 2), ({"lost": True}, 0), ({"late_seconds": 60}, 0)]
)
def test_switches_of_every_stand_in(
    jenga_bench: Bench, switches: dict[str, Any], arrive: int
) -> None:
    jenga_bench.fault(**switches)
    jenga_bench.open_checkout()
    jenga_bench.happen("pay", CHECKOUT)
    if arrive:
        assert len(ipns(jenga_bench, arrive)) == arrive
    assert len(jenga_bench.ledger()["events"]) == 1
    assert len(jenga_bench.receiver.told("/ipn")) == arrive
    if "late_seconds" in switches:
        jenga_bench.clock.advance(60)
        assert len(ipns(jenga_bench)) == 1


def test_the_overview_shows_orders_switches_and_events(jenga_bench: Bench) -> None:
    jenga_bench.open_checkout()
    jenga_bench.push()
    jenga_bench.happen("pay")
    page = jenga_bench.browser.get(f"{jenga_bench.url}/").text
    for text in (CHECKOUT, REFERENCE, "KES 1,500.00", "ipn.success", "debited_not_credited"):
        assert text in page
    assert "<script" not in page
