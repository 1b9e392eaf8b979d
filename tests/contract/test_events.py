"""Webhooks that come twice, late or in another order change what is so, and nothing else."""

from typing import Any

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Stage
from tollgate.domain.capabilities import RefundBy

LATE_SECONDS = 3600


@for_kinds()
def test_a_webhook_that_comes_twice_counts_once(stage: Stage) -> None:
    stage.psp.faults(twice=True)
    payment = stage.paid()
    stage.hear()
    assert stage.rows("SELECT count(*) FROM subscription_periods") == [(1,)]
    assert stage.status(payment) == "succeeded"


@for_kinds()
def test_every_event_again_changes_nothing(stage: Stage) -> None:
    stage.paid()
    stage.hear()
    before = _truth(stage)
    for event in stage.psp.ledger()["events"]:
        stage.pass_time(seconds=2)
        assert stage.psp.resend(event["id"]) == 200
    assert _truth(stage) == before


@for_kinds()
def test_a_late_webhook_tells_nothing_new(stage: Stage) -> None:
    stage.psp.faults(late_seconds=LATE_SECONDS)
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.reconcile()
    assert stage.status(payment) == "succeeded"
    before = _truth(stage)
    stage.pass_time(seconds=LATE_SECONDS)
    stage.hear()
    assert _truth(stage) == before


@for_kinds(lambda kind: kind.can.refund is not RefundBy.MANUAL)
def test_the_newest_first_ends_the_same(stage: Stage) -> None:
    stage.psp.faults(lost=True)
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.pass_time(seconds=2)
    stage.come_back(payment)
    stage.psp.faults(out_of_order=True)
    stage.pass_time(seconds=2)
    stage.psp.do(payment["psp_reference"], "refund")
    stage.hear()
    _resend_backwards(stage)
    assert stage.status(payment) == "refunded"


@for_kinds()
def test_the_newest_first_settles_a_payment(stage: Stage) -> None:
    stage.psp.faults(out_of_order=True)
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.pass_time(seconds=2)
    stage.wait_for(payment, "succeeded")
    _resend_backwards(stage)
    assert stage.status(payment) == "succeeded"


@for_kinds()
def test_a_word_that_comes_while_somebody_asks_is_not_lost(stage: Stage) -> None:
    payment = stage.opened()
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    stage.read(payment)
    stage.psp.do(payment["psp_reference"], "pay")
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == "succeeded"


@for_kinds(lambda kind: kind.can.refund is not RefundBy.MANUAL)
def test_a_word_that_follows_another_at_once_is_not_lost(stage: Stage) -> None:
    payment = stage.paid()
    stage.psp.do(payment["psp_reference"], "refund")
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == "refunded"


@for_kinds()
def test_a_word_of_one_payment_moves_no_other(stage: Stage) -> None:
    left = stage.opened("k-1", "client-1")
    stage.paid("k-2", "client-2")
    stage.hear()
    assert stage.status(left) == "requires_action"
    assert stage.is_active("client-1") is False


def _resend_backwards(stage: Stage) -> None:
    for event in reversed(stage.psp.ledger()["events"]):
        stage.pass_time(seconds=2)
        assert stage.psp.resend(event["id"]) == 200


def _truth(stage: Stage) -> list[Any]:
    """What is so of money and of access."""
    tables = ("payments", "refunds", "subscription_periods", "ledger_entries", "outbox")
    sql = "SELECT to_jsonb(t) - 'asked_at' - 'next_check_at' FROM {} t ORDER BY t::text"
    return [stage.rows(sql.format(table)) for table in tables]
