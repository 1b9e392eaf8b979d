"""The payment page: what a client sees and presses, and what comes of it."""

import pytest

from tests.local.pesapal.bench import Bench, Ports, standing
from tests.local.standin.serving import until


@pytest.mark.parametrize(
    ("button", "method"),
    [("pay-card", "Visa"), ("pay-mpesa", "MpesaKE"), ("pay-airtel", "AirtelKE")],
)
def test_pays_by_what_was_chosen(bench: Bench, button: str, method: str) -> None:
    tracking_id = bench.open_order()
    page = bench.page(tracking_id).text
    assert "KES 1,500.00" in page
    assert "Gold &lt;plan&gt;" in page
    assert f"{tracking_id}/{button}" in page
    sent_on = bench.press(tracking_id, button)
    assert (sent_on.status_code, sent_on.headers["location"]) == (
        303,
        f"https://shop.test/ok?from=pesapal&OrderTrackingId={tracking_id}"
        "&OrderMerchantReference=pay_1.a&OrderNotificationType=CALLBACKURL",
    )
    said = bench.status(tracking_id)
    assert (said["status_code"], said["payment_method"]) == (1, method)
    assert (said["error"]["code"], said["status"]) == (None, "200")
    assert said["confirmation_code"]
    assert "Already paid" in bench.page(tracking_id).text


def test_pays_once_however_often_it_is_pressed(bench: Bench) -> None:
    tracking_id = bench.open_order()
    first, second = (bench.press(tracking_id, "pay-card") for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    assert bench.payment(tracking_id)["captured"] == 150_000
    until(lambda: bench.receiver.heard)
    assert len(bench.ledger()["events"]) == 1


def test_a_try_that_fails_may_be_followed_by_one_that_does_not(bench: Bench) -> None:
    tracking_id = bench.open_order()
    back = bench.press(tracking_id, "fail").headers["location"]
    assert "did not go through" in bench.browser.get(back).text
    said = bench.status(tracking_id)
    assert (said["status_code"], said["payment_status_code"]) == (2, "request_terminated_by_user")
    failed = bench.payment(tracking_id)
    assert (failed["status"], failed["captured"]) == ("failed", 0)
    bench.press(tracking_id, "pay-mpesa")
    assert bench.status(tracking_id)["status_code"] == 1
    until(lambda: len(bench.receiver.heard) == 2)


def test_leaving_changes_nothing(bench: Bench) -> None:
    tracking_id = bench.open_order()
    assert bench.press(tracking_id, "leave").headers["location"] == "https://shop.test/back"
    assert bench.status(tracking_id)["status_code"] == 0
    without = bench.open_order(id="pay_2.a", cancellation_url="")
    assert "leave" not in bench.page(without).text.partition("<main>")[2]
    assert bench.press(without, "leave").headers["location"].startswith("/pesapaliframe")


@pytest.mark.parametrize("button", ["pay-card", "pay-cash", "fail", "leave"])
def test_no_such_order_no_such_page(bench: Bench, button: str) -> None:
    assert bench.page("x").status_code == 404
    back = bench.press("x", button).headers["location"]
    assert bench.browser.get(back).status_code == 404


def test_what_happens_by_hand_is_what_a_press_does(bench: Bench) -> None:
    pressed, by_hand = bench.open_order(), bench.open_order(id="pay_2.a")
    bench.press(pressed, "pay-mpesa")
    assert bench.happen(by_hand, "pay", method="mpesa").json() == bench.payment(by_hand)
    first, second = bench.payment(pressed), bench.payment(by_hand)
    assert {**first, "psp_reference": "", "reference": ""} == {
        **second,
        "psp_reference": "",
        "reference": "",
    }
    until(lambda: len(bench.receiver.heard) == 2)


def test_another_amount_and_currency_than_asked(bench: Bench) -> None:
    bench.fault(wrong_amount=-1)
    first = bench.open_order()
    bench.press(first, "pay-card")
    assert bench.status(first)["amount"] == 1499.99
    bench.fault(wrong_currency="usd")
    second = bench.open_order(id="pay_2.a")
    bench.press(second, "pay-card")
    assert (bench.status(second)["amount"], bench.status(second)["currency"]) == (1500.0, "USD")


def test_a_state_that_nobody_documented(bench: Bench) -> None:
    tracking_id = bench.open_order()
    bench.happen(tracking_id, "pay")
    bench.happen(tracking_id, "say", state="ON_HOLD")
    said = bench.status(tracking_id)
    assert (said["status_code"], said["payment_status_description"]) == (99, "ON_HOLD")
    bench.happen(tracking_id, "say")
    assert bench.status(tracking_id)["status_code"] == 1


def test_its_place_is_part_of_every_link(ports: Ports) -> None:
    with standing(ports, base_url=f"{ports.standin.url}/pesapal") as bench:
        answer = bench.submit()
        assert answer["redirect_url"].startswith(f"{ports.standin.url}/pesapal/pesapaliframe/")
        page = bench.page(answer["order_tracking_id"]).text
        assert 'action="/pesapal/pesapaliframe/' in page
        assert bench.standin.overview_path == "/pesapal/"


def test_the_overview_shows_orders_and_no_secret(bench: Bench) -> None:
    tracking_id = bench.open_order()
    overview = bench.browser.get("/").text
    assert tracking_id in overview
    assert "token-in-the-path" not in overview
    assert (bench.standin.payments().open, bench.standin.payments().paid) == (1, 0)
    empty_form = {"Content-Type": "application/x-www-form-urlencoded"}
    pay = f"/_standin/payments/{tracking_id}/pay"
    assert bench.browser.post(pay, headers=empty_form).headers["location"] == "/"
    assert (bench.standin.payments().open, bench.standin.payments().paid) == (0, 1)
