"""Calls that are no word of this PSP about a payment of ours in our mode: nothing comes of it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.contract.gateway import Call
from tests.contract.kinds import PATH_TOKEN, for_kinds
from tests.contract.stage import CUSTOMER, Payment, Stage
from tests.local.standin.serving import until
from tests.operations.paying import everything
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.ids import new_id
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.payment import Method, PaymentPage

PROOFS = ("authorization", "auth", "sig")
"""What a header's name has in it, if the header proves who calls."""


@for_kinds()
def test_what_is_about_nothing_of_ours_is_dropped(stage: Stage) -> None:
    reference = _opened_by_somebody_else(stage)
    asked = len(stage.watched.asked)
    stage.psp.do(reference, "pay")
    until(lambda: stage.gateway.arrivals)
    stage.hear()
    assert {arrival.answer.status for arrival in stage.gateway.arrivals} == {200}
    assert len(stage.watched.asked) == asked
    assert stage.rows("SELECT count(*) FROM inbox") == [(0,)]


@for_kinds()
def test_what_the_psp_did_not_send_is_refused(stage: Stage) -> None:
    genuine = _genuine(stage)
    before, asked = everything(stage.world), len(stage.watched.asked)
    forgeries = list(_forged(genuine, signs=stage.kind.signs))
    assert len(forgeries) > 1
    for forgery in forgeries:
        answer = stage.gateway.call(forgery)
        assert answer.status == 400, forgery
        assert answer.json["code"] == "signature_refused"
    assert len(stage.watched.asked) == asked
    assert everything(stage.world) == before
    stage.pass_time(seconds=2)
    assert stage.gateway.call(genuine).status == 200


@for_kinds()
def test_what_can_not_be_read_is_refused(stage: Stage) -> None:
    genuine = _genuine(stage)
    before, asked = everything(stage.world), len(stage.watched.asked)
    for body in (b"", b"[]", b"{", b'{"event_type": {}}', b"\xff\xfe", b'{"a": 1e999}'):
        answer = stage.gateway.call(replace(genuine, method="POST", body=body))
        assert answer.status == 400, body
    assert len(stage.watched.asked) == asked
    assert everything(stage.world) == before


@for_kinds(lambda kind: kind.live_words is not None)
def test_an_event_of_the_other_mode_is_refused(stage: Stage) -> None:
    genuine = _genuine(stage)
    before, asked = everything(stage.world), len(stage.watched.asked)
    with stage.deployed(livemode=True):
        answer = stage.gateway.call(genuine)
    assert (answer.status, answer.json["code"]) == (400, "wrong_mode")
    assert len(stage.watched.asked) == asked
    assert everything(stage.world) == before


@for_kinds()
def test_another_mode_gives_no_access(stage: Stage) -> None:
    """A deployment of live mode hears of what was paid in test mode."""
    stage.psp.faults(lost=True)
    payment = _paid(stage)
    stage.psp.faults()
    with stage.deployed(livemode=True):
        event = stage.psp.ledger()["events"][-1]
        stage.psp.resend(event["id"])
    assert stage.status(payment) in ("requires_action", "needs_review")
    stage.reconcile()
    assert stage.status(payment) in ("succeeded", "needs_review")


@for_kinds(lambda kind: kind.live_words is not None)
def test_an_object_of_the_other_mode_gives_no_access(stage: Stage) -> None:
    stage.watched.instead = stage.kind.live_words
    answer = stage.create()
    assert answer.json["status"] == "needs_review"
    assert stage.is_active() is False


@for_kinds(lambda kind: kind.can.refund is not RefundBy.MANUAL)
def test_later_words_of_somebody_elses_payment_are_dropped(stage: Stage) -> None:
    reference = _opened_by_somebody_else(stage)
    stage.psp.do(reference, "pay")
    stage.hear()
    asked = len(stage.watched.asked)
    stage.psp.happen(reference, "refund")
    stage.hear()
    assert len(stage.watched.asked) == asked
    assert {arrival.answer.status for arrival in stage.gateway.arrivals} == {200}


def _paid(stage: Stage) -> Payment:
    payment = stage.opened()
    stage.psp.do(payment["psp_reference"], "pay")
    return payment


def _genuine(stage: Stage) -> Call:
    """A word of the PSP about a payment of ours, as it came."""
    _paid(stage)
    until(lambda: stage.gateway.arrivals)
    stage.hear()
    return stage.gateway.arrivals[0].call


def _forged(genuine: Call, *, signs: bool) -> Iterator[Call]:
    """As somebody would send it who does not know what the PSP and we know."""
    psp = genuine.path.split("/")[1]
    yield replace(genuine, path=f"/{psp}", headers={})
    yield replace(genuine, path=f"/{psp}/{_altered(PATH_TOKEN)}", headers={})
    for name, value in genuine.headers.items():
        if any(part in name for part in PROOFS):
            yield replace(genuine, headers={**genuine.headers, name: _altered(value)})
    if signs:
        yield replace(genuine, body=genuine.body + b" ")


def _altered(text: str) -> str:
    """With another character in its midst."""
    middle = len(text) // 2
    return text[:middle] + ("x" if text[middle] != "x" else "y") + text[middle + 1 :]


def _opened_by_somebody_else(stage: Stage) -> str:
    """The PSP's reference of a payment on the same account that this database does not know."""
    payment_id = new_id("pay", stage.clock.now(), bytes)
    wishes: dict[str, Any] = {}
    if "method" in stage.kind.body:
        wishes["method"] = Method(stage.kind.body["method"])
    if "page" in stage.kind.body:
        wishes["page"] = PaymentPage(stage.kind.body["page"])
    order = Order(
        payment_id=payment_id,
        money=Money(150_000, stage.kind.currency),
        description="Of another shop",
        return_url="https://shop.example/done",
        cancel_url="https://shop.example/back",
        expires_at=stage.clock.now().replace(microsecond=0) + timedelta(hours=23),
        customer=Customer(**CUSTOMER),
        attempt="a0000001",
        **wishes,
    )
    with stage.containers.one() as context:
        outcome = context.psp(stage.kind.psp).start(order)
    assert outcome.psp_reference is not None and outcome.next_action is not None
    stage.psp.follow(outcome.next_action)
    return outcome.psp_reference
