"""Money that is not what was asked, disputes, words that nobody knows: never a success by guess."""

from tests.contract.kinds import for_kinds
from tests.contract.stage import LOOK_AGAIN_SECONDS, Stage
from tests.local.standin.serving import until
from tollgate.domain.dispute import DisputeStatus

NEW_WORD = "half_paid"
ANOTHER_CURRENCY = {"KES": "ugx", "USD": "eur"}


@for_kinds()
def test_another_amount_is_for_a_human(stage: Stage) -> None:
    for client, more in ("client-1", 100), ("client-2", -100):
        stage.psp.faults(wrong_amount=more)
        payment = stage.opened(f"k-{more}", client)
        stage.psp.do(payment["psp_reference"], "pay")
        stage.hear()
        assert stage.status(payment) == "needs_review"
        assert stage.is_active(client) is False


@for_kinds(lambda kind: kind.tells_currency)
def test_another_currency_is_for_a_human(stage: Stage) -> None:
    stage.psp.faults(wrong_currency=ANOTHER_CURRENCY[stage.kind.currency])
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.hear()
    assert stage.status(payment) == "needs_review"
    assert stage.is_active() is False


@for_kinds()
def test_a_word_that_nobody_knows_is_no_success(stage: Stage) -> None:
    stage.psp.faults(lost=True)
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    stage.psp.do(payment["psp_reference"], "say", state=NEW_WORD)
    before = stage.status(payment)
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    stage.come_back(payment)
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    assert stage.is_active() is False
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    assert stage.read(payment)["status"] == before
    assert stage.reconcile()["settled"] == 0
    assert stage.status(payment) == before
    stage.psp.do(payment["psp_reference"], "say")
    stage.pass_time(seconds=LOOK_AGAIN_SECONDS)
    assert stage.read(payment)["status"] == "succeeded"
    assert stage.is_active() is True


@for_kinds()
def test_a_webhook_about_a_word_that_nobody_knows_is_to_come_again(stage: Stage) -> None:
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "say", state=NEW_WORD)
    stage.psp.do(payment["psp_reference"], "pay")
    until(lambda: stage.gateway.arrivals)
    assert stage.gateway.arrivals[0].answer.status == 503
    assert stage.status(payment) == "requires_action"
    stage.psp.do(payment["psp_reference"], "say")
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == "succeeded"


@for_kinds()
def test_a_word_that_nobody_knows_undoes_nothing(stage: Stage) -> None:
    payment = stage.paid()
    stage.hear()
    stage.psp.do(payment["psp_reference"], "say", state=NEW_WORD)
    for event in stage.psp.ledger()["events"]:
        stage.pass_time(seconds=2)
        stage.psp.resend(event["id"])
    stage.reconcile()
    assert stage.status(payment) == "succeeded"
    assert stage.is_active() is True
    stage.psp.do(payment["psp_reference"], "say")


@for_kinds(lambda kind: kind.can.dispute_events)
def test_a_dispute_is_told(stage: Stage) -> None:
    payment = stage.paid()
    stage.hear()
    stage.psp.do(payment["psp_reference"], "dispute")
    stage.hear()
    assert stage.rows("SELECT status, amount_minor FROM disputes") == [
        (DisputeStatus.OPEN, payment["amount"])
    ]
    assert stage.status(payment) == "disputed"
    assert stage.is_active() is False
