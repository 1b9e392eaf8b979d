"""Answers that get lost, and requests that come twice: one payment, one charge."""

import pytest

from tests.contract.kinds import for_kinds
from tests.contract.stage import Payment, Stage
from tollgate.domain.payment import OPEN, UNPAID

LOST_ANSWERS = ("timeout_after_charge", "drop_after_charge")

pytestmark = pytest.mark.usefixtures("short_patience")


@pytest.mark.parametrize("how", LOST_ANSWERS)
@for_kinds()
def test_a_start_whose_answer_is_lost_is_finished_and_paid_once(stage: Stage, how: str) -> None:
    payment = _started(stage, how)
    stage.reconcile()
    stage.reconcile()
    now = stage.read(payment)
    assert now["status"] == "requires_action"
    assert now["next_action"]["type"] == stage.kind.action
    stage.psp.follow(now["next_action"])
    stage.pass_time(seconds=2)
    stage.psp.do(now["psp_reference"], "pay")
    stage.wait_for(payment, "succeeded")
    assert stage.is_active() is True
    if stage.can.idempotency_hours:
        assert len(stage.psp.lines()) == 1


@for_kinds(variants=True)
def test_it_is_finished_late_or_ended(stage: Stage) -> None:
    """After the PSP has forgotten our key, and to the end of its time."""
    payment = _started(stage, "drop_after_charge")
    stage.pass_time(hours=stage.can.idempotency_hours + 1)
    stage.reconcile()
    stage.pass_time(hours=24)
    stage.reconcile()
    stage.hear()
    stage.reconcile()
    stage.reconcile()
    assert stage.status(payment) in UNPAID
    assert stage.is_active() is False


@for_kinds()
def test_the_same_request_again_is_answered_the_same(stage: Stage) -> None:
    payment = _started(stage, "drop_after_charge")
    again = stage.create().json
    assert (again["id"], again["status"]) == (payment["id"], payment["status"])
    assert len(stage.psp.lines()) <= 1
    stage.reconcile()
    assert stage.status(payment) in OPEN


@for_kinds(lambda kind: kind.action == "await_push")
def test_what_is_paid_before_we_know_of_it_is_settled(stage: Stage) -> None:
    payment = _started(stage, "drop_after_charge")
    (line,) = stage.psp.lines(payment["id"])
    stage.psp.do(line["psp_reference"], "pay")
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == "succeeded"
    assert stage.is_active() is True


@for_kinds()
def test_one_key_opens_one_payment(stage: Stage) -> None:
    first, second = stage.create(), stage.create()
    assert (first.status, second.status) == (201, 201)
    assert first.body == second.body
    stage.psp.follow(first.json["next_action"])
    assert len(stage.psp.lines()) == 1
    assert stage.rows("SELECT count(*) FROM payments") == [(1,)]


@for_kinds()
def test_two_keys_are_two_payments(stage: Stage) -> None:
    first, second = stage.paid("k-1", "client-1"), stage.paid("k-2", "client-2")
    assert first["id"] != second["id"]
    assert [line["status"] for line in stage.psp.lines()] == ["paid", "paid"]


def _started(stage: Stage, how: str) -> Payment:
    """A payment whose start was answered to nobody, where anybody is asked for it."""
    stage.psp.faults(**{how: True}, next={how: 1})
    answer = stage.create()
    stage.psp.faults()
    assert answer.json["status"] == ("pending" if answer.status == 202 else "requires_action")
    assert answer.status in (201, 202)
    return answer.json
