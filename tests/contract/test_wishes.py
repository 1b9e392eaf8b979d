"""What only some PSPs can: money that waits for the app, and clients who are away."""

from typing import Any

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Payment, Stage
from tests.local.standin.serving import until
from tollgate.domain.payment import UNPAID

holds = for_kinds(lambda kind: kind.can.manual_capture)


@holds
def test_what_is_held_is_taken_when_the_app_asks(stage: Stage) -> None:
    payment = _held(stage)
    assert stage.line(payment)["captured"] == 0
    assert stage.is_active() is False
    answer = stage.call("payments/capture", path=f"/{payment['id']}", body=b"{}")
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
    assert stage.line(payment)["captured"] == payment["amount"]
    assert stage.is_active() is True


@holds
def test_what_is_held_is_let_go(stage: Stage) -> None:
    payment = _held(stage)
    answer = stage.cancel(payment)
    assert (answer.status, answer.json["status"]) == (200, "canceled")
    assert stage.line(payment)["captured"] == 0


@holds
def test_a_part_of_what_is_held_is_taken_once(stage: Stage) -> None:
    payment = _held(stage, plan=None, amount=9_000, currency=stage.kind.currency)
    for _ in range(2):
        answer = stage.call("payments/capture", path=f"/{payment['id']}", body={"amount": 3_000})
        assert (answer.status, answer.json["amount_captured"]) == (200, 3_000)
    assert stage.line(payment)["captured"] == 3_000


@for_kinds(lambda kind: kind.can.off_session, variants=True)
def test_a_client_who_is_away_is_charged_once(stage: Stage) -> None:
    first = stage.paid(save_method=True)
    stage.hear()
    assert until(lambda: stage.rows("SELECT count(*) FROM saved_methods") == [(1,)])
    answers = [stage.create("k-away", method=None, page=None, off_session=True) for _ in range(2)]
    assert answers[0].body == answers[1].body
    second = answers[0].json
    assert second["off_session"] is True
    if second["status"] not in UNPAID:
        stage.hear()
        stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
        stage.reconcile()
    assert stage.status(second) == "succeeded"
    paid = [line for line in stage.psp.lines() if line["status"] == "paid"]
    assert {line["psp_reference"] for line in paid} == {
        first["psp_reference"],
        stage.read(second)["psp_reference"],
    }


@for_kinds(lambda kind: kind.can.off_session, variants=True)
def test_nobody_is_charged_who_let_nothing_be_kept(stage: Stage) -> None:
    stage.paid()
    stage.hear()
    asked = len(stage.watched.asked)
    answer = stage.create("k-away", method=None, page=None, off_session=True)
    assert (answer.status, answer.json["code"]) == (422, "no_saved_method")
    assert len(stage.watched.asked) == asked


def _held(stage: Stage, **more: Any) -> Payment:
    payment = stage.opened(capture="manual", **more)
    stage.psp.do(payment["psp_reference"], "pay")
    stage.wait_for(payment, "authorized")
    return payment
