"""What a payment says of its money after any history is a sum that a child can check."""

from dataclasses import dataclass, field, replace
from random import Random

from tests.domain.psp_words import (
    LATER,
    NOW,
    WHOLE,
    dispute_word,
    ids,
    payment,
    refund,
    refund_word,
    said,
)
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, Outcome, RefundOutcome
from tollgate.domain.payment import EDGES, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.domain.settling import FollowUp, follow_up, paid_status, refunded_minor

DONE, FAILED = RefundStatus.SUCCEEDED, RefundStatus.FAILED


@dataclass
class Psp:
    """The PSP's own books of one payment. It never gives back more than is left."""

    random: Random
    captured_minor: int
    refunds: list[RefundOutcome] = field(default_factory=list)
    disputes: dict[str, DisputeStatus] = field(default_factory=dict)
    fee: Money | None = None

    def given_back_minor(self) -> int:
        done = (r.money for r in self.refunds if r.status is DONE)
        return sum(money.amount_minor for money in done if money is not None)

    def has_lost_it(self) -> bool:
        return any(status is not DisputeStatus.WON for status in self.disputes.values())

    def left_minor(self) -> int:
        return self.captured_minor - self.given_back_minor()

    def give_back(self, refund_id: str | None, amount_minor: int, status: RefundStatus) -> None:
        reference = f"re_{len(self.refunds) + 1}"
        self.refunds.append(
            refund_word(amount_minor, status, psp_reference=reference, refund_id=refund_id)
        )

    def decide_a_refund(self) -> None:
        if self.refunds:
            at = self.random.randrange(len(self.refunds))
            status = self.random.choice((DONE, FAILED))
            money = self.refunds[at].money
            assert money is not None
            if status is FAILED or money.amount_minor <= self.left_minor():
                self.refunds[at] = replace(self.refunds[at], status=status)

    def decide_a_dispute(self) -> None:
        reference = self.random.choice(("dp_1", "dp_2"))
        self.disputes[reference] = self.random.choice(list(DisputeStatus))

    def word(self) -> Outcome:
        disputes = (
            dispute_word(status, self.captured_minor, psp_reference=reference)
            for reference, status in self.disputes.items()
        )
        shuffled = self.random.sample(self.refunds, len(self.refunds))
        return said(
            PaymentStatus.SUCCEEDED,
            refunds=tuple(shuffled),
            disputes=tuple(disputes),
            fee=self.fee,
        )


def step(psp: Psp, current: FollowUp, random: Random) -> FollowUp:
    """One thing that happens at the app or at the PSP, before anybody tells of it."""
    amount_minor = random.randint(1, max(1, psp.left_minor()))
    match random.choice(("ask", "there", "decide", "decide", "dispute", "fee")):
        case "ask" if psp.left_minor():
            asked = refund(amount_minor, id=f"ref_{len(current.refunds) + 1}")
            current = replace(current, refunds=(*current.refunds, asked))
            for _ in range(random.choice((0, 1, 1, 1))):
                psp.give_back(asked.id, amount_minor, random.choice(list(RefundStatus)))
        case "there" if psp.left_minor():
            psp.give_back(None, amount_minor, random.choice(list(RefundStatus)))
        case "decide":
            psp.decide_a_refund()
        case "dispute":
            psp.decide_a_dispute()
        case "fee":
            psp.fee = psp.fee or Money(random.randint(1, 9), "USD")
    return current


def check_books(after: FollowUp, captured_minor: int) -> None:
    paid = after.payment
    assert 0 <= paid.amount_refunded_minor <= paid.amount_captured_minor <= WHOLE
    assert paid.amount_captured_minor == captured_minor
    if paid.is_paid:
        back = refunded_minor(after.refunds)
        assert paid.amount_refunded_minor == back
        assert paid.status is paid_status(captured_minor, back, after.disputes)
    assert len({row.psp_reference for row in after.disputes}) == len(after.disputes)
    heard_of = [row.psp_reference for row in after.refunds if row.psp_reference]
    assert len(set(heard_of)) == len(heard_of)


def test_the_payment_says_what_the_psps_books_say() -> None:
    random = Random(11)
    seen = set()
    for _ in range(400):
        captured = random.choice((WHOLE, 40_000, 3))
        psp, new_id = Psp(random, captured), ids()
        start = payment(PaymentStatus.SUCCEEDED, amount_captured_minor=captured)
        current = FollowUp(start, (), ())
        for _ in range(random.randint(1, 14)):
            current = step(psp, current, random)
            if random.random() < 0.6:
                continue
            word = psp.word()
            after = follow_up(current, word, LATER, new_id)
            again = follow_up(after, word, LATER, new_id)
            assert again.payment is after.payment
            assert all(one is two for one, two in zip(again.refunds, after.refunds, strict=True))
            assert after.payment.amount_refunded_minor == psp.given_back_minor()
            assert (after.payment.status is PaymentStatus.DISPUTED) is psp.has_lost_it()
            assert after.payment.fee == psp.fee
            check_books(after, captured)
            moved = after.payment.status is not current.payment.status
            assert not moved or after.payment.status in EDGES[current.payment.status]
            assert (after.payment.updated_at == NOW) is (after.payment == start)
            seen.add(after.payment.status)
            current = after
    assert seen == {status for status in PaymentStatus if payment(status).is_paid}


def any_refund(random: Random) -> RefundOutcome:
    return refund_word(
        random.choice((1, 50_000, 99_999, WHOLE, WHOLE + 1)),
        random.choice(list(RefundStatus)),
        psp_reference=f"re_{random.randint(1, 4)}",
        refund_id=random.choice((None, "ref_1", "ref_2")),
        currency=random.choice(("KES",) * 9 + ("UGX",)),
    )


def any_dispute(random: Random) -> DisputeOutcome:
    amount_minor = random.choice((1, WHOLE, WHOLE + 1))
    status = random.choice(list(DisputeStatus))
    return dispute_word(status, amount_minor, psp_reference=f"dp_{random.randint(1, 2)}")


def test_no_word_whatever_breaks_the_books() -> None:
    random = Random(12)
    reviews = 0
    for _ in range(2_000):
        new_id = ids()
        current = FollowUp(
            payment(PaymentStatus.SUCCEEDED), (refund(1), refund(99_999, id="ref_2")), ()
        )
        while current.payment.is_paid and random.random() < 0.9:
            word = said(
                PaymentStatus.SUCCEEDED,
                refunds=tuple(any_refund(random) for _ in range(random.randint(0, 3))),
                disputes=tuple(any_dispute(random) for _ in range(random.randint(0, 2))),
            )
            current = follow_up(current, word, LATER, new_id)
            check_books(current, WHOLE)
        reviews += not current.payment.is_paid
    assert 100 < reviews < 2_000
