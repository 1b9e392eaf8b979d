"""The states of a payment and of what follows from it, and the keys that a PSP sees."""

from dataclasses import FrozenInstanceError, replace

import pytest

from tests.domain.psp_words import LATER, NOW, dispute, payment, refund
from tollgate.domain.dispute import DISPUTE_EDGES, TAKEN, Dispute, DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, RefundOrder
from tollgate.domain.payment import (
    EDGES,
    OPEN,
    PAID,
    TAKEN_BACK,
    UNPAID,
    Capture,
    Payment,
    PaymentStatus,
)
from tollgate.domain.principal import Tenant
from tollgate.domain.refund import REFUND_EDGES, Refund, RefundStatus

PENDING, REQUIRES_ACTION = PaymentStatus.PENDING, PaymentStatus.REQUIRES_ACTION
PROCESSING, AUTHORIZED = PaymentStatus.PROCESSING, PaymentStatus.AUTHORIZED
SUCCEEDED, FAILED = PaymentStatus.SUCCEEDED, PaymentStatus.FAILED
CANCELED, EXPIRED = PaymentStatus.CANCELED, PaymentStatus.EXPIRED
PARTLY, REFUNDED = PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED
DISPUTED, REVIEW = PaymentStatus.DISPUTED, PaymentStatus.NEEDS_REVIEW

# A row is a state, a column where it may go: the order of both is that of the states.
ALLOWED = """
    pending             . x x x x x x x . . . x
    requires_action     . . x x x x x x . . . x
    processing          . x . x x x x x . . . x
    authorized          . . . . x x x x . . . x
    succeeded           . . . . . . . . x x x x
    failed              . . . . x . . . . . . x
    canceled            . . . . x . . . . . . x
    expired             . . . . x . . . . . . x
    partially_refunded  . . . . x . . . . x x x
    refunded            . . . . x . . . x . x x
    disputed            . . . . x . . . x x . x
    needs_review        . . . . x . x . x x x .
"""


def test_the_states_are_called_what_apps_and_rows_call_them() -> None:
    assert [str(status) for status in PaymentStatus] == [
        line.split()[0] for line in ALLOWED.strip().splitlines()
    ]
    assert [str(status) for status in RefundStatus] == ["pending", "succeeded", "failed"]
    assert [str(status) for status in DisputeStatus] == ["open", "won", "lost"]
    assert [str(capture) for capture in Capture] == ["automatic", "manual"]


@pytest.mark.parametrize("value", [payment(), refund(), dispute(DisputeStatus.OPEN)])
def test_what_stands_in_a_row_is_a_value(value: Payment | Refund | Dispute) -> None:
    with pytest.raises(FrozenInstanceError):
        del value.version


def test_nothing_is_taken_of_a_new_payment() -> None:
    new = Payment(
        id="pay_1",
        app_id="app_1",
        client_id="client-1",
        money=Money(1, "KES"),
        status=PENDING,
        psp="stripe",
        livemode=False,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        expires_at=LATER,
    )
    assert (new.amount_captured_minor, new.amount_refunded_minor) == (0, 0)
    assert new.capture is Capture.AUTOMATIC


def test_every_edge_is_one_of_these() -> None:
    table = {}
    for line in ALLOWED.strip().splitlines():
        status, *marks = line.split()
        table[PaymentStatus(status)] = {
            there for there, mark in zip(PaymentStatus, marks, strict=True) if mark == "x"
        }
    assert table == EDGES


def test_the_states_are_open_unpaid_paid_or_for_review() -> None:
    assert {PENDING, REQUIRES_ACTION, PROCESSING, AUTHORIZED} == OPEN
    assert {FAILED, CANCELED, EXPIRED} == UNPAID
    assert {SUCCEEDED, PARTLY, REFUNDED, DISPUTED} == PAID
    assert set(PaymentStatus) - OPEN - UNPAID - PAID == {REVIEW}


def test_who_has_all_the_money_back() -> None:
    assert {REFUNDED, DISPUTED} == TAKEN_BACK


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_payment_knows_whether_it_is_open_or_paid(status: PaymentStatus) -> None:
    assert payment(status).is_open is (status in OPEN)
    assert payment(status).is_paid is (status in PAID)


def test_nothing_leads_back_to_pending_nor_from_paid_to_unpaid() -> None:
    for status, reachable in EDGES.items():
        assert PENDING not in reachable
        assert status not in PAID or reachable.isdisjoint(OPEN | UNPAID)


@pytest.mark.parametrize("status", sorted(UNPAID))
def test_what_ended_without_money_may_still_turn_out_paid(status: PaymentStatus) -> None:
    assert EDGES[status] == {SUCCEEDED, REVIEW}


def test_a_payment_is_of_its_app() -> None:
    assert payment().tenant == Tenant("app_1")


def test_a_refund_ends_once_the_psp_said_how_and_a_bank_may_change_that() -> None:
    pending, done, failed = RefundStatus
    assert {pending: {done, failed}, done: {failed}, failed: {done}} == REFUND_EDGES


def test_a_dispute_may_be_decided_and_decided_again() -> None:
    every = set(DisputeStatus)
    assert {status: every - {status} for status in every} == DISPUTE_EDGES
    assert {DisputeStatus.OPEN, DisputeStatus.LOST} == TAKEN


def test_the_psp_sees_one_idempotency_key_for_a_payment() -> None:
    order = Order("pay_1", Money(1, "KES"), "x", "https://a", "https://b", NOW, Customer())
    again = replace(order, money=Money(2, "USD"), expires_at=LATER, description="y")
    assert order.idempotency_key == again.idempotency_key == "tollgate-pay_1"
    assert order.idempotency_key != replace(order, payment_id="pay_2").idempotency_key


def test_the_psp_sees_one_idempotency_key_for_a_refund() -> None:
    order = RefundOrder("ref_1", "cs_1", Money(1, "KES"))
    again = replace(order, psp_reference="cs_2", money=Money(2, "KES"), reason="y")
    assert order.idempotency_key == again.idempotency_key == "tollgate-ref_1"
    assert order.idempotency_key != replace(order, refund_id="ref_2").idempotency_key
