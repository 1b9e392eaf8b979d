"""Refunds, reversals and disputes at the stand-in."""

from typing import Any

import pytest

from tests.local.paypal.bench import Bench, Json, usd

PAID = ("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED")


def refund(bench: Bench, capture_id: str, body: Json, request_id: str = "refund-1") -> Any:
    return bench.post(f"/v2/payments/captures/{capture_id}/refund", body, request_id)


def issue(answer: Any) -> str:
    (detail,) = answer.json()["details"]
    return str(detail["issue"])


def test_a_refund_in_parts(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    body = {"amount": usd("4.00"), "custom_id": "ref_1", "invoice_id": "ref_1"}
    first = refund(bench, capture_id, body | {"note_to_payer": "Sorry"})
    assert first.status_code == 201
    told = first.json()
    assert (told["status"], told["custom_id"], told["note_to_payer"]) == (
        "COMPLETED",
        "ref_1",
        "Sorry",
    )
    assert bench.get(f"/v2/payments/refunds/{told['id']}") == told
    assert bench.get(f"/v2/payments/captures/{capture_id}")["status"] == "PARTIALLY_REFUNDED"
    rest = refund(bench, capture_id, {}, "refund-2").json()
    assert rest["amount"] == usd("6.00")
    assert rest["seller_payable_breakdown"]["total_refunded_amount"] == usd("10.00")
    payments = bench.order(order_id)["purchase_units"][0]["payments"]
    assert payments["captures"][0]["status"] == "REFUNDED"
    assert len(payments["refunds"]) == 2
    assert bench.ledger()["payments"][0]["refunded"] == 1000
    events = bench.told(*PAID, "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REFUNDED")
    assert events[2]["resource_type"] == "refund"
    assert events[2]["resource"]["id"] == told["id"]
    assert events[2]["resource"]["links"][1]["href"].endswith(f"/captures/{capture_id}")


def test_the_same_refund_again_shows_what_it_did(bench: Bench) -> None:
    _, capture_id = bench.pay()
    body = {"amount": usd("4.00")}
    first, again = refund(bench, capture_id, body), refund(bench, capture_id, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert bench.ledger()["payments"][0]["refunded"] == 400


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": usd("10.01")}, "REFUND_AMOUNT_EXCEEDED"),
        ({"amount": {"currency_code": "EUR", "value": "1.00"}}, "CURRENCY_MISMATCH"),
        ({"amount": usd("0.00")}, "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ({"amount": usd("1.001")}, "DECIMAL_PRECISION"),
        ({"amount": usd("1.00"), "reason": "x"}, "INVALID_PARAMETER_SYNTAX"),
        ({"note_to_payer": "x" * 256}, "INVALID_STRING_LENGTH"),
        ({"note_to_payer": ""}, "INVALID_STRING_LENGTH"),
    ],
)
def test_refuses_as_paypal_does(bench: Bench, body: Json, expected: str) -> None:
    _, capture_id = bench.pay()
    assert issue(refund(bench, capture_id, body)) == expected
    assert bench.ledger()["payments"][0]["refunded"] == 0


def test_refuses_more_than_there_is(bench: Bench) -> None:
    _, capture_id = bench.pay()
    refund(bench, capture_id, {})
    answer = refund(bench, capture_id, {"amount": usd("1.00")}, "refund-2")
    assert issue(answer) == "CAPTURE_FULLY_REFUNDED"


def test_one_invoice_is_refunded_once(bench: Bench) -> None:
    _, capture_id = bench.pay()
    body = {"amount": usd("1.00"), "invoice_id": "ref_1"}
    refund(bench, capture_id, body)
    assert issue(refund(bench, capture_id, body, "refund-2")) == "DUPLICATE_INVOICE_ID"


@pytest.mark.parametrize(
    ("state", "expected"), [("PENDING", "PENDING_CAPTURE"), ("DECLINED", "REFUND_NOT_ALLOWED")]
)
def test_only_what_was_taken_goes_back(bench: Bench, state: str, expected: str) -> None:
    bench.fault(capture_as=state)
    _, capture_id = bench.pay()
    assert issue(refund(bench, capture_id, {})) == expected


def test_there_is_no_such_object(bench: Bench) -> None:
    assert issue(refund(bench, "NONE", {})) == "INVALID_RESOURCE_ID"
    for path in (
        "/v2/payments/captures/NONE",
        "/v2/payments/refunds/NONE",
        "/v1/customer/disputes/NONE",
    ):
        assert issue(bench.call("GET", path)) == "INVALID_RESOURCE_ID"


@pytest.mark.parametrize(
    ("end", "status", "event"),
    [
        ("complete", "COMPLETED", "PAYMENT.CAPTURE.REFUNDED"),
        ("fail", "FAILED", "PAYMENT.REFUND.FAILED"),
    ],
)
def test_a_refund_may_be_pending_first(bench: Bench, end: str, status: str, event: str) -> None:
    bench.fault(pending_refunds=True)
    _, capture_id = bench.pay()
    told = refund(bench, capture_id, {}).json()
    assert (told["status"], told["status_details"]) == ("PENDING", {"reason": "ECHECK"})
    bench.happen(f"refunds/{told['id']}/{end}")
    assert bench.get(f"/v2/payments/refunds/{told['id']}")["status"] == status
    expected = {"COMPLETED": "REFUNDED", "FAILED": "COMPLETED"}[status]
    assert bench.get(f"/v2/payments/captures/{capture_id}")["status"] == expected
    bench.told(*PAID, "PAYMENT.REFUND.PENDING", event)


def test_somebody_refunds_by_hand(bench: Bench) -> None:
    order_id, _ = bench.pay()
    told = bench.happen(f"payments/{order_id}/refund", amount=250)
    assert (told["amount"], told["custom_id"]) == (usd("2.50"), "pay_1")
    assert bench.happen(f"payments/{order_id}/refund")["amount"] == usd("7.50")
    refused = bench.browser.post(f"/_standin/payments/{order_id}/refund", json={"amount": 0})
    assert refused.status_code == 400


def test_a_reversal_is_in_no_list(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    told = bench.happen(f"payments/{order_id}/reverse")
    payments = bench.order(order_id)["purchase_units"][0]["payments"]
    assert "refunds" not in payments
    assert payments["captures"][0]["status"] == "REFUNDED"
    assert bench.get(f"/v2/payments/refunds/{told['id']}")["note_to_payer"] == "Payment reversed"
    events = bench.told(*PAID, "PAYMENT.CAPTURE.REVERSED")
    assert events[2]["resource"]["links"][1]["href"].endswith(f"/captures/{capture_id}")


def test_a_dispute_is_listed_by_its_transaction(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    bench.happen(f"payments/{order_id}/dispute", amount=300)
    path = f"/v1/customer/disputes?disputed_transaction_id={capture_id}"
    (listed,) = bench.get(path)["items"]
    assert (listed["status"], listed["dispute_amount"]) == ("OPEN", usd("3.00"))
    assert "disputed_transactions" not in listed
    details = bench.get(f"/v1/customer/disputes/{listed['dispute_id']}")
    assert details["disputed_transactions"] == [{"seller_transaction_id": capture_id}]
    told = bench.told(*PAID, "CUSTOMER.DISPUTE.CREATED")[2]
    disputed = {"seller_transaction_id": capture_id, "items": []}  # as real events have it
    assert told["resource"]["disputed_transactions"] == [disputed]
    assert told["resource_type"] == "dispute"


def test_how_a_dispute_ended_is_in_its_details_alone(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    dispute_id = bench.happen(f"payments/{order_id}/dispute")["dispute_id"]
    bench.happen(f"disputes/{dispute_id}/resolve", outcome="CANCELED_BY_BUYER")
    path = f"/v1/customer/disputes?disputed_transaction_id={capture_id}"
    (listed,) = bench.get(path)["items"]
    assert listed["status"] == "RESOLVED"
    assert "dispute_outcome" not in listed
    details = bench.get(f"/v1/customer/disputes/{dispute_id}")
    assert details["dispute_outcome"] == {"outcome_code": "CANCELED_BY_BUYER"}
    bench.told(*PAID, "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.RESOLVED")


def test_a_list_of_disputes_has_pages(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    for _ in range(2):
        bench.happen(f"payments/{order_id}/dispute")
    path = f"/v1/customer/disputes?disputed_transaction_id={capture_id}"
    assert len(bench.get(path)["items"]) == 2
    page = bench.get(f"{path}&page_size=1")
    assert len(page["items"]) == 1
    assert [link["rel"] for link in page["links"]] == ["self", "next"]
    assert "items" not in bench.get("/v1/customer/disputes?disputed_transaction_id=NONE")


def test_only_what_was_taken_can_be_disputed(bench: Bench) -> None:
    bench.fault(capture_as="DECLINED")
    order_id, _ = bench.pay()
    assert bench.browser.post(f"/_standin/payments/{order_id}/dispute", json={}).status_code == 422


def test_an_app_may_not_be_let_read_disputes(bench: Bench) -> None:
    bench.fault(no_disputes_feature=True)
    answer = bench.call("GET", "/v1/customer/disputes?disputed_transaction_id=X")
    assert (answer.status_code, answer.json()["name"]) == (403, "NOT_AUTHORIZED")
