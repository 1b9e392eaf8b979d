"""Which event tells of a payment's move."""

from dataclasses import replace

import pytest

from tests.domain.psp_words import LATER, WHOLE, payment
from tollgate.domain.events import REFUND_EVENTS, EventType, payment_event
from tollgate.domain.payment import EDGES, PAID, PaymentStatus
from tollgate.domain.refund import RefundStatus

SUCCEEDED, PARTLY = PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED
REFUNDED, DISPUTED = PaymentStatus.REFUNDED, PaymentStatus.DISPUTED
PENDING, REVIEW = PaymentStatus.PENDING, PaymentStatus.NEEDS_REVIEW
REFUNDED_MINOR = {SUCCEEDED: 0, PARTLY: 100, REFUNDED: WHOLE, DISPUTED: 0}


def event(before: PaymentStatus, after: PaymentStatus) -> str | None:
    """What is told of this move, with the amounts that the states stand for."""
    start = payment(before, amount_refunded_minor=REFUNDED_MINOR.get(before, 0))
    moved = replace(start, status=after, amount_refunded_minor=REFUNDED_MINOR.get(after, 0))
    dispute_moved = before is not after and DISPUTED in (before, after)
    return payment_event(start, moved, dispute_moved=dispute_moved)


def expected(before: PaymentStatus, after: PaymentStatus) -> str | None:
    if after is REVIEW:
        return "payment.needs_review"
    if DISPUTED in (before, after):
        return "payment.disputed"
    if before in PAID:
        grows = REFUNDED_MINOR[after] > REFUNDED_MINOR[before]
        return "payment.refunded" if grows else None
    return "payment.refunded" if after is PARTLY else f"payment.{after}"


@pytest.mark.parametrize(
    ("before", "after"),
    [(before, after) for before in sorted(EDGES) for after in sorted(EDGES[before])],
)
def test_every_move_is_told(before: PaymentStatus, after: PaymentStatus) -> None:
    assert event(before, after) == expected(before, after)


@pytest.mark.parametrize("status", sorted(set(PaymentStatus) - {DISPUTED}))
def test_nothing_is_told_where_nothing_moves(status: PaymentStatus) -> None:
    start = payment(status)
    assert payment_event(start, start) is None
    assert payment_event(start, replace(start, method="card", updated_at=LATER)) is None


def test_a_payment_that_is_recorded_is_no_event() -> None:
    assert event(PaymentStatus.FAILED, PENDING) is None


def test_another_part_that_goes_back_is_told() -> None:
    start = payment(PARTLY, amount_refunded_minor=100)
    more = replace(start, amount_refunded_minor=101)
    assert payment_event(start, more) is EventType.PAYMENT_REFUNDED
    assert payment_event(more, start) is None, "that a refund failed is told by its own event"


def test_that_a_dispute_was_decided_is_told_though_the_payment_stays_disputed() -> None:
    start = payment(DISPUTED)
    later = replace(start, updated_at=LATER)
    assert payment_event(start, later, dispute_moved=True) is EventType.PAYMENT_DISPUTED
    assert payment_event(start, later) is None, "a fee that is heard of is nobody's news"


def test_a_refund_tells_of_its_end_and_of_nothing_else() -> None:
    assert {
        RefundStatus.SUCCEEDED: "refund.succeeded",
        RefundStatus.FAILED: "refund.failed",
    } == REFUND_EVENTS


def test_every_event_is_named_after_what_it_is_of() -> None:
    assert {each.split(".")[0] for each in EventType} == {"payment", "refund", "subscription"}
    told = {status for status in PaymentStatus if f"payment.{status}" in set(EventType)}
    assert set(PaymentStatus) - told == {PENDING, PARTLY}
