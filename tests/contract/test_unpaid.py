"""A payment that nobody pays: declined, left, run out of time, canceled. Money that comes all the
same is never lost."""

from collections.abc import Collection

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Payment, Stage
from tollgate.domain.capabilities import CancelBy
from tollgate.domain.payment import OPEN, UNPAID

PAYABLE_HOURS = 23
CLOSED_AFTER_MINUTES = 30
LATE_CHECKS = 4
"""So many looks, six hours apart, find what was paid late."""


@for_kinds()
def test_a_decline_takes_nothing(stage: Stage) -> None:
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "decline")
    stage.hear()
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    now, line = stage.read(payment), stage.line(payment)
    assert stage.is_active() is False
    assert line["captured"] == 0
    assert now["status"] in OPEN | UNPAID
    if line["status"] == "failed":
        assert now["status"] == "failed"
        assert now["failure"]["code"] and now["failure"]["message"]


@for_kinds()
def test_what_is_paid_after_a_decline_is_not_lost(stage: Stage) -> None:
    """Where the PSP lets its client try again, though it told us of a failure."""
    for client, is_lost in ("told", False), ("lost", True):
        payment = stage.opened(client, client)
        stage.psp.do(payment["psp_reference"], "decline")
        stage.hear()
        stage.reconcile()
        stage.psp.faults(lost=is_lost)
        stage.psp.happen(payment["psp_reference"], "pay")
        stage.hear()
        if is_lost:
            stage.pass_time(hours=6)
            stage.reconcile()
        was_paid = stage.line(payment)["status"] == "paid"
        assert (stage.status(payment) == "succeeded") == was_paid
        assert stage.is_active(client) is was_paid


@for_kinds()
def test_what_is_left_stays_open(stage: Stage) -> None:
    payment = stage.opened()
    for _ in range(3):
        stage.come_back(payment)
        stage.reconcile()
        assert stage.status(payment) in OPEN
    assert stage.is_active() is False
    assert stage.line(payment)["status"] == "open"


@for_kinds()
def test_what_the_psp_ends_by_itself_is_over(stage: Stage) -> None:
    payment = stage.opened()
    ends = stage.psp.happen(payment["psp_reference"], "expire").status_code < 400
    stage.hear()
    stage.reconcile()
    if ends:
        assert stage.line(payment)["status"] in ("expired", "failed", "canceled")
    if ends and stage.can.ends_are_final:
        assert stage.status(payment) in UNPAID
    elif not ends:
        assert stage.status(payment) in OPEN
    if stage.status(payment) in OPEN:
        _run_out(stage, payment)
    assert stage.is_active() is False


@for_kinds()
def test_what_is_paid_after_its_time_is_not_lost(stage: Stage) -> None:
    told, lost = stage.opened("k-1", "client-1"), stage.opened("k-2", "client-2")
    _run_out(stage, told, lost)
    stage.psp.happen(told["psp_reference"], "pay")
    stage.hear()
    _is_as_the_psp_says(stage, told, {"expired", "failed"})
    stage.psp.faults(lost=True)
    stage.psp.happen(lost["psp_reference"], "pay")
    _look_late(stage)
    _is_as_the_psp_says(stage, lost, {"expired", "failed"})


@for_kinds()
def test_a_payment_that_nobody_opened_runs_out_too(stage: Stage) -> None:
    payment = stage.create().json
    _run_out(stage, payment)
    assert stage.is_active() is False


@for_kinds()
def test_a_payment_is_canceled(stage: Stage) -> None:
    payment = stage.opened()
    answer = stage.cancel(payment)
    assert (answer.status, answer.json["status"]) == (200, "canceled")
    assert stage.cancel(payment).json["status"] == "canceled"
    stage.hear()
    assert stage.status(payment) == "canceled"
    if stage.can.cancel is CancelBy.API:
        assert stage.line(payment)["status"] in ("expired", "canceled")


@for_kinds()
def test_what_is_paid_after_it_was_canceled_is_not_lost(stage: Stage) -> None:
    told, lost = stage.opened("k-1", "client-1"), stage.opened("k-2", "client-2")
    for payment in told, lost:
        stage.cancel(payment)
    stage.hear()
    stage.psp.happen(told["psp_reference"], "pay")
    stage.hear()
    _is_as_the_psp_says(stage, told, {"canceled"})
    stage.psp.faults(lost=True)
    stage.psp.happen(lost["psp_reference"], "pay")
    _look_late(stage)
    _is_as_the_psp_says(stage, lost, {"canceled"})


@for_kinds()
def test_what_is_paid_can_not_be_canceled(stage: Stage) -> None:
    stage.psp.faults(lost=True)
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    answer = stage.cancel(payment)
    assert (answer.status, answer.json["code"]) == (409, "not_cancelable")
    assert stage.status(payment) == "succeeded"


def _run_out(stage: Stage, *payments: Payment) -> None:
    """Their time to pay passes, and the timer has seen it."""
    stage.pass_time(hours=PAYABLE_HOURS, minutes=CLOSED_AFTER_MINUTES)
    stage.reconcile()
    stage.hear()
    stage.reconcile()
    assert {stage.status(payment) for payment in payments} <= UNPAID


def _look_late(stage: Stage) -> None:
    for _ in range(LATE_CHECKS):
        stage.pass_time(hours=6)
        stage.reconcile()


def _is_as_the_psp_says(stage: Stage, payment: Payment, ended: Collection[str]) -> None:
    """Paid if the PSP took the money; where its ends are final, it did not."""
    took_it = stage.line(payment)["captured"] > 0
    assert not (took_it and stage.can.ends_are_final)
    assert stage.status(payment) in ({"succeeded"} if took_it else ended)
    assert stage.is_active(payment["client_id"]) is took_it
