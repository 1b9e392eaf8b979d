"""A PSP that says only that money went back: of which wish, and how much, it does not tell."""

from typing import Any

import pytest

from tests.domain.psp_words import LATER, WHOLE, ids, payment, refund, refund_word, said
from tollgate.domain.money import Money
from tollgate.domain.outcome import RefundOutcome
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.domain.settling import FollowUp, follow_up

SUCCEEDED, PENDING = RefundStatus.SUCCEEDED, RefundStatus.PENDING
WENT_BACK = RefundOutcome("reversed", None, None, SUCCEEDED)
PARTLY, REFUNDED = PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED


def told(
    *refunds: Refund, words: tuple[RefundOutcome, ...] = (WENT_BACK,), **changed: Any
) -> FollowUp:
    """A paid payment with these refunds, after the PSP's words."""
    status = changed.pop("status", PaymentStatus.SUCCEEDED)
    known = FollowUp(payment(status, **changed), refunds, ())
    return again(known, *words)


def again(known: FollowUp, *words: RefundOutcome) -> FollowUp:
    """The same after these words."""
    return follow_up(known, said(PaymentStatus.SUCCEEDED, refunds=words), LATER, ids())


def back(known: FollowUp) -> tuple[Payment, list[tuple[str, int, RefundStatus]]]:
    """What became of it."""
    told_of = [(r.id, r.money.amount_minor, r.status) for r in known.refunds]
    return known.payment, told_of


class TestItIs:
    def test_the_one_that_was_asked_for(self) -> None:
        after, refunds = back(told(refund(40_000)))
        assert (after.status, after.amount_refunded_minor) == (PARTLY, 40_000)
        assert refunds == [("ref_1", 40_000, SUCCEEDED)]

    def test_all_of_it_where_nobody_asked(self) -> None:
        after, refunds = back(told())
        assert (after.status, after.amount_refunded_minor) == (REFUNDED, WHOLE)
        assert refunds == [("ref_n1", WHOLE, SUCCEEDED)]

    def test_all_that_was_taken_where_that_is_less_than_was_asked(self) -> None:
        after, refunds = back(told(amount_captured_minor=60_000))
        assert (after.status, after.amount_refunded_minor) == (REFUNDED, 60_000)
        assert refunds == [("ref_n1", 60_000, SUCCEEDED)]

    def test_the_first_of_two_that_wait(self) -> None:
        second = refund(300, id="ref_2")
        after, refunds = back(told(refund(200), second))
        assert after.amount_refunded_minor == 200
        assert refunds == [("ref_1", 200, SUCCEEDED), ("ref_2", 300, PENDING)]

    def test_not_one_that_the_psp_knows_by_another_name(self) -> None:
        named = refund(200, psp_reference="re_1")
        _, refunds = back(told(named, refund(300, id="ref_2")))
        assert refunds == [("ref_1", 200, PENDING), ("ref_2", 300, SUCCEEDED)]

    def test_not_one_that_has_failed(self) -> None:
        _, refunds = back(told(refund(200, RefundStatus.FAILED)))
        assert refunds == [("ref_1", 200, RefundStatus.FAILED), ("ref_n1", WHOLE, SUCCEEDED)]

    def test_one_of_our_reference_even_without_an_amount(self) -> None:
        word = RefundOutcome("re_1", "ref_2", None, SUCCEEDED)
        _, refunds = back(told(refund(200), refund(300, id="ref_2"), words=(word,)))
        assert refunds == [("ref_1", 200, PENDING), ("ref_2", 300, SUCCEEDED)]

    def test_one_that_has_failed_by_its_word(self) -> None:
        word = RefundOutcome("reversed", None, None, RefundStatus.FAILED)
        after, refunds = back(told(refund(200), words=(word,)))
        assert (after.status, refunds) == (
            PaymentStatus.SUCCEEDED,
            [("ref_1", 200, RefundStatus.FAILED)],
        )


class TestToldAgain:
    @pytest.mark.parametrize("asked", [(), (refund(40_000),), (refund(200), refund(3, id="ref_2"))])
    def test_it_changes_nothing(self, asked: tuple[Refund, ...]) -> None:
        once = told(*asked)
        twice = again(once, WENT_BACK)
        assert twice.payment is once.payment
        assert [r is before for r, before in zip(twice.refunds, once.refunds, strict=True)] == (
            [True] * len(once.refunds)
        )

    def test_after_one_that_was_settled_by_hand_it_is_ignored(self) -> None:
        by_hand = refund(200, SUCCEEDED, psp_reference="by-hand-ref_1")
        known = told(by_hand, words=(), amount_refunded_minor=200, status=PARTLY)
        after = again(known, WENT_BACK)
        assert (after.payment, after.refunds) == (known.payment, known.refunds)

    def test_after_one_that_the_psp_named_it_is_ignored(self) -> None:
        known = told(refund(200), words=(refund_word(200),))
        assert back(again(known, refund_word(200), WENT_BACK)) == back(known)

    def test_a_second_wish_stays_open(self) -> None:
        """What was told of the first says nothing of it."""
        first = told(refund(200))
        known = FollowUp(first.payment, (*first.refunds, refund(300, id="ref_2")), ())
        assert back(again(known, WENT_BACK))[1] == [
            ("ref_1", 200, SUCCEEDED),
            ("ref_2", 300, PENDING),
        ]

    def test_a_second_wish_stays_open_after_one_settled_by_hand(self) -> None:
        """The word may be about the one that is settled: a wish is not done because of it."""
        by_hand = refund(200, SUCCEEDED, psp_reference="by-hand-ref_1")
        known = told(
            by_hand,
            refund(300, id="ref_2"),
            words=(),
            amount_refunded_minor=200,
            status=PARTLY,
        )
        assert back(again(known, WENT_BACK))[1] == [
            ("ref_1", 200, SUCCEEDED),
            ("ref_2", 300, PENDING),
        ]


def test_a_word_with_an_amount_is_no_nameless_one() -> None:
    after, refunds = back(told(refund(200), words=(refund_word(300, refund_id=None),)))
    assert after.amount_refunded_minor == 300
    assert refunds == [("ref_1", 200, PENDING), ("ref_n1", 300, SUCCEEDED)]


def test_it_is_in_the_payments_currency() -> None:
    (made,) = told().refunds
    assert made.money == Money(WHOLE, "KES")
