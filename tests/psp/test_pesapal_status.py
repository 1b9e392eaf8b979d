"""What Pesapal says of a payment, and what is made of it."""

from typing import Any

import httpx
import pytest

from tests.psp.pesapal_values import (
    PAYMENT_ID,
    STATUS,
    TRACKING_ID,
    Answers,
    adapter,
    pesapal_answers,
    refused,
    status_of,
    unpaid,
)
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus

MONEY = Money(150_000, "KES")


def fetch(answer: Answers | dict[str, Any]) -> Outcome:
    response = httpx.Response(200, json=answer) if isinstance(answer, dict) else answer
    with pesapal_answers("GET", STATUS, response) as route:
        outcome = adapter().fetch(TRACKING_ID)
        assert dict(route.calls.last.request.url.params) == {"orderTrackingId": TRACKING_ID}
    return outcome


def test_completed_is_paid() -> None:
    assert fetch(status_of()) == Outcome(
        PaymentStatus.SUCCEEDED,
        psp_reference=TRACKING_ID,
        reference=PAYMENT_ID,
        money=MONEY,
        livemode=False,
        method="card",
    )


def test_failed_is_a_failure_that_tells_nothing_of_the_client() -> None:
    told = {
        "description": "Request terminated by user",
        "payment_status_code": "request_terminated_by_user",
        "payment_method": "MpesaKE",
        "payment_account": "2547xxx678",
    }
    outcome = fetch(status_of(2, **told))
    assert (outcome.status, outcome.method) == (PaymentStatus.FAILED, "mpesa")
    message = "The payment did not go through at Pesapal."
    assert outcome.failure == Failure("request_terminated_by_user", message)


@pytest.mark.parametrize("code", ["", None, "Jane Doe, 0712345678", 7])
def test_a_code_that_may_hold_anything_is_not_repeated(code: Any) -> None:
    failure = fetch(status_of(2, payment_status_code=code)).failure
    assert failure is not None
    assert failure.code == "payment_failed"


def test_reversed_is_paid_and_given_back_nobody_knows_how_much() -> None:
    outcome = fetch(status_of(3))
    reversal = RefundOutcome(f"{TRACKING_ID}-reversed", None, None, RefundStatus.SUCCEEDED)
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, MONEY)
    assert (outcome.refunds, outcome.disputes) == ((reversal,), ())


@pytest.mark.parametrize(
    "answer",
    [
        unpaid(),
        unpaid(status=500),
        unpaid(status_code=None),
        status_of(0, payment_status_description="Completed"),
        httpx.Response(500, json=unpaid()),
    ],
)
def test_unpaid_can_still_be_paid(answer: Any) -> None:
    outcome = fetch(answer)
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    assert (outcome.reference, outcome.money, outcome.failure) == (PAYMENT_ID, MONEY, None)


def test_an_unpaid_order_may_be_told_of_without_a_word_about_it() -> None:
    error = unpaid()["error"]
    for silent in (
        {"error": error, "status": "500"},
        unpaid(amount=0.0, currency=None, merchant_reference=None, order_tracking_id=None),
        unpaid(amount=None, currency="", merchant_reference=""),
    ):
        outcome = fetch(silent)
        assert outcome.status is PaymentStatus.REQUIRES_ACTION
        assert (outcome.reference, outcome.money) == (None, None)


@pytest.mark.parametrize("text", ["COMPLETED", "Failed", "", None])
def test_the_code_decides_and_not_the_text(text: str | None) -> None:
    assert fetch(status_of(1, payment_status_description=text)).status is PaymentStatus.SUCCEEDED
    assert fetch(status_of("1")).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("code", [4, 99, -1])
def test_a_code_that_is_not_documented_is_unknown(code: int) -> None:
    assert fetch(status_of(code)) is UNKNOWN


@pytest.mark.parametrize(
    ("said", "method"),
    [
        ("Visa", "card"),
        ("MasterCard", "card"),
        ("American Express", "card"),
        ("MpesaKE", "mpesa"),
        ("M-Pesa TZ", "mpesa"),
        ("AirtelUG", "airtel"),
        ("Airtel Money", "airtel"),
        ("Pesapal Wallet", "pesapalwallet"),
        ("", None),
        (None, None),
    ],
)
def test_a_method_has_one_name(said: str | None, method: str | None) -> None:
    assert fetch(status_of(payment_method=said)).method == method


@pytest.mark.parametrize(
    ("amount", "currency", "money"),
    [
        (1500.10, "KES", Money(150_010, "KES")),
        (0.01, "USD", Money(1, "USD")),
        (5000.0, "UGX", Money(5_000, "UGX")),
        ("1500.00", "KES", MONEY),
        (1500, "kes", MONEY),
        (1500.001, "KES", None),
        (1500.0, "XXX", None),
    ],
)
def test_money_is_what_pesapal_says(amount: Any, currency: str, money: Money | None) -> None:
    assert fetch(status_of(amount=amount, currency=currency)).money == money


@pytest.mark.parametrize(
    "reference", ["SUB-1", "pay-019ac1.k3j9x0ab", "x" + PAYMENT_ID, PAYMENT_ID + "x"]
)
def test_another_reference_is_not_taken_for_ours(reference: str) -> None:
    assert fetch(status_of(merchant_reference=reference)).reference not in (None, PAYMENT_ID)


def test_no_reference_is_none() -> None:
    assert fetch(status_of(merchant_reference=None)).reference is None


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.Response(503),
        httpx.Response(429),
        httpx.Response(200, html="<h1>One moment</h1>"),
        httpx.Response(200, content=b'{"status_code": 1, "amount": 1e400'),
        httpx.Response(500, json=status_of()),
        refused("invalid_order_tracking_id"),
        status_of(1, status="500"),
        status_of(1, status=None),
        status_of(1, error={"code": "internal"}),
        status_of(1, error={"code": "payment_details_not_found"}, status="500"),
        status_of(2, error={"code": "payment_details_not_found"}, status="500"),
        status_of(None),
        status_of(True),
        status_of("COMPLETED"),
        status_of() | {"status_code": [1]},
        status_of(amount=None),
        status_of(amount="much"),
        status_of(amount=True),
        status_of(amount=[1500]),
        status_of(currency=None),
        status_of(currency=7),
        status_of(order_tracking_id="another"),
        status_of(merchant_reference="x" * 300),
        status_of(payment_method={"name": "Visa"}),
    ],
)
def test_what_is_not_as_documented_is_not_believed(answer: Any) -> None:
    with pytest.raises(PspUnavailable) as raised:
        fetch(answer)
    assert "1500" not in raised.value.detail


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1e400", "-1e999999999"])
def test_numbers_that_are_none_are_not_believed(amount: str) -> None:
    body = str(status_of(amount="@")).replace("'@'", amount)
    text = body.replace("'", '"').replace("None", "null")
    with pytest.raises(PspUnavailable):
        fetch(httpx.Response(200, text=text))
