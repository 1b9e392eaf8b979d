"""A payment is opened, the client pays, and whatever gets lost, it is settled."""

from collections.abc import Callable

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Payment, Stage


@for_kinds()
def test_a_payment_is_opened(stage: Stage) -> None:
    answer = stage.create()
    payment = answer.json
    assert (answer.status, payment["status"]) == (201, "requires_action")
    assert payment["next_action"]["type"] == stage.kind.action
    assert payment["psp_reference"]
    assert stage.is_active() is False
    stage.psp.follow(payment["next_action"])
    line = stage.line(payment)
    assert (line["status"], line["captured"]) == ("open", 0)
    assert (line["amount"], line["currency"]) == (payment["amount"], payment["currency"])


@for_kinds()
def test_what_was_paid_is_settled_by_the_webhook(stage: Stage) -> None:
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.wait_for(payment, "succeeded")
    assert stage.is_active() is True
    assert stage.line(payment)["status"] == "paid"
    assert stage.read(payment)["amount_captured"] == payment["amount"]
    stage.hear()


HEARS: dict[str, Callable[[Stage, Payment], object]] = {
    "return": Stage.come_back,
    "reading": Stage.read,
    "check": lambda stage, payment: stage.is_active(payment["client_id"]),
    "reconcile": lambda stage, _payment: stage.reconcile(),
}


@for_kinds()
def test_what_was_paid_is_settled_without_the_webhook(stage: Stage) -> None:
    stage.psp.faults(lost=True)
    for how, hear in HEARS.items():
        payment = stage.opened(f"k-{how}", f"client-{how}")
        stage.psp.do(payment["psp_reference"], "pay")
        stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
        hear(stage, payment)
        assert stage.status(payment) == "succeeded", how
        assert stage.is_active(f"client-{how}") is True
    assert not stage.gateway.arrivals


@for_kinds()
def test_a_client_who_comes_back_is_sent_on_to_the_app(stage: Stage) -> None:
    payment = stage.paid()
    answer = stage.come_back(payment)
    assert answer.status == 303
    assert answer.headers["location"].endswith(f"payment_id={payment['id']}")
