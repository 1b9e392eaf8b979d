"""Reading what went back of a payment: refunds, reversals and disputes."""

import httpx
import pytest

from tests.psp.paypal_values import (
    CAPTURE_ID,
    DISPUTES,
    NOT_FOUND,
    ORDER_ID,
    Json,
    adapter,
    capture,
    captured,
    dispute,
    fetch,
    order,
    paypal_says,
    refund,
    sent,
    usd,
)
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus

# What went back


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("COMPLETED", RefundStatus.SUCCEEDED),
        ("PENDING", RefundStatus.PENDING),
        ("WEIRD", RefundStatus.PENDING),
    ],
)
def test_a_refund(word: str, status: RefundStatus) -> None:
    (told,) = fetch(captured(capture("PARTIALLY_REFUNDED"), refunds=(refund(word),))).refunds
    assert told == RefundOutcome("1JU08902781691411", "ref_1", Money(400, "USD"), status)


@pytest.mark.parametrize("word", ["FAILED", "CANCELLED"])
def test_a_refund_that_did_not_go_back(word: str) -> None:
    (told,) = fetch(captured(refunds=(refund(word),))).refunds
    assert told.status is RefundStatus.FAILED
    assert told.failure == Failure(word.lower(), "The money did not go back.")


@pytest.mark.parametrize(
    "names",
    [{"custom_id": None}, {"invoice_id": None}, {"custom_id": "pay_1"}],
    ids=repr,
)
def test_our_reference_is_either_name_of_a_refund(names: Json) -> None:
    (told,) = fetch(captured(refunds=(refund(**names),))).refunds
    assert told.refund_id == "ref_1"


@pytest.mark.parametrize(
    "names",
    [
        {"custom_id": None, "invoice_id": None},
        {"custom_id": "pay_1", "invoice_id": "pay_1"},
        {"custom_id": "pay_1", "invoice_id": None},
    ],
    ids=repr,
)
def test_a_refund_by_hand_has_no_name_of_ours(names: Json) -> None:
    (told,) = fetch(captured(refunds=(refund(**names),))).refunds
    assert told.refund_id is None


def test_what_went_back_without_being_listed_is_told_too() -> None:
    told = fetch(captured(capture("REFUNDED"), refunds=(refund(),))).refunds
    assert [(one.psp_reference, one.money) for one in told] == [
        ("1JU08902781691411", Money(400, "USD")),
        (CAPTURE_ID, Money(600, "USD")),
    ]
    assert told[1].refund_id is None
    assert told[1].status is RefundStatus.SUCCEEDED


@pytest.mark.parametrize("word", ["COMPLETED", "PENDING"])
def test_what_is_listed_is_not_told_twice(word: str) -> None:
    whole = refund(word, amount=usd("10.00"))
    assert len(fetch(captured(capture("REFUNDED"), refunds=(whole,))).refunds) == 1


def test_a_refund_that_failed_does_not_count_as_listed() -> None:
    failed = refund("FAILED", amount=usd("10.00"))
    told = fetch(captured(capture("REFUNDED"), refunds=(failed,))).refunds
    assert [one.money for one in told] == [Money(1000, "USD"), Money(1000, "USD")]


def test_a_part_that_went_back_without_saying_how_much_can_not_be_read() -> None:
    with pytest.raises(PspUnavailable):
        fetch(captured(capture("PARTIALLY_REFUNDED")))


# Disputes


def test_disputes_are_asked_of_what_was_taken_and_of_nothing_else() -> None:
    for shows, questions in (
        (captured(), 1),
        (captured(capture("REFUNDED")), 1),
        (order(), 0),
        (order("APPROVED"), 0),
        (captured(capture("PENDING")), 0),
        (captured(capture("DECLINED")), 0),
        (NOT_FOUND, 0),
    ):
        with paypal_says(shows=shows) as router:
            adapter().fetch(ORDER_ID)
        asked = sent(router, DISPUTES)
        assert len(asked) == questions
        assert all(one.url.params["disputed_transaction_id"] == CAPTURE_ID for one in asked)


