"""How a PSP's word moves a payment until it is paid: along the edges, and only where it matches."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.domain.psp_words import LATER, NOW, WHOLE, dispute_word, payment, refund_word, said
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import EDGES, PAID, UNPAID, Capture, Failure, Payment, PaymentStatus
from tollgate.domain.settling import apply, mismatch

PENDING, SUCCEEDED = PaymentStatus.PENDING, PaymentStatus.SUCCEEDED
REVIEW, AUTHORIZED = PaymentStatus.NEEDS_REVIEW, PaymentStatus.AUTHORIZED
EXPIRED, CANCELED = PaymentStatus.EXPIRED, PaymentStatus.CANCELED
SAYABLE = [status for status in PaymentStatus if status not in PAID - {SUCCEEDED} | {REVIEW}]
"""What a PSP may say: the rest is ours to conclude."""
EVERY_PAIR = [(before, after) for before in PaymentStatus for after in SAYABLE]

WRONG_WORDS: dict[str, dict[str, Any]] = {
    "reference": {"reference": "pay_2"},
    "livemode": {"livemode": True},
    "amount": {"money": Money(WHOLE - 1, "KES")},
    "currency": {"money": Money(WHOLE, "UGX")},
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
    # what needs review is ended by an operator, what is paid moves with its refunds and disputes
    if after in EDGES[before] and before is not REVIEW and before not in PAID:
        assert (moved.status, moved.updated_at) == (after, LATER)
    else:
        assert moved is start


@pytest.mark.parametrize("status", PaymentStatus)
def test_the_unknown_changes_nothing(status: PaymentStatus) -> None:
    start = payment(status)
    assert apply(start, UNKNOWN, LATER) is start
    assert apply(start, said(PENDING), LATER) is start


@pytest.mark.parametrize("status", SAYABLE)
def test_a_replay_changes_nothing(status: PaymentStatus) -> None:
    moved = apply(payment(), said(status), NOW)
    assert apply(moved, said(status), LATER) is moved


@pytest.mark.parametrize("wrong", WRONG_WORDS)
@pytest.mark.parametrize("status", SAYABLE[1:])
def test_a_word_that_does_not_match_is_for_review(status: PaymentStatus, wrong: str) -> None:
    word = said(status, **WRONG_WORDS[wrong], fee=Money(5, "KES"))
    moved = apply(payment(), word, LATER)
    assert moved.status is REVIEW
    assert moved.failure == Failure(
        f"{wrong}_mismatch", f"The PSP's {wrong} is not what was asked."
    )
    assert (moved.amount_captured_minor, moved.fee, moved.next_action) == (0, None, None)


@pytest.mark.parametrize("wrong", WRONG_WORDS)
def test_what_the_psp_said_is_kept_for_the_operator(wrong: str) -> None:
    word = said(SUCCEEDED, **WRONG_WORDS[wrong])
    assert word.money is not None
    assert apply(payment(), word, LATER).review == {
        "status": "succeeded",
        "reference": word.reference,
        "livemode": word.livemode,
        "amount": word.money.amount_minor,
        "currency": word.money.currency,
    }


def test_also_that_it_said_no_amount() -> None:
    review = apply(payment(), said(SUCCEEDED, money=None), LATER).review
    assert review is not None
    assert (review["amount"], review["currency"], review["reference"]) == (None, None, "pay_1")


def test_what_matches_is_not_for_review() -> None:
    assert apply(payment(), said(SUCCEEDED), LATER).review is None


@pytest.mark.parametrize("before", [REVIEW, *sorted(PAID)])
@pytest.mark.parametrize("after", SAYABLE)
def test_only_an_operator_ends_a_review_and_what_is_paid_stays_paid(
    before: PaymentStatus, after: PaymentStatus
) -> None:
    start = payment(before)
    for wrong in ({}, *WRONG_WORDS.values()):
        assert apply(start, said(after, **wrong), LATER) is start


@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize("status", SAYABLE)
def test_silence_is_fine_only_where_no_money_is(status: PaymentStatus, silence: str) -> None:
    failure = mismatch(payment(), said(status, **SILENCES[silence]))
    if status in UNPAID | {PaymentStatus.REQUIRES_ACTION}:  # nobody has paid yet
        assert failure is None
    else:
        assert failure is not None
        assert failure.code == f"{silence}_mismatch"


@pytest.mark.parametrize("wrong", WRONG_WORDS)
@pytest.mark.parametrize("status", sorted(UNPAID))
def test_a_wrong_word_is_wrong_also_where_no_money_is(status: PaymentStatus, wrong: str) -> None:
    assert mismatch(payment(), said(status, **WRONG_WORDS[wrong])) is not None


class TestTaking:
    def test_all_that_was_asked_is_taken_with_its_fee(self) -> None:
        paid = apply(payment(), said(SUCCEEDED, fee=Money(120, "USD"), method="card"), LATER)
        assert (paid.amount_captured_minor, paid.amount_refunded_minor) == (WHOLE, 0)
        assert (paid.fee, paid.method, paid.failure) == (Money(120, "USD"), "card", None)

    def test_of_an_authorized_payment_as_much_as_the_app_asked(self) -> None:
        start = payment(AUTHORIZED, capture=Capture.MANUAL, capture_amount_minor=40_000)
        paid = apply(start, said(SUCCEEDED, money=Money(40_000, "KES")), LATER)
        assert (paid.status, paid.amount_captured_minor) == (SUCCEEDED, 40_000)
        assert (paid.money, paid.capture_amount_minor) == (Money(WHOLE, "KES"), 40_000)

    @pytest.mark.parametrize("taken", [1, 39_999, 40_001, WHOLE])
    def test_another_part_is_for_review(self, taken: int) -> None:
        start = payment(AUTHORIZED, capture=Capture.MANUAL, capture_amount_minor=40_000)
        moved = apply(start, said(SUCCEEDED, money=Money(taken, "KES")), LATER)
        assert (moved.status, moved.amount_captured_minor) == (REVIEW, 0)

    def test_what_the_app_will_take_says_nothing_of_what_is_authorized(self) -> None:
        start = payment(capture=Capture.MANUAL, capture_amount_minor=40_000)
        assert apply(start, said(AUTHORIZED), LATER).status is AUTHORIZED

    @pytest.mark.parametrize("status", [status for status in SAYABLE[1:] if status != SUCCEEDED])
    def test_nothing_is_taken_before_it_is_paid(self, status: PaymentStatus) -> None:
        moved = apply(payment(), said(status, fee=Money(120, "KES")), LATER)
        assert (moved.amount_captured_minor, moved.fee) == (0, None)


class TestLettingGo:
    def test_a_page_that_was_closed_because_the_app_asked_is_canceled(self) -> None:
        asked = payment(PaymentStatus.REQUIRES_ACTION, cancel_asked_at=NOW)
        assert apply(asked, said(EXPIRED), LATER).status is CANCELED
        assert apply(payment(), said(EXPIRED), LATER).status is EXPIRED

    @pytest.mark.parametrize("status", [status for status in SAYABLE[1:] if status != EXPIRED])
    def test_what_else_became_of_it_is_told_as_it_is(self, status: PaymentStatus) -> None:
        assert apply(payment(cancel_asked_at=NOW), said(status), LATER).status is status

    def test_a_canceled_one_is_not_canceled_again(self) -> None:
        canceled = apply(payment(cancel_asked_at=NOW), said(EXPIRED), NOW)
        assert apply(canceled, said(EXPIRED), LATER) is canceled


class TestWhatItTells:
    def test_is_taken_over(self) -> None:
        url = {"type": "redirect", "url": "https://psp.example/1"}
        expires_at = NOW + timedelta(hours=1)
        word = said(PaymentStatus.REQUIRES_ACTION, next_action=url, expires_at=expires_at)
        opened = apply(payment(), word, NOW)
        assert (opened.psp_reference, opened.next_action) == ("ref_1", url)
        assert opened.expires_at == expires_at
        paid = apply(opened, said(SUCCEEDED, method="card", next_action=url), LATER)
        assert (paid.method, paid.next_action, paid.failure) == ("card", None, None)
        assert (paid.expires_at, paid.psp_reference) == (expires_at, "ref_1")

    def test_the_method_stays_where_it_tells_none(self) -> None:
        assert apply(payment(method="card"), said(SUCCEEDED), LATER).method == "card"

    def test_the_psp_reference_is_kept_for_life(self) -> None:
        opened = apply(payment(), said(PaymentStatus.REQUIRES_ACTION), NOW)
        paid = apply(opened, said(SUCCEEDED, psp_reference="ref_2"), LATER)
        assert paid.psp_reference == "ref_1"

    def test_a_decline_says_why(self) -> None:
        declined = said(PaymentStatus.FAILED, failure=Failure("no_funds", "Not enough."))
        failed = apply(payment(), declined, LATER)
        assert failed.failure == Failure("no_funds", "Not enough.")
        assert apply(failed, said(SUCCEEDED), LATER).failure is None

    def test_a_card_number_that_the_psp_repeats_is_masked(self) -> None:
        failure = Failure("declined", "Your card 4242 4242 4242 4242 was declined.")
        kept = apply(payment(), said(PaymentStatus.FAILED, failure=failure), LATER).failure
        assert kept == Failure("declined", "Your card **** **** **** 4242 was declined.")


def unmoved(payment: Payment, like: Payment) -> Payment:
    """The payment with what a word may change taken back."""
    return replace(
        payment,
        status=like.status,
        amount_captured_minor=like.amount_captured_minor,
        psp_reference=like.psp_reference,
        failure=like.failure,
        review=like.review,
        updated_at=like.updated_at,
    )


def test_no_sequence_of_words_leaves_the_edges() -> None:
    random = Random(4)
    wrong: list[dict[str, Any]] = [{}, {}, {}, *WRONG_WORDS.values(), *SILENCES.values()]
    for _ in range(1_500):
        current = payment()
        for _ in range(12):
            word = said(random.choice(SAYABLE), **random.choice(wrong))
            moved = apply(current, word, LATER)
            if moved is not current:
                assert moved.status in EDGES[current.status]
                assert moved.status is REVIEW or not mismatch(current, word)
                assert moved.amount_captured_minor == (WHOLE if moved.is_paid else 0)
            assert unmoved(moved, current) == current  # nothing else about a payment ever moves
            current = moved


def test_refunds_and_disputes_say_nothing_before_it_is_paid() -> None:
    word = said(SUCCEEDED, refunds=(refund_word(),), disputes=(dispute_word(DisputeStatus.OPEN),))
    paid = apply(payment(), word, LATER)
    assert (paid.status, paid.amount_refunded_minor) == (SUCCEEDED, 0)
