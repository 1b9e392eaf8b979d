"""How a PSP's word moves a payment: along the edges, and only when it matches what was asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tollgate.domain.events import PAYMENT_EVENTS
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import EDGES, OPEN, Failure, Payment, PaymentStatus
from tollgate.domain.settling import apply, mismatch

NOW = datetime(2026, 1, 31, 9, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
UNPAID = {PaymentStatus.FAILED, PaymentStatus.CANCELED, PaymentStatus.EXPIRED}
EVERY_PAIR = [(before, after) for before in PaymentStatus for after in PaymentStatus]


def payment(status: PaymentStatus = PaymentStatus.PENDING) -> Payment:
    return Payment(
        id="pay_1",
        app_id="app_1",
        client_id="client-1",
        money=Money(150_000, "KES"),
        status=status,
        psp="stripe",
        livemode=False,
        version=3,
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + timedelta(hours=23),
    )


def said(status: PaymentStatus) -> Outcome:
    """A PSP's word that agrees with the payment in everything."""
    return Outcome(status, "ref_1", "pay_1", Money(150_000, "KES"), livemode=False)


WRONG_WORDS: dict[str, dict[str, Any]] = {
    "reference": {"reference": "pay_2"},
    "livemode": {"livemode": True},
    "amount": {"money": Money(149_999, "KES")},
    "currency": {"money": Money(150_000, "UGX")},
}
SILENCES: dict[str, dict[str, Any]] = {
    "reference": {"reference": None},
    "livemode": {"livemode": None},
    "amount": {"money": None},
}


@pytest.mark.parametrize(("before", "after"), EVERY_PAIR)
def test_moves_along_the_edges_and_nowhere_else(
    before: PaymentStatus, after: PaymentStatus
) -> None:
    start = payment(before)
    moved = apply(start, said(after), LATER)
    # what needs review is ended by an operator, never by a PSP's word
    if after in EDGES[before] and before is not PaymentStatus.NEEDS_REVIEW:
        assert (moved.status, moved.updated_at) == (after, LATER)
    else:
        assert moved is start


def test_every_state_has_its_edges_and_nothing_leads_back_to_pending() -> None:
    assert set(EDGES) == set(PaymentStatus)
    assert all(PaymentStatus.PENDING not in reachable for reachable in EDGES.values())
    assert all(status not in reachable for status, reachable in EDGES.items())


@pytest.mark.parametrize("status", sorted(UNPAID))
def test_what_ended_without_money_may_still_turn_out_paid(status: PaymentStatus) -> None:
    assert PaymentStatus.SUCCEEDED in EDGES[status]


def test_paid_is_never_undone_by_an_open_or_unpaid_state() -> None:
    assert EDGES[PaymentStatus.SUCCEEDED].isdisjoint(OPEN | UNPAID)


@pytest.mark.parametrize("status", PaymentStatus)
def test_the_unknown_changes_nothing(status: PaymentStatus) -> None:
    start = payment(status)
    assert apply(start, UNKNOWN, LATER) is start
    assert apply(start, said(PaymentStatus.PENDING), LATER) is start


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_replay_changes_nothing(status: PaymentStatus) -> None:
    moved = apply(payment(), said(status), NOW)
    assert apply(moved, said(status), LATER) is moved


@pytest.mark.parametrize("wrong", WRONG_WORDS)
@pytest.mark.parametrize("status", list(PaymentStatus)[1:])
def test_a_word_that_does_not_match_is_for_review(status: PaymentStatus, wrong: str) -> None:
    moved = apply(payment(), replace(said(status), **WRONG_WORDS[wrong]), LATER)
    assert moved.status is PaymentStatus.NEEDS_REVIEW
    assert moved.failure is not None
    assert moved.failure.code == f"{wrong}_mismatch"


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("status", PaymentStatus)
def test_silence_is_fine_only_where_no_money_is(status: PaymentStatus, silence: str) -> None:
    failure = mismatch(payment(), replace(said(status), **SILENCES[silence]))
    if status in UNPAID:
        assert failure is None
    else:
        assert failure is not None
        assert failure.code == f"{silence}_mismatch"


def test_a_paid_payment_is_not_moved_by_a_word_that_does_not_match() -> None:
    for status in (PaymentStatus.SUCCEEDED, PaymentStatus.REFUNDED, PaymentStatus.DISPUTED):
        start = payment(status)
        for wrong in WRONG_WORDS.values():
            assert apply(start, replace(said(PaymentStatus.REFUNDED), **wrong), LATER) is start


