"""The PSP answers 5xx, or what is no answer of its API: no crash here, nothing half done."""

from collections.abc import Callable
from typing import Any

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Payment, Stage
from tests.world import Answer
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.payment import OPEN

OUTAGES: dict[str, dict[str, Any]] = {
    "500": {"status_5xx": 500},
    "garbage": {"garbage": True},
}


@for_kinds()
def test_a_create_during_an_outage_is_made_good(stage: Stage) -> None:
    for outage, switches in OUTAGES.items():
        stage.psp.faults(**switches)
        before = stage.psp.lines()
        first = stage.create(outage, outage)
        assert first.status in (201, 202, 503), first.body
        assert stage.psp.lines() == before
        stage.reconcile()
        stage.psp.faults()
        stage.pass_time(minutes=5)
        again = stage.create(outage, outage)
        stage.reconcile()
        assert again.status in (201, 202)
        payment = stage.read(again.json)
        assert payment["status"] == "requires_action"
        stage.psp.follow(payment["next_action"])
        stage.pass_time(seconds=2)
        stage.psp.do(payment["psp_reference"], "pay")
        stage.wait_for(payment, "succeeded")
        assert len(stage.psp.lines(payment["id"])) == 1


def _get(stage: Stage, payment: Payment) -> Answer:
    return stage.call("payments/get", method="GET", path=f"/{payment['id']}")


READS: dict[str, tuple[Callable[[Stage, Payment], Answer], int]] = {
    "read": (_get, 200),
    "return": (Stage.come_back, 303),
}


@for_kinds()
def test_what_is_paid_during_an_outage_is_settled_after_it(stage: Stage) -> None:
    for outage, switches in OUTAGES.items():
        payment = stage.opened(outage, outage)
        stage.psp.faults(**switches)
        stage.psp.do(payment["psp_reference"], "pay")
        for ask, status in READS.values():
            stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
            assert ask(stage, payment).status == status
        assert stage.is_active(outage) is False
        stage.reconcile()
        assert stage.status(payment) == payment["status"]
        assert {arrival.answer.status for arrival in stage.gateway.arrivals} <= {200, 503}
        stage.psp.faults()
        stage.hear()
        stage.pass_time(minutes=30)
        stage.reconcile()
        assert stage.status(payment) == "succeeded"


@for_kinds()
def test_a_cancel_during_an_outage_is_made_good(stage: Stage) -> None:
    for outage, switches in OUTAGES.items():
        payment = stage.opened(outage, outage)
        stage.psp.faults(**switches)
        answer = stage.cancel(payment)
        assert answer.status in (200, 202, 503), answer.body
        stage.psp.faults()
        stage.pass_time(minutes=5)
        stage.reconcile()
        assert stage.status(payment) == "canceled"


@for_kinds(lambda kind: kind.can.refund is RefundBy.API)
def test_a_refund_during_an_outage_goes_back_once(stage: Stage) -> None:
    for outage, switches in OUTAGES.items():
        payment = stage.paid(outage, outage)
        stage.hear()
        stage.psp.faults(**switches)
        answer = stage.refund(payment, key=f"refund-{outage}")
        assert answer.status in (201, 202, 503), answer.body
        assert stage.line(payment)["refunded"] == 0
        stage.psp.faults()
        for _ in range(3):
            stage.pass_time(minutes=5)
            stage.reconcile()
        assert stage.line(payment)["refunded"] == payment["amount"]
        assert stage.status(payment) == "refunded"


@for_kinds(lambda kind: kind.can.refund is RefundBy.REQUEST)
def test_a_request_for_a_refund_that_was_not_made_can_be_made_again(stage: Stage) -> None:
    """It is made once at the most, so one that can't be made has failed."""
    payment = stage.paid()
    stage.hear()
    stage.psp.faults(status_5xx=500)
    answer = stage.refund(payment)
    assert (answer.status, answer.json["status"]) == (201, "failed")
    stage.psp.faults()
    again = stage.refund(payment, key="r-2")
    assert again.json["status"] == "pending"
    stage.pass_time(seconds=2)
    stage.psp.do(payment["psp_reference"], "refund")
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == "refunded"
    assert stage.line(payment)["refunded"] == payment["amount"]


@for_kinds()
def test_whoever_gives_up_waiting_reads_an_open_payment(stage: Stage) -> None:
    for outage, switches in OUTAGES.items():
        payment = stage.create(outage, outage).json
        stage.psp.faults(**switches)
        stage.pass_time(hours=24)
        stage.reconcile()
        assert stage.status(payment) in OPEN
        stage.psp.faults()
        stage.pass_time(hours=2)
        stage.reconcile()
        assert stage.status(payment) not in OPEN
