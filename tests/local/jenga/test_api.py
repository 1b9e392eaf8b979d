"""What Jenga's stand-in takes, what it refuses, and what it tells of an order."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from local.jenga.keys import new_private_key
from tests.local.jenga.conftest import (
    CHECKOUT,
    PUSHES,
    REFERENCE,
    Bench,
    push_body,
    signature,
)


def code_of(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()
    assert body["status"] is False
    return answer.status_code, str(body["code"])


def test_a_token_lives_for_a_quarter_of_an_hour_by_the_clock(jenga_bench: Bench) -> None:
    said = jenga_bench.authenticate().json()
    assert said["tokenType"] == "Bearer"
    expires_at, issued_at = (datetime.fromisoformat(said[n]) for n in ("expiresIn", "issuedAt"))
    assert (expires_at - issued_at).total_seconds() == 15 * 60
    path = f"{PUSHES}/status/order/{REFERENCE}"
    assert code_of(jenga_bench.get(path, said["accessToken"])) == (404, "404")
    jenga_bench.clock.advance(15 * 60 + 1)
    assert code_of(jenga_bench.get(path, said["accessToken"])) == (401, "401")
    assert jenga_bench.ledger()["token_requests"] == 1


def test_wrong_credentials_are_refused_and_counted(jenga_bench: Bench) -> None:
    assert code_of(jenga_bench.authenticate(api_key="x")) == (401, "401")
    assert code_of(jenga_bench.authenticate(merchantCode="x")) == (401, "401")
    assert code_of(jenga_bench.authenticate(consumerSecret="x")) == (401, "401")
    assert code_of(jenga_bench.authenticate(more="x")) == (400, "400400")
    assert jenga_bench.ledger()["token_requests"] == 3


def test_a_push_waits_for_the_phone(jenga_bench: Bench) -> None:
    answer = jenga_bench.push()
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (200, True, "0")
    assert answer.json()["data"] == {
        "amount": 1500.0,
        "charge": 5.0,
        "paymentReference": f"{REFERENCE}R",
        "invoiceNumber": answer.json()["data"]["invoiceNumber"],
        "orderReference": REFERENCE,
        "amountDebited": 1505.0,
    }
    told = jenga_bench.order()
    assert (told["order"]["orderStatus"], told["order"]["amountPaid"]) == ("Pending", 0)
    assert told["invoices"][0]["invoiceStatus"] == "Pending"
    assert told["invoices"][0]["externalReference"] is None
    assert jenga_bench.payment()["status"] == "open"


def test_a_reference_is_taken_once_whatever_became_of_it(jenga_bench: Bench) -> None:
    jenga_bench.push()
    assert code_of(jenga_bench.push()) == (400, "400101")
    jenga_bench.happen("decline")
    assert code_of(jenga_bench.push()) == (400, "400101")
    again = push_body("https://x.test", order__orderReference="Panother1")
    assert code_of(jenga_bench.push(again)) == (400, "400101")
    assert len(jenga_bench.ledger()["payments"]) == 1


def test_the_amount_is_signed_as_it_stands_in_the_body(jenga_bench: Bench) -> None:
    signed = (REFERENCE, "KES", "254700000001")
    for amount in ("1500.00", "1500.0", "01500", "1501"):
        refused = jenga_bench.push(signed=signature(*signed, amount))
        assert code_of(refused) == (400, "900101")
    assert jenga_bench.push(signed=signature(*signed, "1500")).status_code == 200


def test_signatures_are_the_merchants(jenga_bench: Bench) -> None:
    fields = (REFERENCE, "KES", "254700000001", "1500")
    assert code_of(jenga_bench.push(signed="")) == (400, "900100")
    for wrong in ("x", "eA==", signature(*fields, private_key=new_private_key())):
        assert code_of(jenga_bench.push(signed=wrong)) == (400, "900101")
    assert code_of(jenga_bench.details(signed="")) == (400, "900100")
    assert code_of(jenga_bench.details(signed=signature("another1"))) == (400, "900101")
    assert jenga_bench.ledger()["payments"] == []


def test_without_a_token_nothing_is_told_or_done(jenga_bench: Bench) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}):
        for method, path in (("POST", f"{PUSHES}/init"), ("GET", f"{PUSHES}/status/order/x")):
            answer = jenga_bench.browser.request(method, jenga_bench.url + path, headers=headers)
            assert code_of(answer) == (401, "401")


UNREADABLE: list[dict[str, Any]] = [
    {"order__orderAmount": "1500"},
    {"order__orderAmount": 1500.5, "payment__details__paymentAmount": 1500.5},
    {"order__orderAmount": 0, "payment__details__paymentAmount": 0},
    {"order__orderAmount": 1501},
    {"order__orderReference": "short"},
    {"order__orderReference": "pay_019ac1f2b0d7a3"},
    {"order__orderCurrency": "USD"},
    {"order__source": "WEB"},
    {"order__countryCode": "Kenya"},
    {"order__description": "x" * 201},
    {"order__more": 1},
    {"customer__name": ""},
    {"customer__phoneNumber": "+254700000001"},
    {"customer__identityNumber": None},
    {"payment__paymentReference": "a-b-c-d-e"},
    {"payment__channel": "WEB"},
    {"payment__callbackUrl": "javascript:x"},
    {"payment__details__msisdn": "2557000001"},
    {"payment__details__more": 1},
    {"more": 1},
]


@pytest.mark.parametrize("wrong", UNREADABLE, ids=repr)
def test_what_is_not_documented_is_refused(jenga_bench: Bench, wrong: dict[str, Any]) -> None:
    body = push_body(jenga_bench.callback_url, **wrong)
    assert code_of(jenga_bench.push(body)) == (400, "400400")
    assert jenga_bench.ledger()["payments"] == []


def test_a_paid_push_tells_the_receipt_and_the_charge(jenga_bench: Bench) -> None:
    jenga_bench.push()
    assert jenga_bench.happen("pay").status_code == 200
    told = jenga_bench.order()
    order, (invoice,) = told["order"], told["invoices"]
    assert (order["orderStatus"], order["orderAmount"], order["amountPaid"]) == (
        "Paid",
        1500.0,
        1505.0,
    )
    assert (invoice["invoiceStatus"], invoice["charge"]) == ("Paid", 5.0)
    payment = jenga_bench.payment()
    assert payment["receipt"] == invoice["externalReference"]
    assert (payment["status"], payment["captured"]) == ("paid", 150_000)


def test_a_prompt_that_nobody_answers_expires_by_the_clock(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.clock.advance(299)
    assert jenga_bench.order()["invoices"][0]["invoiceStatus"] == "Pending"
    jenga_bench.clock.advance(2)
    assert jenga_bench.order()["invoices"][0]["invoiceStatus"] == "Expired"
    assert jenga_bench.happen("pay").status_code == 409
    assert jenga_bench.payment()["status"] == "expired"


def test_details_are_of_checkouts_that_somebody_tried_to_pay(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.happen("pay")
    assert code_of(jenga_bench.details(REFERENCE)) == (404, "404")
    assert code_of(jenga_bench.details()) == (404, "404")
    page = jenga_bench.open_checkout()
    assert code_of(jenga_bench.details()) == (404, "404")
    jenga_bench.post(f"{page}/mpesa")
    assert jenga_bench.details().json()["data"]["stateCode"] == -1
    jenga_bench.happen("pay", CHECKOUT)
    data = jenga_bench.details().json()["data"]
    assert (data["stateCode"], data["amount"], data["currency"]) == (2, 1500.0, "KES")
    assert data["charge"] == 5.0
    order = jenga_bench.get(f"{PUSHES}/status/order/{CHECKOUT}")
    assert code_of(order) == (404, "404")


def test_wrong_amount_and_currency(jenga_bench: Bench) -> None:
    jenga_bench.open_checkout()
    jenga_bench.push()
    jenga_bench.fault(wrong_amount=-100, wrong_currency="ugx", next={"wrong_currency": 1})
    jenga_bench.happen("pay", CHECKOUT)
    jenga_bench.happen("pay")
    data = jenga_bench.details().json()["data"]
    assert (data["amount"], data["currency"]) == (1499.0, "UGX")
    assert jenga_bench.order()["order"]["amountPaid"] == 1504.0
    assert jenga_bench.order()["order"]["orderAmount"] == 1500.0


def test_money_may_go_astray(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.fault(debited_not_credited=True, next={"debited_not_credited": 1})
    jenga_bench.happen("pay")
    told = jenga_bench.order()
    assert (told["order"]["orderStatus"], told["order"]["amountPaid"]) == ("Pending", 0)
    assert told["invoices"][0]["externalReference"]
    assert jenga_bench.happen("pay").status_code == 409
    jenga_bench.clock.advance(301)
    assert jenga_bench.order()["invoices"][0]["invoiceStatus"] == "Expired"
    assert jenga_bench.payment()["captured"] == 0


def test_one_invoice_may_be_told_alone_and_details_without_a_currency(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.open_checkout()
    jenga_bench.happen("pay", CHECKOUT)
    jenga_bench.fault(single_invoice=True, without_currency=True)
    assert jenga_bench.order().keys() == {"order", "invoice"}
    assert "currency" not in jenga_bench.details().json()["data"]


def test_a_state_that_nobody_documented_is_told_until_it_is_taken_back(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.open_checkout()
    for reference in (REFERENCE, CHECKOUT):
        jenga_bench.happen("say", reference, state="Teleported").raise_for_status()
    assert jenga_bench.order()["order"]["orderStatus"] == "Teleported"
    assert (
        jenga_bench.details().json()["data"] | {"state": "Teleported"}
        == (jenga_bench.details().json()["data"])
    )
    for reference in (REFERENCE, CHECKOUT):
        jenga_bench.happen("say", reference).raise_for_status()
    assert jenga_bench.order()["order"]["orderStatus"] == "Pending"
    assert jenga_bench.details().status_code == 404


def test_what_nobody_can_do(jenga_bench: Bench) -> None:
    assert jenga_bench.happen("pay", "none").json() == {"error": "no such order"}
    assert jenga_bench.happen("pay", "none").status_code == 404
    jenga_bench.push()
    refused = jenga_bench.happen("refund")
    assert (refused.status_code, list(refused.json())) == (409, ["error"])
    assert jenga_bench.happen("refund", amount=-1).status_code == 400
    assert jenga_bench.happen("pay", amount=1).status_code == 400
    assert jenga_bench.happen("say", status="x").status_code == 400
    jenga_bench.happen("pay").raise_for_status()
    for late in ("pay", "decline", "expire"):
        assert jenga_bench.happen(late).status_code == 409
    assert jenga_bench.payment()["captured"] == 150_000


@pytest.mark.parametrize("switch", ["timeout_after_charge", "drop_after_charge"])
def test_a_push_whose_answer_is_lost_was_sent(jenga_bench: Bench, switch: str) -> None:
    jenga_bench.fault(**{switch: True, "next": {switch: 1}})
    jenga_bench.browser.timeout = httpx.Timeout(0.5)
    with pytest.raises(httpx.TransportError):
        jenga_bench.push()
    jenga_bench.browser.timeout = httpx.Timeout(5)
    assert jenga_bench.order()["order"]["orderStatus"] == "Pending"
    assert code_of(jenga_bench.push()) == (400, "400101")


def test_an_outage_does_nothing(jenga_bench: Bench) -> None:
    token = jenga_bench.token()
    jenga_bench.fault(status_5xx=503)
    assert code_of(jenga_bench.get(f"{PUSHES}/status/order/{REFERENCE}", token)) == (503, "500200")
    assert code_of(jenga_bench.authenticate())[0] == 503
    jenga_bench.fault(garbage=True)
    assert "<html>" in jenga_bench.authenticate().text
    assert jenga_bench.ledger()["token_requests"] == 1


def test_the_ledger(jenga_bench: Bench) -> None:
    jenga_bench.push()
    jenga_bench.happen("pay")
    assert jenga_bench.payment() == {
        "psp_reference": REFERENCE,
        "reference": REFERENCE,
        "amount": 150_000,
        "currency": "KES",
        "status": "paid",
        "captured": 150_000,
        "refunded": 0,
        "way": "push",
        "channel": "MPESA",
        "receipt": jenga_bench.payment()["receipt"],
    }
