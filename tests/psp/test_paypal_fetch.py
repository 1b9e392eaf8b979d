"""Reading a payment: what each state of an order, a capture, a refund and a dispute means."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.psp.paypal_values import (
    CAPTURE_ID,
    NOT_FOUND,
    ORDER,
    ORDER_ID,
    PAGE,
    TOKEN,
    Json,
    adapter,
    capture,
    captured,
    fetch,
    order,
    paypal_says,
    refund,
    sent,
    token,
    usd,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import PaymentStatus


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("CREATED", PaymentStatus.REQUIRES_ACTION),
        ("SAVED", PaymentStatus.REQUIRES_ACTION),
        ("PAYER_ACTION_REQUIRED", PaymentStatus.REQUIRES_ACTION),
        ("APPROVED", PaymentStatus.AUTHORIZED),
        ("VOIDED", PaymentStatus.CANCELED),
    ],
)
def test_an_order_that_nobody_captured(word: str, status: PaymentStatus) -> None:
    outcome = fetch(order(word))
    waits = status is PaymentStatus.REQUIRES_ACTION
    assert outcome == Outcome(
        status,
        psp_reference=ORDER_ID,
        reference="pay_1",
        money=Money(1000, "USD"),
        livemode=False,
        method="paypal",
        next_action={"type": "redirect", "url": PAGE} if waits else None,
    )


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("COMPLETED", PaymentStatus.SUCCEEDED),
        ("PENDING", PaymentStatus.PROCESSING),
        ("DECLINED", PaymentStatus.FAILED),
        ("FAILED", PaymentStatus.FAILED),
    ],
)
def test_a_completed_order_is_what_its_capture_is(word: str, status: PaymentStatus) -> None:
    outcome = fetch(captured(capture(word)))
    assert (outcome.status, outcome.reference) == (status, "pay_1")
    assert outcome.money == Money(1000, "USD")
    assert outcome.references == (CAPTURE_ID,)
    assert outcome.next_action is None


def test_what_was_taken_is_told_with_its_fee() -> None:
    outcome = fetch(captured(capture(amount=usd("9.99"))))
    assert outcome.money == Money(999, "USD")
    assert outcome.fee == Money(84, "USD")


def test_a_fee_may_be_in_another_currency_or_not_told() -> None:
    fee = {"paypal_fee_in_receivable_currency": {"currency_code": "EUR", "value": "0.80"}}
    outcome = fetch(captured(capture(seller_receivable_breakdown=fee)))
    assert outcome.fee == Money(80, "EUR")
    unsaid = capture()
    del unsaid["seller_receivable_breakdown"]
    assert fetch(captured(unsaid)).fee is None


def test_captures_that_were_taken_are_added_up() -> None:
    outcome = fetch(captured(capture(), capture(id="SECOND"), capture("DECLINED", id="THIRD")))
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, Money(2000, "USD"))
    assert outcome.references == (CAPTURE_ID, "SECOND", "THIRD")


def test_captures_in_two_currencies_are_no_money_of_ours() -> None:
    other = capture(id="SECOND", amount={"currency_code": "EUR", "value": "1.00"})
    assert fetch(captured(capture(), other)).money is None


def test_money_in_a_currency_that_we_do_not_know_is_none() -> None:
    assert fetch(captured(capture(amount={"currency_code": "XXX", "value": "1.00"}))).money is None


def test_an_approved_order_whose_capture_was_declined_may_be_captured_again() -> None:
    unit = {"payments": {"captures": [capture("DECLINED")]}}
    assert fetch(order("APPROVED", **unit)).status is PaymentStatus.AUTHORIZED


@pytest.mark.parametrize("word", ["WEIRD", "completed", "REVERSED"])
def test_a_word_that_paypal_does_not_publish_is_unknown(word: str) -> None:
    assert fetch(order(word)) is UNKNOWN
    assert fetch(captured(capture(word))) is UNKNOWN
    assert fetch(captured(capture(), capture(word, id="SECOND"))) is UNKNOWN
    assert fetch(captured() | {"status": word}) is UNKNOWN


def test_a_completed_order_without_captures_is_unknown() -> None:
    assert fetch(order("COMPLETED")) is UNKNOWN


def test_authorizations_are_names_of_the_payment_too() -> None:
    unit = {"payments": {"authorizations": [{"id": "7W5147081L658180V"}]}}
    assert fetch(order("APPROVED", **unit)).references == ("7W5147081L658180V",)


def test_an_order_that_paypal_does_not_know_any_more_has_expired() -> None:
    assert fetch(NOT_FOUND) == Outcome(PaymentStatus.EXPIRED, psp_reference=ORDER_ID)


def test_a_reference_can_not_leave_its_place_in_the_address() -> None:
    with paypal_says() as router:
        route = router.get(f"{ORDER}%2F..%2F..").mock(
            return_value=httpx.Response(200, json=order())
        )
        adapter().fetch(f"{ORDER_ID}/../..")
        assert route.called


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text="<html>"),
        httpx.Response(404, json={}),
        httpx.Response(404, json={"name": "SOMETHING_ELSE"}),
        httpx.Response(500, json=order()),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"[" * 100_000),
        httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
        httpx.Response(403, text="<html>"),
        httpx.Response(429, json={"name": "RATE_LIMIT_REACHED"}),
        httpx.Response(200, json=captured(capture(amount=usd("-1e999")))),
        httpx.Response(200, json=captured(capture(id=None))),
        httpx.Response(200, json=captured(refunds=(refund(amount=usd("-4.00")),))),
        httpx.Response(200, json=captured() | {"payment_source": "paypal"}),
        httpx.ReadTimeout("slow"),
        httpx.ConnectError("refused"),
    ],
    ids=lambda answer: repr(answer)[:60],
)
def test_what_can_not_be_read_is_an_error(answer: httpx.Response | Exception) -> None:
    with pytest.raises(PspUnavailable) as raised:
        fetch(answer)
    assert "html" not in str(raised.value)


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"error": "invalid_token"}),
        httpx.Response(403, json={"name": "NOT_AUTHORIZED"}),
    ],
    ids=repr,
)
def test_refused_credentials_are_a_setting_to_mend(answer: httpx.Response) -> None:
    with pytest.raises(Misconfigured):
        fetch(answer)


def test_a_refused_token_is_fetched_again_once() -> None:
    with paypal_says() as router:
        router.post(TOKEN).mock(side_effect=[token("A21AA-old"), token("A21AA-new")])
        router.get(ORDER).mock(side_effect=[httpx.Response(401), httpx.Response(200, json=order())])
        assert adapter().fetch(ORDER_ID).status is PaymentStatus.REQUIRES_ACTION
    assert len(sent(router, TOKEN)) == 2


# What the client let us keep


def vaulted(**vault: Any) -> Json:
    source = {"paypal": {"attributes": {"vault": vault}}}
    return captured() | {"payment_source": source}


def test_what_was_kept_is_told() -> None:
    kept = vaulted(id="8kk8451t", status="VAULTED", customer={"id": "cust1234"})
    assert fetch(kept).saved_method == SavedMethod("cust1234", "8kk8451t")
    assert fetch(vaulted(id="8kk8451t")).saved_method == SavedMethod("", "8kk8451t")


@pytest.mark.parametrize("status", ["APPROVED", "CREATED", "WEIRD"])
def test_what_is_not_kept_yet_is_not_told(status: str) -> None:
    assert fetch(vaulted(id="8kk8451t", status=status)).saved_method is None
    assert fetch(vaulted(status=status)).saved_method is None
    assert fetch(captured()).saved_method is None


def test_the_method_is_the_source_that_paid() -> None:
    assert fetch(captured() | {"payment_source": {"card": {}}}).method == "card"
    assert fetch(captured() | {"payment_source": {}}).method is None


def test_find_tells_of_no_order_whose_page_nobody_has() -> None:
    with paypal_says() as router:
        assert adapter().find("pay_1", datetime(2026, 1, 1, tzinfo=UTC)) is None
        with pytest.raises(PspUnavailable):  # it may have been charged without a page
            adapter().find("pay_1", datetime(2026, 1, 1, tzinfo=UTC), off_session=True)
    assert router.requests == []
