"""Asking Pesapal to cancel and to give back: what is sent, and what each answer means."""

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import respx

from tests.psp.pesapal_values import (
    CANCEL,
    REFUND,
    STATUS,
    TOKEN,
    TRACKING_ID,
    Answers,
    adapter,
    pesapal_answers,
    refused,
    status_of,
    token,
    unpaid,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable, UnsupportedByPsp
from tollgate.domain.money import Money
from tollgate.domain.order import RefundOrder
from tollgate.domain.payment import Failure

LOST: list[Answers] = [
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(502, html="<h1>Bad gateway</h1>"),
    httpx.Response(500, json={"status": "500", "message": "Refund rejected"}),
    httpx.Response(200, html="<h1>One moment</h1>"),
]
"""What nobody knows the meaning of."""


def cancel(answer: Answers) -> Failure | None:
    with pesapal_answers("POST", CANCEL, answer) as route:
        failure = adapter().cancel(TRACKING_ID, "key")
        sent = json.loads(route.calls.last.request.content)
    assert sent == {"order_tracking_id": TRACKING_ID}
    return failure


def refund(
    answer: Answers, paid: dict[str, Any] | None = None, money: Money | None = None
) -> tuple[Failure | None, dict[str, Any] | None]:
    """What came of it, and what was sent, if anything."""
    order = RefundOrder("ref_1", TRACKING_ID, money or Money(150_000, "KES"), "fraudulent")
    with respx.mock(assert_all_called=False) as mock:
        mock.post(TOKEN).mock(return_value=token())
        mock.get(url__startswith=STATUS).respond(json=paid or status_of())
        route = mock.post(REFUND).mock(side_effect=[answer])
        failure = adapter().refund(order)
        return failure, json.loads(route.calls.last.request.content) if route.called else None


def received(message: str = "Refund request successfully", status: Any = "200") -> httpx.Response:
    return httpx.Response(200, json={"status": status, "message": message})


class TestCancel:
    @pytest.mark.parametrize("status", ["200", 200])
    def test_is_taken(self, status: Any) -> None:
        assert cancel(received("Order successfully cancelled.", status)) is None

    @pytest.mark.parametrize("answer", LOST)
    def test_a_lost_answer_is_no_refusal(self, answer: Answers) -> None:
        assert cancel(answer) is None

    def test_a_refusal_is_told(self) -> None:
        message = "Pesapal refused to cancel this payment."
        assert cancel(received("No.", "500")) == Failure("not_cancelable", message)
        assert cancel(refused("invalid_order")) == Failure("invalid_order", message)

    def test_without_a_connection_nothing_was_done(self) -> None:
        with pytest.raises(PspUnavailable):
            cancel(httpx.ConnectError("no"))


class TestRefund:
    def test_sends_what_was_paid_with_our_reference(self) -> None:
        assert refund(received()) == (
            None,
            {
                "confirmation_code": "6513008693186320103009",
                "amount": 1500,
                "username": "tollgate",
                "remarks": "Refund ref_1",
            },
        )

    def test_of_a_card_may_be_a_part(self) -> None:
        failure, sent = refund(received(), money=Money(50_025, "KES"))
        assert (failure, sent and sent["amount"]) == (None, 500.25)

    @pytest.mark.parametrize("method", ["MpesaKE", "AirtelKE", "MTN Uganda", "TigoTZ"])
    def test_of_mobile_money_is_all_or_nothing(self, method: str) -> None:
        paid = status_of(payment_method=method)
        failure, sent = refund(received(), paid, Money(50_000, "KES"))
        assert (failure and failure.code, sent) == ("partial_refund_unsupported", None)
        assert refund(received(), paid)[0] is None

    @pytest.mark.parametrize(
        ("paid", "money"),
        [
            (unpaid(), None),
            (status_of(2), None),
            (status_of(3), None),
            (status_of(99), None),
            (status_of(confirmation_code=""), None),
            (status_of(currency="XXX"), None),
            (status_of(), Money(150_001, "KES")),
            (status_of(), Money(100, "USD")),
        ],
    )
    def test_of_what_was_not_taken_is_not_asked_for(
        self, paid: dict[str, Any], money: Money | None
    ) -> None:
        failure, sent = refund(received(), paid, money)
        assert (failure and failure.code, sent) == ("not_refundable", None)

    def test_of_a_fraction_of_a_shilling_is_not_asked_for(self) -> None:
        paid = status_of(currency="TZS")
        failure, sent = refund(received(), paid, Money(100_050, "TZS"))
        assert (failure and failure.code, sent) == ("unsupported_amount", None)

    def test_a_rejection_is_a_failure(self) -> None:
        failure, _ = refund(received("Refund rejected", "500"))
        assert failure == Failure("refund_rejected", "Pesapal refused this refund.")
        assert refund(refused("invalid_amount"))[0] == Failure(
            "invalid_amount", "Pesapal refused this refund."
        )

    @pytest.mark.parametrize("answer", LOST)
    def test_a_lost_answer_is_no_refusal(self, answer: Answers) -> None:
        assert refund(answer)[0] is None

    def test_without_knowing_what_was_paid_nothing_is_asked_for(self) -> None:
        with pesapal_answers("GET", STATUS, httpx.Response(503)), pytest.raises(PspUnavailable):
            adapter().refund(RefundOrder("ref_1", TRACKING_ID, Money(1, "KES")))

    def test_wants_to_know_who_asks(self) -> None:
        with pytest.raises(Misconfigured, match="PESAPAL_REFUND_USERNAME"):
            adapter(PESAPAL_REFUND_USERNAME="none").refund(
                RefundOrder("ref_1", TRACKING_ID, Money(1, "KES"))
            )


def test_there_is_nothing_to_capture() -> None:
    failure = adapter().capture(TRACKING_ID, Money(1, "KES"), "key")
    assert failure is not None
    assert failure.code == "not_capturable"


def test_there_are_no_books() -> None:
    now = datetime.now(UTC)
    with pytest.raises(UnsupportedByPsp):
        adapter().list_movements(now, now)
