"""Capturing, canceling and refunding: what PayPal is asked, and what its answers mean."""

from datetime import UTC, datetime

import httpx
import pytest

from local.paypal.specification import ORDERS, PAYMENTS, problems
from tests.psp.paypal_values import (
    CAPTURE,
    NOT_FOUND,
    ORDER_ID,
    REFUND,
    adapter,
    body_of,
    capture,
    captured,
    issue,
    order,
    paypal_says,
    refund,
    refund_of,
    sent,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError
from tollgate.domain.money import Money
from tollgate.domain.payment import Failure

MONEY = Money(1000, "USD")
KEY = "tollgate-pay_1-capture-3"
Answers = httpx.Response | Exception


def ask_capture(
    answer: Answers | None = None, *, shows: object = None, money: Money = MONEY
) -> Failure | None:
    with paypal_says(shows=shows or order("APPROVED"), captures=answer):
        return adapter().capture(ORDER_ID, money, KEY)


def ask_refund(answer: Answers, *, shows: object = None) -> Failure | None:
    with paypal_says(shows=shows or captured(), refunds=answer):
        return adapter().refund(refund_of())


MAY_HAVE_HAPPENED = [
    issue(409, "PREVIOUS_REQUEST_IN_PROGRESS"),
    httpx.Response(500),
    httpx.Response(503, text="<html>"),
    httpx.Response(200, text="<html>"),
    httpx.Response(422, text="<html>"),
    httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut"),
]
DID_NOT_HAPPEN = [
    (httpx.ConnectError("refused"), PspUnavailable),
    (httpx.Response(429, json={"name": "RATE_LIMIT_REACHED"}), PspUnavailable),
    (httpx.Response(401, json={"error": "invalid_token"}), Misconfigured),
    (httpx.Response(403, json={"name": "NOT_AUTHORIZED"}), Misconfigured),
]


def test_a_capture_sends_an_empty_object_under_our_key() -> None:
    answer = httpx.Response(201, json=captured())
    with paypal_says(shows=order("APPROVED"), captures=answer) as router:
        assert adapter().capture(ORDER_ID, MONEY, KEY) is None
    (request,) = sent(router, CAPTURE)
    assert request.content == b"{}"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["PayPal-Request-Id"] == KEY
    assert problems(ORDERS, "order_capture_request", body_of(request)) == []


def test_a_capture_that_paypal_declines_later_is_told_by_fetch() -> None:
    assert ask_capture(httpx.Response(201, json=captured(capture("DECLINED")))) is None


@pytest.mark.parametrize(
    "shows",
    [captured(), captured(capture("PENDING")), captured(capture("REFUNDED")), order("WEIRD")],
    ids=["COMPLETED", "PENDING", "REFUNDED", "unknown"],
)
def test_what_is_captured_already_is_not_asked_again(shows: object) -> None:
    with paypal_says(shows=shows) as router:
        assert adapter().capture(ORDER_ID, MONEY, KEY) is None
    assert sent(router, CAPTURE) == []


@pytest.mark.parametrize("money", [Money(999, "USD"), Money(1000, "EUR"), Money(1001, "USD")])
def test_paypal_captures_the_whole_amount_or_nothing(money: Money) -> None:
    with paypal_says(shows=order("APPROVED")) as router:
        refusal = adapter().capture(ORDER_ID, money, KEY)
    assert refusal is not None
    assert refusal.code == "amount_mismatch"
    assert sent(router, CAPTURE) == []


@pytest.mark.parametrize(
    ("shows", "code"),
    [
        (order(), "order_not_approved"),
        (order("VOIDED"), "order_not_approved"),
        (captured(capture("DECLINED")), "order_not_approved"),
        (NOT_FOUND, "invalid_resource_id"),
    ],
    ids=["waits", "voided", "declined", "unknown"],
)
def test_there_may_be_nothing_to_capture(shows: object, code: str) -> None:
    refusal = ask_capture(shows=shows)
    assert refusal is not None
    assert refusal.code == code


@pytest.mark.parametrize(
    "name",
    ["ORDER_ALREADY_CAPTURED", "ORDER_COMPLETION_IN_PROGRESS", "DUPLICATE_INVOICE_ID"],
)
def test_a_capture_that_was_done_before_is_no_refusal(name: str) -> None:
    assert ask_capture(issue(422, name)) is None


@pytest.mark.parametrize(
    "name",
    [
        "INSTRUMENT_DECLINED",
        "ORDER_NOT_APPROVED",
        "PAYER_ACTION_REQUIRED",
        "ORDER_EXPIRED",
        "TRANSACTION_REFUSED",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        "COMPLIANCE_VIOLATION",
        "PAYER_CANNOT_PAY",
        "PAYEE_ACCOUNT_RESTRICTED",
    ],
)
def test_a_capture_that_is_refused(name: str) -> None:
    said = Failure(name.lower(), "PayPal refused to capture this payment.")
    assert ask_capture(issue(422, name)) == said


@pytest.mark.parametrize("answer", MAY_HAVE_HAPPENED, ids=repr)
def test_a_capture_that_may_have_happened_is_no_refusal(answer: Answers) -> None:
    assert ask_capture(answer) is None


@pytest.mark.parametrize(("answer", "error"), DID_NOT_HAPPEN, ids=repr)
def test_a_capture_that_did_not_happen_is_an_error(
    answer: Answers, error: type[TollgateError]
) -> None:
    with pytest.raises(error):
        ask_capture(answer)


@pytest.mark.parametrize("shows", [httpx.Response(500), httpx.ReadTimeout("slow")], ids=repr)
def test_nothing_is_captured_or_refunded_unseen(shows: Answers) -> None:
    with paypal_says(shows=shows) as router:
        with pytest.raises(PspUnavailable):
            adapter().capture(ORDER_ID, MONEY, KEY)
        with pytest.raises(PspUnavailable):
            adapter().refund(refund_of())
    assert sent(router, CAPTURE) == sent(router, REFUND) == []


def test_canceling_sends_nothing() -> None:
    with paypal_says() as router:
        assert adapter().cancel(ORDER_ID, "tollgate-pay_1-cancel-2") is None
    assert router.requests == []


def test_there_are_no_books_to_read() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    assert list(adapter().list_movements(start, end)) == []


def test_a_refund_is_of_the_capture_under_our_names() -> None:
    answer = httpx.Response(201, json=refund())
    with paypal_says(shows=captured(), refunds=answer) as router:
        assert adapter().refund(refund_of(reason="Sent twice")) is None
    (request,) = sent(router, REFUND)
    assert body_of(request) == {
        "amount": {"currency_code": "USD", "value": "4.00"},
        "custom_id": "ref_1",
        "invoice_id": "ref_1",
        "note_to_payer": "Sent twice",
    }
    assert request.headers["PayPal-Request-Id"] == "tollgate-ref_1"
    assert problems(PAYMENTS, "refund_request", body_of(request)) == []


@pytest.mark.parametrize("reason", [None, "", "a" * 256, "two\nlines", "a\x00b"], ids=repr)
def test_only_a_harmless_reason_is_passed_on(reason: str | None) -> None:
    with paypal_says(shows=captured(), refunds=httpx.Response(201, json=refund())) as router:
        adapter().refund(refund_of(reason=reason))
    (request,) = sent(router, REFUND)
    assert "note_to_payer" not in body_of(request)
    assert problems(PAYMENTS, "refund_request", body_of(request)) == []


def test_a_refund_is_of_the_capture_that_took_money() -> None:
    shows = captured(capture("DECLINED", id="FIRST"), capture())
    with paypal_says(shows=shows, refunds=httpx.Response(201, json=refund())) as router:
        adapter().refund(refund_of())
    assert len(sent(router, REFUND)) == 1


@pytest.mark.parametrize(
    "shows",
    [order("APPROVED"), captured(capture("PENDING")), captured(capture("DECLINED")), NOT_FOUND],
    ids=["APPROVED", "PENDING", "DECLINED", "unknown"],
)
def test_there_may_be_nothing_to_give_back(shows: object) -> None:
    with paypal_says(shows=shows):
        refusal = adapter().refund(refund_of())
    assert refusal is not None
    assert refusal.code == "not_refundable"


@pytest.mark.parametrize(
    "name",
    [
        "CAPTURE_FULLY_REFUNDED",
        "REFUND_AMOUNT_EXCEEDED",
        "REFUND_TIME_LIMIT_EXCEEDED",
        "PENDING_CAPTURE",
        "TRANSACTION_DISPUTED",
        "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK",
        "REFUND_FAILED_INSUFFICIENT_FUNDS",
        "MAX_NUMBER_OF_REFUNDS_EXCEEDED",
        "CURRENCY_MISMATCH",
        "DECIMALS_NOT_SUPPORTED",
    ],
)
def test_a_refund_that_is_refused(name: str) -> None:
    assert ask_refund(issue(422, name)) == Failure(name.lower(), "PayPal refused this refund.")


def test_a_refund_that_was_made_before_under_our_id_is_no_refusal() -> None:
    assert ask_refund(issue(422, "DUPLICATE_INVOICE_ID")) is None


@pytest.mark.parametrize("answer", MAY_HAVE_HAPPENED, ids=repr)
def test_a_refund_that_may_have_happened_is_no_refusal(answer: Answers) -> None:
    assert ask_refund(answer) is None


@pytest.mark.parametrize(("answer", "error"), DID_NOT_HAPPEN, ids=repr)
def test_a_refund_that_did_not_happen_is_an_error(
    answer: Answers, error: type[TollgateError]
) -> None:
    with pytest.raises(error):
        ask_refund(answer)
