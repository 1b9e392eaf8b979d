"""What becomes of a paid payment by the PSP's word: its refunds and its disputes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.psp_words import (
    LATER,
    WHOLE,
    dispute,
    dispute_word,
    ids,
    payment,
    refund,
    refund_word,
    said,
)
from tollgate.domain.dispute import Dispute, DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, Payment, PaymentStatus
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.domain.settling import FollowUp, follow_up, paid_status, refund_after, refunded_minor

SUCCEEDED, PARTLY = PaymentStatus.SUCCEEDED, PaymentStatus.PARTIALLY_REFUNDED
REFUNDED, DISPUTED = PaymentStatus.REFUNDED, PaymentStatus.DISPUTED
REVIEW = PaymentStatus.NEEDS_REVIEW
PENDING, DONE, FAILED = RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED
OPEN, WON, LOST = DisputeStatus.OPEN, DisputeStatus.WON, DisputeStatus.LOST
NEXT = LATER + timedelta(minutes=5)


def known(*rows: Refund | Dispute, of: Payment | None = None) -> FollowUp:
    """A paid payment with these refunds and disputes, as they stand in the database."""
    refunds = tuple(row for row in rows if isinstance(row, Refund))
    disputes = tuple(row for row in rows if isinstance(row, Dispute))
    back = refunded_minor(refunds)
    plain = of or payment(
        paid_status(WHOLE, back, disputes), amount_captured_minor=WHOLE, amount_refunded_minor=back
    )
    return FollowUp(plain, refunds, disputes)


def word(*words: RefundOutcome | DisputeOutcome) -> Outcome:
    """The PSP's word of a paid payment, with all its refunds and disputes."""
    return said(
        SUCCEEDED,
        refunds=tuple(each for each in words if isinstance(each, RefundOutcome)),
        disputes=tuple(each for each in words if isinstance(each, DisputeOutcome)),
    )


def heard(before: FollowUp, *words: RefundOutcome | DisputeOutcome) -> FollowUp:
    """What follows; heard twice it changes nothing, not even an object."""
    after = follow_up(before, word(*words), LATER, ids())
    again = follow_up(after, word(*words), NEXT, ids())
    if after.payment.is_paid:
        assert again.payment is after.payment
    assert [id(row) for row in again.refunds] == [id(row) for row in after.refunds]
    assert [id(row) for row in again.disputes] == [id(row) for row in after.disputes]
    return after


def stands(after: FollowUp) -> tuple[PaymentStatus, int]:
    return after.payment.status, after.payment.amount_refunded_minor