def test_takes_over_what_the_psp_tells() -> None:
    url = {"type": "redirect", "url": "https://psp.example/1"}
    expires_at = NOW + timedelta(hours=1)
    opened = apply(
        payment(),
        replace(said(PaymentStatus.REQUIRES_ACTION), next_action=url, expires_at=expires_at),
        NOW,
    )
    assert (opened.psp_reference, opened.next_action, opened.expires_at) == (
        "ref_1",
        url,
        expires_at,
    )
    paid = apply(opened, replace(said(PaymentStatus.SUCCEEDED), method="card"), LATER)
    assert (paid.method, paid.next_action, paid.failure) == ("card", None, None)
    assert (paid.expires_at, paid.psp_reference) == (expires_at, "ref_1")


def test_the_psp_reference_is_kept_for_life() -> None:
    opened = apply(payment(), said(PaymentStatus.REQUIRES_ACTION), NOW)
    paid = apply(opened, replace(said(PaymentStatus.SUCCEEDED), psp_reference="ref_2"), LATER)
    assert paid.psp_reference == "ref_1"


def test_a_decline_says_why() -> None:
    declined = replace(said(PaymentStatus.FAILED), failure=Failure("no_funds", "Not enough."))
    assert apply(payment(), declined, LATER).failure == Failure("no_funds", "Not enough.")


def test_a_card_number_that_the_psp_repeats_is_masked() -> None:
    failure = Failure("declined", "Your card 4242 4242 4242 4242 was declined.")
    declined = replace(said(PaymentStatus.FAILED), failure=failure)
    kept = apply(payment(), declined, LATER).failure
    assert kept == Failure("declined", "Your card **** **** **** 4242 was declined.")


def test_a_payment_that_goes_through_after_all_has_no_failure() -> None:
    declined = replace(said(PaymentStatus.FAILED), failure=Failure("no_funds", "Not enough."))
    failed = apply(payment(), declined, NOW)
    assert apply(failed, said(PaymentStatus.SUCCEEDED), LATER).failure is None


def test_no_sequence_of_words_leaves_the_edges() -> None:
    random = Random(4)
    wrong: list[dict[str, Any]] = [{}, {}, {}, *WRONG_WORDS.values(), *SILENCES.values()]
    for _ in range(1_500):
        current = payment()
        for _ in range(12):
            word = replace(said(random.choice(list(PaymentStatus))), **random.choice(wrong))
            moved = apply(current, word, LATER)
            if moved is not current:
                assert moved.status in EDGES[current.status]
                assert moved.status is PaymentStatus.NEEDS_REVIEW or not mismatch(current, word)
            fixed = replace(
                moved,
                status=current.status,
                psp_reference=current.psp_reference,
                failure=current.failure,
                updated_at=current.updated_at,
            )
            assert fixed == current  # nothing else about a payment ever moves
            current = moved


def test_open_payments_are_those_that_the_psp_may_still_move() -> None:
    assert {status for status in PaymentStatus if payment(status).is_open} == {
        PaymentStatus.PENDING,
        PaymentStatus.REQUIRES_ACTION,
        PaymentStatus.PROCESSING,
        PaymentStatus.AUTHORIZED,
    }


def test_the_psp_sees_one_idempotency_key_for_a_payment() -> None:
    order = Order("pay_1", Money(1, "KES"), "x", "https://a", "https://b", NOW, Customer())
    again = replace(order, money=Money(2, "USD"), expires_at=LATER, description="y")
    assert order.idempotency_key == again.idempotency_key
    assert order.idempotency_key != replace(order, payment_id="pay_2").idempotency_key
    assert len(order.idempotency_key) <= 255


def test_events_are_told_under_the_name_of_the_state() -> None:
    assert {status: event.value for status, event in PAYMENT_EVENTS.items()} == {
        status: f"payment.{status.value}" for status in PAYMENT_EVENTS
    }
    assert set(PAYMENT_EVENTS) >= (OPEN | UNPAID | {PaymentStatus.SUCCEEDED}) - {
        PaymentStatus.PENDING
    }
    assert PaymentStatus.NEEDS_REVIEW in PAYMENT_EVENTS
