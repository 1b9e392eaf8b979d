"""The adapter and Stripe's stand-in: holds, refunds, disputes, and the books of all that."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.local.stripe.conftest import Bench, until
from tollgate.domain.callback import Callback
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import (
    UNKNOWN,
    DisputeOutcome,
    Hint,
    Movement,
    MovementKind,
    RefundOutcome,
)
from tollgate.domain.payment import Capture, Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.stripe.adapter import Stripe

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def kes(minor: int) -> Money:
    return Money(minor, "KES")


def paid(bench: Bench, stripe: Stripe, order: Order) -> str:
    """The reference of a payment that its client has made, or agreed to."""
    reference = stripe.start(order).psp_reference
    assert reference is not None
    bench.press(reference, "pay")
    return reference


@pytest.fixture
def held(bench: Bench, stripe: Stripe, order: Order) -> str:
    return paid(bench, stripe, replace(order, capture=Capture.MANUAL))


@pytest.fixture
def reference(bench: Bench, stripe: Stripe, order: Order) -> str:
    return paid(bench, stripe, order)


def refund(reference: str, minor: int = 50_000, refund_id: str = "ref_1") -> RefundOrder:
    return RefundOrder(refund_id, reference, kes(minor), "requested_by_customer")


def charge_of(bench: Bench) -> str:
    charge_id: str = bench.ledger()["charges"][0]["id"]
    return charge_id


def books(bench: Bench, stripe: Stripe, hours: float = 24 * 30) -> list[Movement]:
    until_ = bench.clock.now() + timedelta(seconds=2)
    return list(stripe.list_movements(until_ - timedelta(hours=hours), until_))


def hints(bench: Bench, stripe: Stripe) -> dict[str, Hint]:
    return {
        hint.type: hint
        for signature, body in zip(bench.receiver.signatures, bench.receiver.bodies, strict=True)
        for hint in [
            stripe.read_event(
                Callback(headers={"stripe-signature": signature}, body=body), bench.clock.now()
            )
        ]
    }


def test_what_stripe_keeps_is_told(stripe: Stripe, reference: str) -> None:
    assert stripe.fetch(reference).fee == kes(150_000 * 29 // 1000 + 30)


def test_a_hold_is_captured_once(bench: Bench, stripe: Stripe, held: str) -> None:
    assert stripe.fetch(held).status is PaymentStatus.AUTHORIZED
    assert books(bench, stripe) == []
    for _ in range(2):
        assert stripe.capture(held, kes(150_000), "capture-1") is None
    outcome = stripe.fetch(held)
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, kes(150_000))
    assert stripe.capture(held, kes(150_000), "capture-2") is None
    failure = stripe.capture(held, kes(100_000), "capture-3")
    assert failure is not None
    assert failure.code == "payment_intent_unexpected_state"
    assert bench.ledger()["charges"][0]["amount_captured"] == 150_000


def test_of_a_partial_capture_the_rest_is_no_refund(
    bench: Bench, stripe: Stripe, held: str
) -> None:
    assert stripe.capture(held, kes(100_000), "capture-1") is None
    outcome = stripe.fetch(held)
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, kes(100_000))
    assert outcome.refunds == ()
    assert [(one.kind, one.money) for one in books(bench, stripe)] == [
        (MovementKind.CAPTURE, kes(100_000))
    ]
    assert stripe.refund(refund(held, 100_000)) is None
    assert [one.money for one in stripe.fetch(held).refunds] == [kes(100_000)]
    failure = stripe.refund(refund(held, 1, "ref_2"))
    assert failure is not None
    assert failure.code == "charge_already_refunded"


def test_more_than_is_held_can_not_be_captured(bench: Bench, stripe: Stripe, held: str) -> None:
    failure = stripe.capture(held, kes(150_001), "capture-1")
    assert failure is not None
    assert failure.code == "amount_too_large"
    assert stripe.fetch(held).status is PaymentStatus.AUTHORIZED


def test_a_hold_that_is_let_go_is_canceled(bench: Bench, stripe: Stripe, held: str) -> None:
    for _ in range(2):
        assert stripe.cancel(held, "cancel-1") is None
    assert stripe.fetch(held).status is PaymentStatus.CANCELED
    assert stripe.cancel(held, "cancel-2") is None
    assert books(bench, stripe) == []


def test_a_hold_that_nobody_captures_expires(bench: Bench, stripe: Stripe, held: str) -> None:
    bench.clock.advance(timedelta(days=7, seconds=1).total_seconds())
    assert stripe.fetch(held).status is PaymentStatus.EXPIRED
    assert stripe.capture(held, kes(150_000), "capture-1") is not None
    assert books(bench, stripe) == []


def test_an_open_page_is_closed(bench: Bench, stripe: Stripe, order: Order) -> None:
    reference = stripe.start(order).psp_reference
    assert reference is not None
    assert stripe.cancel(reference, "cancel-1") is None
    bench.press(reference, "pay")
    assert stripe.fetch(reference).status is PaymentStatus.EXPIRED
    assert bench.ledger()["charges"] == []


def test_closing_a_page_and_letting_go_are_two_requests(
    bench: Bench, stripe: Stripe, order: Order, held: str
) -> None:
    """The app asks once, maybe just as its client agrees; Stripe knows a key for one of them."""
    reference = stripe.start(replace(order, payment_id="pay_2")).psp_reference
    assert reference is not None
    assert stripe.cancel(reference, "cancel-1") is None
    assert stripe.cancel(held, "cancel-1") is None
    assert stripe.fetch(held).status is PaymentStatus.CANCELED


def test_what_is_paid_is_not_cancelable(stripe: Stripe, reference: str) -> None:
    failure = stripe.cancel(reference, "cancel-1")
    assert failure is not None
    assert failure.code == "not_cancelable"
    assert stripe.fetch(reference).status is PaymentStatus.SUCCEEDED


def test_a_refund_is_made_once_and_read_back(bench: Bench, stripe: Stripe, reference: str) -> None:
    for _ in range(3):
        assert stripe.refund(refund(reference)) is None
    (made,) = bench.ledger()["refunds"]
    assert made["metadata"] == {"refund_id": "ref_1", "payment_id": "pay_1"}
    expected = RefundOutcome(made["id"], "ref_1", kes(50_000), RefundStatus.SUCCEEDED)
    assert stripe.fetch(reference).refunds == (expected,)
    assert bench.ledger()["charges"][0]["amount_refunded"] == 50_000


def test_a_lost_answer_gives_nothing_back_twice(
    bench: Bench, stripe: Stripe, reference: str
) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.refund(refund(reference)) is None
    assert [one.refund_id for one in stripe.fetch(reference).refunds] == ["ref_1"]
    assert stripe.refund(refund(reference)) is None
    assert bench.ledger()["charges"][0]["amount_refunded"] == 50_000


def test_more_than_was_paid_does_not_go_back(bench: Bench, stripe: Stripe, reference: str) -> None:
    assert stripe.refund(refund(reference, 100_000)) is None
    for minor in (50_001, 150_000):
        failure = stripe.refund(refund(reference, minor, f"ref_{minor}"))
        assert failure == Failure("amount_too_large", "Stripe refused this refund.")
    assert bench.ledger()["charges"][0]["amount_refunded"] == 100_000


def test_a_refund_may_take_its_time_and_fail_after_all(
    bench: Bench, stripe: Stripe, reference: str
) -> None:
    bench.fault(pending_refunds=True)
    assert stripe.refund(refund(reference)) is None
    (pending,) = stripe.fetch(reference).refunds
    assert pending.status is RefundStatus.PENDING
    kinds = [MovementKind.CAPTURE]
    assert [one.kind for one in books(bench, stripe)] == kinds
    bench.happen(f"refunds/{pending.psp_reference}/succeed")
    assert stripe.fetch(reference).refunds == (replace(pending, status=RefundStatus.SUCCEEDED),)
    assert [one.kind for one in books(bench, stripe)] == [*kinds, MovementKind.REFUND]
    bench.happen(f"refunds/{pending.psp_reference}/fail")
    failure = Failure("expired_or_canceled_card", "The money did not go back.")
    failed = replace(pending, status=RefundStatus.FAILED, failure=failure)
    assert stripe.fetch(reference).refunds == (failed,)
    assert [one.kind for one in books(bench, stripe)] == kinds


def test_a_refund_by_hand_has_no_reference_of_ours(
    bench: Bench, stripe: Stripe, reference: str
) -> None:
    bench.happen(f"charges/{charge_of(bench)}/refund", amount=20_000)
    (read,) = stripe.fetch(reference).refunds
    assert (read.refund_id, read.money) == (None, kes(20_000))
    assert {one.payment_id for one in books(bench, stripe)} == {"pay_1"}


def test_every_refund_is_read(bench: Bench, stripe: Stripe, reference: str) -> None:
    for number in range(11):
        assert stripe.refund(refund(reference, 100, f"ref_{number}")) is None
    read = stripe.fetch(reference).refunds
    assert {one.refund_id for one in read} == {f"ref_{number}" for number in range(11)}


def test_a_dispute_takes_the_money_until_it_is_won(
    bench: Bench, stripe: Stripe, reference: str
) -> None:
    dispute_id = bench.happen(f"charges/{charge_of(bench)}/dispute", amount=140_000)["id"]
    open_ = DisputeOutcome(dispute_id, kes(140_000), DisputeStatus.OPEN)
    assert stripe.fetch(reference).disputes == (open_,)
    assert stripe.refund(refund(reference)) == Failure(
        "charge_disputed", "Stripe refused this refund."
    )
    for verb, status in (("lose", DisputeStatus.LOST), ("win", DisputeStatus.WON)):
        assert [one.money for one in books(bench, stripe)] == [kes(150_000), kes(140_000)]
        bench.happen(f"disputes/{dispute_id}/{verb}")
        assert stripe.fetch(reference).disputes == (replace(open_, status=status),)
    assert [one.kind for one in books(bench, stripe)] == [MovementKind.CAPTURE]
    assert stripe.refund(refund(reference, refund_id="ref_2")) is None


def test_an_inquiry_is_nothing_yet(bench: Bench, stripe: Stripe, reference: str) -> None:
    bench.happen(f"charges/{charge_of(bench)}/dispute", inquiry=True)
    assert stripe.fetch(reference).disputes == ()
    assert len(books(bench, stripe)) == 1


def test_every_event_leads_to_the_payment(bench: Bench, stripe: Stripe, reference: str) -> None:
    stripe.refund(refund(reference))
    charge_id = charge_of(bench)
    made = bench.happen(f"charges/{charge_id}/refund", amount=1)
    dispute = bench.happen(f"charges/{charge_id}/dispute")
    bench.happen(f"refunds/{made['id']}/fail")
    bench.happen(f"disputes/{dispute['id']}/win")
    until(lambda: "charge.dispute.funds_reinstated" in bench.receiver.types())
    known = {reference, *stripe.fetch(reference).references}
    assert charge_id in known
    for hint in hints(bench, stripe).values():
        assert hint.payment_id in ("pay_1", None)
        assert hint.psp_reference == reference or not known.isdisjoint(hint.references), hint
    assert hints(bench, stripe)["refund.failed"].payment_id is None
    assert hints(bench, stripe)["charge.refunded"].payment_id == "pay_1"


def test_a_payment_is_found_by_our_reference(bench: Bench, stripe: Stripe, order: Order) -> None:
    created_at = bench.clock.now()
    assert stripe.find("pay_1", created_at) is None
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.start(order) is UNKNOWN
    for number in range(2, 5):
        stripe.start(replace(order, payment_id=f"pay_{number}"))
    found = stripe.find("pay_1", created_at)
    assert found is not None
    assert found.psp_reference is not None
    bench.press(found.psp_reference, "pay")
    assert stripe.find("pay_1", created_at) == stripe.fetch(found.psp_reference)


def test_a_payment_that_was_opened_late_is_found(
    bench: Bench, stripe: Stripe, order: Order
) -> None:
    created_at = bench.clock.now()
    hours = timedelta(hours=22)
    bench.clock.advance(hours.total_seconds())
    stripe.start(replace(order, expires_at=order.expires_at + hours))
    assert stripe.find("pay_1", created_at) is not None
    assert stripe.find("pay_1", created_at - timedelta(hours=3)) is None


def test_a_late_capture_is_in_the_books_of_its_day(bench: Bench, stripe: Stripe, held: str) -> None:
    bench.clock.advance(timedelta(days=6).total_seconds())
    assert stripe.capture(held, kes(150_000), "capture-1") is None
    (movement,) = books(bench, stripe, hours=1)
    assert (movement.payment_id, movement.money) == ("pay_1", kes(150_000))
    assert abs(movement.at - bench.clock.now()) < timedelta(minutes=1)
