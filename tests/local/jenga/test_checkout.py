"""Jenga's hosted checkout and the client's phone, as a browser sees them."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from local.clock import Clock
from tests.local.jenga.conftest import (
    CHECKOUT,
    MOUNT,
    REFERENCE,
    RETURN_URL,
    Bench,
    Start,
    signature,
)


def sent_back(answer: httpx.Response) -> dict[str, str]:
    """What the browser brings to the merchant."""
    assert answer.status_code == 303
    location = answer.headers["Location"]
    assert location.startswith(f"{RETURN_URL}?")
    return dict(parse_qsl(urlsplit(location).query))


def page(bench: Bench, address: str) -> str:
    answer = bench.browser.get(bench.url + address)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text
    return answer.text


def test_a_card_is_paid_with(jenga_bench: Bench) -> None:
    address = jenga_bench.open_checkout()
    shown = page(jenga_bench, address)
    assert "KES 1,500.00" in shown
    assert "Gold &lt;plan&gt;" in shown
    query = sent_back(jenga_bench.post(f"{address}/card"))
    assert query["transactionStatus"] == "SUCCESS"
    assert (query["orderReference"], query["paymentChannel"]) == (CHECKOUT, "CARD")
    assert (query["transactionAmount"], query["transactionCurrency"]) == ("1500.00", "KES")
    assert jenga_bench.payment(CHECKOUT)["status"] == "paid"
    assert "This page is closed" in page(jenga_bench, address)
    again = jenga_bench.post(f"{address}/decline")
    assert again.headers["Location"] == MOUNT + address
    assert jenga_bench.payment(CHECKOUT)["status"] == "paid"


def test_a_decline_ends_it(jenga_bench: Bench) -> None:
    address = jenga_bench.open_checkout()
    assert sent_back(jenga_bench.post(f"{address}/decline"))["transactionStatus"] == "FAILED"
    assert jenga_bench.details().json()["data"]["stateCode"] == 1
    assert jenga_bench.payment(CHECKOUT)["status"] == "failed"


def test_leaving_changes_nothing(jenga_bench: Bench) -> None:
    address = jenga_bench.open_checkout()
    assert sent_back(jenga_bench.post(f"{address}/leave"))["transactionStatus"] == "CANCELLED"
    assert jenga_bench.payment(CHECKOUT)["status"] == "open"
    jenga_bench.post(f"{address}/card")
    assert jenga_bench.payment(CHECKOUT)["status"] == "paid"


@pytest.mark.parametrize(
    ("answer", "status"), [("accept", "paid"), ("decline", "failed"), ("wrong_pin", "failed")]
)
def test_mpesa_on_the_page_asks_the_phone(jenga_bench: Bench, answer: str, status: str) -> None:
    address = jenga_bench.open_checkout()
    phone = f"/phone/{CHECKOUT}"
    assert "No prompt" in page(jenga_bench, phone)
    jenga_bench.post(f"{phone}/accept")
    assert jenga_bench.payment(CHECKOUT)["status"] == "open"
    assert jenga_bench.post(f"{address}/mpesa").headers["Location"] == MOUNT + address
    assert phone in page(jenga_bench, address)
    assert "KES 1,505.00" in page(jenga_bench, phone)
    jenga_bench.post(f"{phone}/{answer}")
    assert jenga_bench.payment(CHECKOUT)["status"] == status
    assert "This page is closed" in page(jenga_bench, address)


def test_a_prompt_of_the_page_that_nobody_answers_fails(jenga_bench: Bench) -> None:
    address = jenga_bench.open_checkout()
    jenga_bench.post(f"{address}/mpesa")
    jenga_bench.clock.advance(301)
    assert jenga_bench.details().json()["data"]["stateCode"] == 1


def test_a_page_ends_by_its_time_limit_and_nothing_tells_so(jenga_bench: Bench) -> None:
    address = jenga_bench.open_checkout(paymentTimeLimit="20mins")
    jenga_bench.clock.advance(20 * 60 - 1)
    assert "Gold" in page(jenga_bench, address)
    jenga_bench.clock.advance(2)
    assert "This page is closed" in page(jenga_bench, address)
    assert jenga_bench.details().status_code == 404
    assert jenga_bench.payment(CHECKOUT)["status"] == "expired"


@pytest.mark.parametrize(
    ("answer", "status"), [("accept", "paid"), ("decline", "canceled"), ("wrong_pin", "canceled")]
)
def test_a_pushs_phone(jenga_bench: Bench, answer: str, status: str) -> None:
    jenga_bench.push()
    phone = f"/phone/{REFERENCE}"
    overview = page_of_overview(jenga_bench)
    assert f'href="{MOUNT}{phone}"' in overview
    assert "KES 1,505.00" in page(jenga_bench, phone)
    assert jenga_bench.post(f"{phone}/{answer}").headers["Location"] == MOUNT + phone
    assert jenga_bench.payment()["status"] == status
    assert "No prompt" in page(jenga_bench, phone)
    jenga_bench.post(f"{phone}/decline")
    assert jenga_bench.payment()["status"] == status


def page_of_overview(bench: Bench) -> str:
    return bench.browser.get(f"{bench.url}/").text


REFUSED = [
    ({"merchantCode": "1"}, 401),
    ({"token": "eyJ.x"}, 401),
    ({"currency": "EUR"}, 400),
    ({"orderAmount": "1,500"}, 400),
    ({"orderAmount": "1500.001"}, 400),
    ({"orderReference": "short"}, 400),
    ({"orderReference": "with-hyphens"}, 400),
    ({"productDescription": "x" * 201}, 400),
    ({"productDescription": ""}, 400),
    ({"paymentTimeLimit": "900"}, 400),
    ({"callbackUrl": "/return"}, 400),
    ({"countryCode": ""}, 400),
    ({"more": "x"}, 400),
    ({"signature": ""}, 400),
    ({"signature": "x"}, 400),
    ({"signature": signature("x")}, 400),
]


@pytest.mark.parametrize(("wrong", "status"), REFUSED)
def test_a_form_that_is_not_as_documented_is_refused(
    jenga_bench: Bench, wrong: dict[str, str], status: int
) -> None:
    answer = jenga_bench.post("/processPayment", data=jenga_bench.form(**wrong))
    assert answer.status_code == status
    assert "Jenga refuses this form" in answer.text
    assert jenga_bench.ledger()["payments"] == []


@pytest.mark.parametrize("name", ["token", "customerAddress", "paymentTimeLimit", "currency"])
def test_a_form_without_a_field_is_refused(jenga_bench: Bench, name: str) -> None:
    form = jenga_bench.form()
    del form[name]
    assert jenga_bench.post("/processPayment", data=form).status_code == 400


def test_what_was_signed_cannot_be_changed_in_the_browser(jenga_bench: Bench) -> None:
    for changed in (
        {"orderAmount": "1.00"},
        {"currency": "USD"},
        {"orderReference": "Cpayanother"},
        {"callbackUrl": "https://evil.test/"},
    ):
        answer = jenga_bench.post("/processPayment", data=jenga_bench.form() | changed)
        assert (answer.status_code, "900101" in answer.text) == (400, True)


def test_a_token_that_has_ended_opens_nothing(jenga_bench: Bench) -> None:
    form = jenga_bench.form()
    jenga_bench.clock.advance(15 * 60 + 1)
    assert jenga_bench.post("/processPayment", data=form).status_code == 401


def test_a_form_opens_one_order(jenga_bench: Bench) -> None:
    form = jenga_bench.form()
    assert jenga_bench.post("/processPayment", data=form).status_code == 303
    again = jenga_bench.post("/processPayment", data=form)
    assert (again.status_code, "400101" in again.text) == (400, True)
    assert len(jenga_bench.ledger()["payments"]) == 1


def test_a_page_that_is_not_there(jenga_bench: Bench) -> None:
    assert jenga_bench.browser.get(f"{jenga_bench.url}/checkout/x").status_code == 404
    assert jenga_bench.browser.get(f"{jenga_bench.url}/phone/x").status_code == 404
    for address in ("/checkout/x/card", "/checkout/x/leave"):
        assert jenga_bench.post(address).headers["Location"] == f"{MOUNT}/checkout/x"


def test_a_restart_keeps_orders_and_tokens(start_jenga: Start, tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "run" / "jenga.json"
    first = start_jenga(clock, file)
    token = first.token()
    address = first.open_checkout(token=token)
    first.push()
    second = start_jenga(clock, file)
    assert second.post("/processPayment", data=second.form(token=token)).status_code == 400
    sent_back(second.post(f"{address}/card"))
    assert second.order()["order"]["orderStatus"] == "Pending"
    assert {one["status"] for one in second.ledger()["payments"]} == {"open", "paid"}