class TestRefunds:
    @pytest.mark.parametrize("status", [DONE, FAILED])
    def test_ours_is_found_by_our_reference(self, status: RefundStatus) -> None:
        (row,) = heard(known(refund()), refund_word(status=status)).refunds
        assert row == refund(status=status, psp_reference="re_1", updated_at=LATER)

    @pytest.mark.parametrize("status", [DONE, FAILED])
    def test_ours_is_found_by_the_psps_reference(self, status: RefundStatus) -> None:
        ours = refund(psp_reference="re_1")
        (row,) = heard(known(ours), refund_word(status=status, refund_id=None)).refunds
        assert row == refund(status=status, psp_reference="re_1", updated_at=LATER)

    def test_one_that_is_still_under_way_is_known_by_its_reference_from_now_on(self) -> None:
        after = heard(known(refund()), refund_word(status=PENDING))
        assert after.refunds == (refund(psp_reference="re_1", updated_at=LATER),)
        assert stands(after) == (SUCCEEDED, 0)

    @pytest.mark.parametrize(
        ("amount_minor", "status"), [(1, PARTLY), (WHOLE - 1, PARTLY), (WHOLE, REFUNDED)]
    )
    def test_a_part_or_all(self, amount_minor: int, status: PaymentStatus) -> None:
        after = heard(known(refund(amount_minor)), refund_word(amount_minor))
        assert stands(after) == (status, amount_minor)
        assert after.payment.updated_at == LATER

    @pytest.mark.parametrize("status", RefundStatus)
    def test_one_that_was_made_in_the_psps_pages(self, status: RefundStatus) -> None:
        failure = Failure("lost", "The account 4242 4242 4242 4242 is closed.")
        there = refund_word(status=status, refund_id=None, failure=failure)
        (row,) = heard(known(), there).refunds
        assert row == refund(
            id="ref_n1",
            status=status,
            version=0,
            psp_reference="re_1",
            reason=None,
            created_at=LATER,
            updated_at=LATER,
            failure=Failure("lost", "The account **** **** **** 4242 is closed."),
        )

    def test_one_with_a_reference_that_is_not_of_this_payment(self) -> None:
        after = heard(known(refund()), refund_word(refund_id="ref_of_another"))
        assert [(row.id, row.status) for row in after.refunds] == [
            ("ref_1", PENDING),
            ("ref_n1", DONE),
        ]

    def test_one_too_many_under_our_reference_is_money_of_its_own(self) -> None:
        ours = refund(status=DONE, psp_reference="re_1")
        after = heard(known(ours), refund_word(), refund_word(psp_reference="re_2"))
        assert [(row.id, row.psp_reference) for row in after.refunds] == [
            ("ref_1", "re_1"),
            ("ref_n1", "re_2"),
        ]
        assert stands(after) == (PARTLY, 200)

    def test_also_when_both_are_heard_of_at_once(self) -> None:
        after = heard(known(refund()), refund_word(), refund_word(psp_reference="re_2"))
        assert [(row.id, row.psp_reference) for row in after.refunds] == [
            ("ref_1", "re_1"),
            ("ref_n1", "re_2"),
        ]
        assert stands(after) == (PARTLY, 200)

    def test_the_psps_reference_says_which_before_ours_does(self) -> None:
        ours, there = refund(), refund(id="ref_2", psp_reference="re_1")
        after = heard(known(ours, there), refund_word())
        assert after.refunds[0] is ours
        assert after.refunds[1] == replace(there, status=DONE, updated_at=LATER)

    @pytest.mark.parametrize("refund_id", ["ref_1", None])
    def test_one_that_is_told_twice_is_one(self, refund_id: str | None) -> None:
        start = known(refund()) if refund_id else known()
        there = refund_word(refund_id=refund_id)
        after = heard(start, there, there)
        assert len(after.refunds) == 1
        assert stands(after) == (PARTLY, 100)

    def test_one_that_failed_after_it_had_succeeded(self) -> None:
        ours = refund(WHOLE, DONE, psp_reference="re_1")
        failure = Failure("closed", "Of 4242 4242 4242 4242.")
        after = heard(known(ours), refund_word(WHOLE, FAILED, failure=failure))
        assert after.refunds[0].failure == Failure("closed", "Of **** **** **** 4242.")
        assert stands(after) == (SUCCEEDED, 0)

    def test_one_that_succeeded_after_it_had_failed(self) -> None:
        ours = refund(status=FAILED, failure=Failure("refused", "No."))
        after = heard(known(ours), refund_word(failure=Failure("x", "y")))
        assert (after.refunds[0].failure, after.refunds[0].psp_reference) == (None, "re_1")
        assert stands(after) == (PARTLY, 100)

    @pytest.mark.parametrize("status", [DONE, FAILED])
    def test_what_has_ended_is_not_under_way_again(self, status: RefundStatus) -> None:
        ended = refund(status=status, psp_reference="re_1")
        assert heard(known(ended), refund_word(status=PENDING)).refunds[0] is ended

    def test_those_that_the_psp_is_silent_about_stay(self) -> None:
        first, second = refund(), refund(7, DONE, id="ref_2", psp_reference="re_2")
        after = heard(known(first, second), refund_word())
        assert [row.status for row in after.refunds] == [DONE, DONE]
        assert after.refunds[1] is second
        assert stands(after) == (PARTLY, 107)