@pytest.mark.parametrize(
    "word",
    [
        "OPEN",
        "WAITING_FOR_BUYER_RESPONSE",
        "WAITING_FOR_SELLER_RESPONSE",
        "UNDER_REVIEW",
        "OTHER",
        "WEIRD",
    ],
)
def test_a_dispute_that_is_not_resolved_is_open(word: str) -> None:
    outcome = fetch(captured(), {"items": [dispute(word)]})
    assert outcome.status is PaymentStatus.SUCCEEDED
    assert outcome.disputes == (DisputeOutcome("PP-D-1", Money(300, "USD"), DisputeStatus.OPEN),)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
        ("ACCEPTED", DisputeStatus.LOST),
        ("RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED_WITH_PAYOUT", DisputeStatus.WON),
        ("CANCELED_BY_BUYER", DisputeStatus.WON),
        ("DENIED", DisputeStatus.WON),
        ("NONE", DisputeStatus.OPEN),
        ("WEIRD", DisputeStatus.OPEN),
        (None, DisputeStatus.OPEN),
    ],
)
def test_how_a_dispute_ended_is_in_its_details(code: str | None, status: DisputeStatus) -> None:
    with paypal_says(shows=captured(), disputes={"items": [dispute("RESOLVED")]}) as router:
        details = httpx.Response(200, json=dispute("RESOLVED", code))
        router.get(f"{DISPUTES}/PP-D-1").mock(return_value=details)
        outcome = adapter().fetch(ORDER_ID)
    assert [one.status for one in outcome.disputes] == [status]


def test_an_end_that_the_list_tells_is_not_asked_again() -> None:
    listed = {"items": [dispute("RESOLVED", "ACCEPTED")]}
    with paypal_says(shows=captured(), disputes=listed) as router:
        outcome = adapter().fetch(ORDER_ID)
    assert [one.status for one in outcome.disputes] == [DisputeStatus.LOST]
    assert sent(router, f"{DISPUTES}/PP-D-1") == []


@pytest.mark.parametrize("none", [{}, {"items": []}, {"items": None, "links": None}, NOT_FOUND])
def test_no_disputes(none: object) -> None:
    assert fetch(captured(), none).disputes == ()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(500), PspUnavailable),
        (httpx.Response(200, text="<html>"), PspUnavailable),
        (httpx.Response(200, json={"items": [{}]}), PspUnavailable),
        (httpx.Response(200, json={"items": ["PP-D-1"]}), PspUnavailable),
        (httpx.Response(200, json={"items": [], "links": [{"rel": "next"}]}), PspUnavailable),
        (httpx.Response(403, json={"name": "NOT_AUTHORIZED"}), Misconfigured),
        (httpx.ReadTimeout("slow"), PspUnavailable),
    ],
    ids=repr,
)
def test_a_payment_whose_disputes_can_not_be_read_can_not_be_read(
    answer: httpx.Response | Exception, error: type[TollgateError]
) -> None:
    with pytest.raises(error):
        fetch(captured(), answer)


def test_details_that_can_not_be_read_are_no_end() -> None:
    for details in (httpx.Response(500), NOT_FOUND):
        with paypal_says(shows=captured(), disputes={"items": [dispute("RESOLVED")]}) as router:
            router.get(f"{DISPUTES}/PP-D-1").mock(return_value=details)
            with pytest.raises(PspUnavailable):
                adapter().fetch(ORDER_ID)


@pytest.mark.parametrize("word", ["PENDING", "DECLINED", "FAILED"])
@pytest.mark.parametrize("reason", ["CHARGEBACK", "BUYER_COMPLAINT"])
def test_money_that_a_dispute_holds_was_taken(word: str, reason: str) -> None:
    held = captured(capture(word, status_details={"reason": reason}))
    outcome = fetch(held, {"items": [dispute()]})
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, Money(1000, "USD"))
    assert len(outcome.disputes) == 1
    assert fetch(held).status is not PaymentStatus.SUCCEEDED


def test_what_a_lost_dispute_took_is_not_told_as_refunded_too() -> None:
    lost = dispute("RESOLVED", "ACCEPTED", dispute_amount=usd("10.00"))
    assert fetch(captured(capture("REFUNDED")), {"items": [lost]}).refunds == ()
    won = dispute("RESOLVED", "DENIED", dispute_amount=usd("10.00"))
    assert len(fetch(captured(capture("REFUNDED")), {"items": [won]}).refunds) == 1
