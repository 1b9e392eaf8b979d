"""The adapter and PayPal's stand-in: what goes back, and what clients let us keep."""

import pytest

from tests.local.paypal.bench import (
    Bench,
)
from tests.psp import paypal_standing
from tests.psp.outcomes import facts
from tests.psp.paypal_standing import heard, paid, refund_order
from tests.psp.paypal_values import order_of
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import Misconfigured
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.paypal.adapter import PayPal

paypal_bench = paypal_standing.paypal_bench
paypal_ports = paypal_standing.paypal_ports
paypal = paypal_standing.paypal
tokens = paypal_standing.tokens


def test_a_refund_comes_back_under_our_name(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    for _ in range(3):
        assert paypal.refund(refund_order(reference)) is None
    (told,) = paypal.fetch(reference).refunds
    assert (told.refund_id, told.money, told.status) == (
        "ref_1",
        Money(400, "USD"),
        RefundStatus.SUCCEEDED,
    )
    assert paypal_bench.ledger()["payments"][0]["refunded"] == 400


def test_a_refund_that_is_refused(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    refusal = paypal.refund(refund_order(reference, 1001))
    assert refusal == Failure("refund_amount_exceeded", "PayPal refused this refund.")
    assert paypal.refund(refund_order(reference, 1000)) is None
    refusal = paypal.refund(refund_order(reference, 1, "ref_2"))
    assert refusal is not None
    assert refusal.code == "capture_fully_refunded"


def test_a_refund_may_end_otherwise_than_it_began(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(pending_refunds=True)
    assert paypal.refund(refund_order(reference)) is None
    (told,) = paypal.fetch(reference).refunds
    assert told.status is RefundStatus.PENDING
    paypal_bench.happen(f"refunds/{told.psp_reference}/fail")
    (told,) = paypal.fetch(reference).refunds
    assert told.status is RefundStatus.FAILED


def test_what_others_give_back_is_told_too(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.happen(f"payments/{reference}/refund", amount=250)
    paypal_bench.happen(f"payments/{reference}/reverse")
    by_hand, reversal = paypal.fetch(reference).refunds
    assert (by_hand.refund_id, by_hand.money) == (None, Money(250, "USD"))
    assert (reversal.refund_id, reversal.money) == (None, Money(750, "USD"))


def test_a_dispute_from_its_start_to_its_end(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    dispute_id = paypal_bench.happen(f"payments/{reference}/dispute", amount=300)["dispute_id"]
    (told,) = paypal.fetch(reference).disputes
    assert (told.psp_reference, told.money, told.status) == (
        dispute_id,
        Money(300, "USD"),
        DisputeStatus.OPEN,
    )
    for outcome, status in (
        ("RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
    ):
        paypal_bench.happen(f"disputes/{dispute_id}/resolve", outcome=outcome)
        assert [one.status for one in paypal.fetch(reference).disputes] == [status]


def test_disputes_that_we_may_not_read_are_a_setting_to_mend(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(no_disputes_feature=True)
    with pytest.raises(Misconfigured, match="customer disputes"):
        paypal.fetch(reference)


# What clients let us keep


def test_what_was_kept_is_charged_without_the_client(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    assert saved is not None
    renewal = order_of(payment_id="pay_2", saved_method=saved)
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert paypal.start(renewal) is UNKNOWN
    outcome = paypal.start(renewal)
    assert facts(outcome) == (PaymentStatus.SUCCEEDED, "pay_2", renewal.money, False)
    assert [one["captured"] for one in paypal_bench.ledger()["payments"]] == [1000, 1000]


def test_a_renewal_is_charged_once_though_its_key_is_forgotten(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    renewal = order_of(payment_id="pay_2", saved_method=saved)
    assert paypal.start(renewal).status is PaymentStatus.SUCCEEDED
    paypal_bench.clock.advance(7 * 3600)
    assert paypal.start(renewal) is UNKNOWN
    assert [one["captured"] for one in paypal_bench.ledger()["payments"]] == [1000, 1000]


def test_a_renewal_that_is_declined_has_failed(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    paypal_bench.fault(instrument_declined=True)
    outcome = paypal.start(order_of(payment_id="pay_2", saved_method=saved))
    assert outcome.failure is not None
    assert outcome.failure.code == "instrument_declined"
    paypal_bench.fault(capture_as="DECLINED")
    outcome = paypal.start(order_of(payment_id="pay_3", saved_method=saved))
    assert outcome.status is PaymentStatus.FAILED


def test_what_is_kept_later_is_told_by_a_webhook(paypal_bench: Bench, paypal: PayPal) -> None:
    paypal_bench.fault(pending_vault=True)
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    assert paypal.fetch(reference).saved_method is None
    paypal_bench.happen(f"payments/{reference}/vault")
    hint = heard(paypal_bench, paypal, 3)[2]
    assert (hint.type, hint.psp_reference) == ("VAULT.PAYMENT-TOKEN.CREATED", reference)
    assert paypal.fetch(reference).saved_method is not None
