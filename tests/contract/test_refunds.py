"""Money that goes back: when we ask for it, by whoever decides, and in the PSP's own pages."""

import contextlib

import pytest

from tests.contract.kinds import for_kinds
from tests.contract.stage import Stage
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.principal import Tenant
from tollgate.operations.refunds import settle_by_hand

at_once = for_kinds(lambda kind: kind.can.refund is RefundBy.API)
by_request = for_kinds(lambda kind: kind.can.refund is RefundBy.REQUEST)
by_hand = for_kinds(lambda kind: kind.can.refund is RefundBy.MANUAL)
told = for_kinds(lambda kind: kind.can.refund is not RefundBy.MANUAL)


@at_once
def test_a_part_and_then_the_rest_go_back_at_once(stage: Stage) -> None:
    payment = stage.paid()
    part = payment["amount"] // 3
    answer = stage.refund(payment, part)
    assert (answer.status, answer.json["status"]) == (201, "succeeded")
    assert stage.status(payment) == "partially_refunded"
    assert stage.line(payment)["refunded"] == part
    assert stage.is_active() is True
    answer = stage.refund(payment, key="r-2")
    assert (answer.json["status"], answer.json["amount"]) == ("succeeded", payment["amount"] - part)
    assert stage.status(payment) == "refunded"
    assert stage.is_active() is False
    stage.hear()


@by_request
@pytest.mark.parametrize("third", [True, False], ids=["part", "all"])
def test_a_refund_waits_until_somebody_approves_it(stage: Stage, third: bool) -> None:
    payment = stage.paid()
    amount = payment["amount"] // 3 if third else payment["amount"]
    answer = stage.refund(payment, amount)
    assert (answer.status, answer.json["status"]) in ((201, "pending"), (202, "pending"))
    assert stage.line(payment)["refunded"] == 0
    assert stage.is_active() is True
    stage.psp.do(payment["psp_reference"], "refund", amount=amount)
    stage.hear()
    stage.reconcile()
    assert stage.status(payment) == ("partially_refunded" if third else "refunded")
    assert _refunds(stage) == [("succeeded", amount)]


@by_hand
def test_an_operator_tells_what_became_of_a_refund(stage: Stage) -> None:
    payment = stage.paid()
    part = payment["amount"] // 3
    answer = stage.refund(payment, part)
    assert answer.json["status"] == "pending"
    stage.reconcile()
    _tell_by_hand(stage, answer.json["id"], done=False)
    assert _refunds(stage) == [("failed", part)]
    assert stage.status(payment) == "succeeded"
    again = stage.refund(payment, part, key="r-2")
    _tell_by_hand(stage, again.json["id"], done=True)
    assert stage.status(payment) == "partially_refunded"
    assert stage.is_active() is True
    rest = stage.refund(payment, key="r-3")
    _tell_by_hand(stage, rest.json["id"], done=True)
    assert stage.status(payment) == "refunded"
    assert stage.is_active() is False


@at_once
def test_a_refund_made_in_the_psps_pages_is_ours_too(stage: Stage) -> None:
    payment = stage.paid()
    stage.hear()
    part = payment["amount"] // 3
    stage.psp.do(payment["psp_reference"], "refund", amount=part)
    stage.hear()
    assert stage.status(payment) == "partially_refunded"
    assert stage.read(payment)["amount_refunded"] == part
    assert _refunds(stage) == [("succeeded", part)]


@told
def test_all_of_it_back_in_the_psps_pages_ends_access(stage: Stage) -> None:
    payment = stage.paid()
    stage.hear()
    stage.pass_time(seconds=2)
    stage.psp.do(payment["psp_reference"], "refund")
    stage.hear()
    assert stage.status(payment) == "refunded"
    assert stage.is_active() is False


@for_kinds()
def test_one_key_is_one_refund(stage: Stage) -> None:
    payment = stage.paid()
    first = stage.refund(payment, payment["amount"] // 3)
    second = stage.refund(payment, payment["amount"] // 3)
    assert first.body == second.body
    assert len(_refunds(stage)) == 1


@for_kinds()
def test_no_more_goes_back_than_was_taken(stage: Stage) -> None:
    payment = stage.paid()
    asked = len(stage.watched.asked)
    answer = stage.refund(payment, payment["amount"] + 1)
    assert (answer.status, answer.json["errors"][0]["path"]) == (422, "amount")
    stage.refund(payment, key="r-2")
    assert stage.refund(payment, 1, key="r-3").status == 409
    assert len(stage.watched.asked) > asked or stage.can.refund is RefundBy.MANUAL


@for_kinds()
def test_what_was_not_paid_can_not_be_refunded(stage: Stage) -> None:
    payment = stage.opened()
    asked = len(stage.watched.asked)
    answer = stage.refund(payment)
    assert (answer.status, answer.json["code"]) == (409, "not_refundable")
    assert len(stage.watched.asked) == asked


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize("how", ["timeout_after_charge", "drop_after_charge"])
@told
def test_a_refund_whose_answer_is_lost_goes_back_once(stage: Stage, how: str) -> None:
    payment = stage.paid()
    stage.hear()
    part = payment["amount"] // 3
    stage.psp.faults(**{how: True}, next={how: 1})
    answer = stage.refund(payment, part)
    assert answer.status in (201, 202)
    stage.psp.faults()
    if stage.can.refund is RefundBy.REQUEST:
        stage.psp.do(payment["psp_reference"], "refund", amount=part)
    stage.hear()
    stage.reconcile()
    stage.reconcile()
    assert stage.line(payment)["refunded"] == part
    assert _refunds(stage) == [("succeeded", part)]


def _refunds(stage: Stage) -> list[tuple[str, int]]:
    """Ours, oldest first."""
    rows = stage.rows("SELECT status, amount_minor FROM refunds ORDER BY id")
    return [(status, amount) for status, amount in rows]


def _tell_by_hand(stage: Stage, refund_id: str, *, done: bool) -> None:
    """As the operator's command does."""
    context = stage.new_context()
    with contextlib.closing(context.database), contextlib.closing(context.cache):
        tenant = Tenant(stage.world.app.id)
        settle_by_hand(context.within(tenant), refund_id, "operator", done=done)