class TestRefundsNobodyBelieves:
    @pytest.mark.parametrize(
        ("ours", "told"),
        [
            (refund(), refund_word(99)),
            (refund(), refund_word(101)),
            (refund(), refund_word(currency="UGX")),
            (None, refund_word(refund_id=None, currency="UGX")),
            (None, refund_word(refund_id=None, currency="UGX", status=FAILED)),
            (None, refund_word(WHOLE + 1, refund_id=None)),
            (None, refund_word(WHOLE + 1, refund_id=None, status=PENDING)),
            (None, refund_word(0, refund_id=None)),
            (None, refund_word(-1, refund_id=None)),
            (refund(WHOLE, DONE, psp_reference="re_0"), refund_word(1, refund_id=None)),
        ],
    )
    def test_are_for_review_and_all_else_counts(
        self, ours: Refund | None, told: RefundOutcome
    ) -> None:
        before = known(ours) if ours else known()
        after = heard(before, told, dispute_word(OPEN))
        assert after.payment.status is REVIEW
        assert after.payment.failure is not None
        assert after.payment.failure.code == "refund_mismatch"
        assert after.payment.amount_refunded_minor == before.payment.amount_refunded_minor
        assert after.payment.updated_at == LATER
        assert after.payment.review is not None
        assert after.payment.review["amount"] == WHOLE
        assert after.refunds == before.refunds
        assert [row.status for row in after.disputes] == [OPEN]

    def test_are_not_listened_to_once_somebody_decided(self) -> None:
        wrong, right = refund_word(1, refund_id=None, currency="UGX"), refund_word()
        flagged = heard(known(refund()), wrong).payment
        accepted = replace(flagged, status=SUCCEEDED, failure=None)
        after = heard(known(refund(), of=accepted), wrong, right)
        assert stands(after) == (PARTLY, 100)
        another = replace(wrong, psp_reference="re_9")
        assert heard(known(refund(), of=accepted), wrong, another).payment.status is REVIEW

    def test_what_failed_makes_room_for_what_was_tried_after_it(self) -> None:
        first = refund(WHOLE, DONE, psp_reference="re_1")
        second = refund_word(WHOLE, psp_reference="re_2", refund_id=None)
        after = heard(known(first), second, refund_word(WHOLE, status=FAILED))
        assert stands(after) == (REFUNDED, WHOLE)

    def test_exactly_what_was_taken_may_go_back_in_two(self) -> None:
        rest = refund_word(WHOLE - 100, psp_reference="re_2", refund_id=None)
        after = heard(known(refund()), refund_word(), rest)
        assert stands(after) == (REFUNDED, WHOLE)

    def test_of_a_part_that_was_taken_no_more_than_that(self) -> None:
        part = payment(SUCCEEDED, amount_captured_minor=40_000)
        for amount_minor, status in ((40_000, REFUNDED), (40_001, REVIEW)):
            told = refund_word(amount_minor, refund_id=None)
            assert heard(known(of=part), told).payment.status is status


class TestDisputes:
    @pytest.mark.parametrize(
        ("status", "then"), [(OPEN, DISPUTED), (WON, SUCCEEDED), (LOST, DISPUTED)]
    )
    def test_one_that_we_had_not_seen_before(
        self, status: DisputeStatus, then: PaymentStatus
    ) -> None:
        after = heard(known(), dispute_word(status))
        new = dispute(status, id="dis_n1", version=0, created_at=LATER, updated_at=LATER)
        assert after.disputes == (new,)
        assert after.payment.status is then

    @pytest.mark.parametrize("before", DisputeStatus)
    @pytest.mark.parametrize("told", DisputeStatus)
    def test_is_decided_and_decided_again(self, before: DisputeStatus, told: DisputeStatus) -> None:
        start = dispute(before)
        (row,) = (after := heard(known(start), dispute_word(told))).disputes
        assert after.payment.status is (SUCCEEDED if told is WON else DISPUTED)
        if before is told:
            assert row is start
        else:
            assert row == dispute(told, updated_at=LATER)

    def test_a_second_one_keeps_it_disputed(self) -> None:
        second = dispute_word(OPEN, 5, psp_reference="dp_2")
        after = heard(known(dispute(OPEN)), dispute_word(WON), second)
        assert [row.status for row in after.disputes] == [WON, OPEN]
        assert after.payment.status is DISPUTED

    def test_once_it_is_won_the_payment_is_what_its_refunds_say(self) -> None:
        ours = refund(status=DONE, psp_reference="re_1")
        opened = heard(known(ours), refund_word(), dispute_word(OPEN))
        assert stands(opened) == (DISPUTED, 100)
        assert stands(heard(opened, refund_word(), dispute_word(WON))) == (PARTLY, 100)

    @pytest.mark.parametrize("amount_minor", [1, WHOLE])
    def test_of_a_part_or_of_all_it_has_the_money(self, amount_minor: int) -> None:
        after = heard(known(), dispute_word(OPEN, amount_minor))
        assert after.disputes[0].money == Money(amount_minor, "KES")
        assert stands(after) == (DISPUTED, 0)

    @pytest.mark.parametrize(
        "told",
        [
            dispute_word(OPEN, 0),
            dispute_word(OPEN, -1),
            dispute_word(OPEN, 1, currency="UGX"),
        ],
    )
    def test_one_that_can_not_be_is_for_review(self, told: DisputeOutcome) -> None:
        after = heard(known(refund()), told, refund_word())
        assert after.payment.status is REVIEW
        assert after.payment.failure is not None
        assert after.payment.failure.code == "dispute_mismatch"
        assert after.disputes == ()
        assert after.payment.amount_refunded_minor == 100, "the refund counts"

    def test_of_a_part_that_was_taken_no_more_than_that(self) -> None:
        part = payment(SUCCEEDED, amount_captured_minor=40_000)
        for amount_minor in (40_000, 40_001):
            after = heard(known(of=part), dispute_word(OPEN, amount_minor))
            assert after.payment.status is DISPUTED
            assert after.disputes[0].money.amount_minor == 40_000


class TestFee:
    def test_is_learnt_later_and_once(self) -> None:
        before = known()
        told = replace(word(), fee=Money(120, "USD"))
        after = follow_up(before, told, LATER, ids())
        assert after.payment == replace(before.payment, fee=Money(120, "USD"), updated_at=LATER)
        other = replace(word(), fee=Money(121, "USD"))
        assert follow_up(after, other, NEXT, ids()).payment is after.payment

    def test_silence_does_not_take_it_back(self) -> None:
        start = known(of=payment(SUCCEEDED, fee=Money(120, "USD")))
        assert heard(start).payment is start.payment


def test_all_of_nothing_is_not_refunded_yet() -> None:
    assert paid_status(100, 0, ()) is SUCCEEDED
    assert paid_status(100, 99, ()) is PARTLY
    assert paid_status(100, 100, ()) is REFUNDED
    assert paid_status(100, 100, (dispute(LOST),)) is DISPUTED


def test_what_went_back_is_what_succeeded() -> None:
    rows = [refund(1, PENDING), refund(2, DONE), refund(4, FAILED), refund(8, DONE)]
    assert refunded_minor(rows) == 10


def test_a_refusal_is_kept_with_the_refund() -> None:
    failed = refund_after(refund(), FAILED, Failure("x", "of 4242 4242 4242 4242"), LATER)
    assert failed.failure == Failure("x", "of **** **** **** 4242")
    assert (failed.status, failed.updated_at) == (FAILED, LATER)
    assert refund_after(failed, FAILED, None, NEXT) is failed
    assert refund_after(failed, DONE, Failure("x", "y"), NEXT).failure is None
