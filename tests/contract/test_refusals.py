"""What a PSP can't do is refused before anything is sent or recorded, naming what it can."""

from typing import Any

import pytest

from tests.contract.kinds import Kind, for_kinds
from tests.contract.stage import Stage
from tests.world import Answer
from tollgate.domain.money import EXPONENTS
from tollgate.domain.payment import Method


@for_kinds(lambda kind: not kind.can.currencies >= set(EXPONENTS))
def test_a_currency_it_does_not_take(stage: Stage) -> None:
    currency = min(set(EXPONENTS) - stage.can.currencies)
    answer = stage.create(plan=None, amount=150_000, currency=currency)
    _is_refused(stage, answer, "unsupported_currency", sorted(stage.can.currencies))


@for_kinds(lambda kind: not kind.can.methods >= set(Method))
def test_a_method_it_does_not_take(stage: Stage) -> None:
    method = min(set(Method) - stage.can.methods)
    answer = stage.create(method=method)
    _is_refused(stage, answer, "unsupported_method", sorted(stage.can.methods))


WISHES: dict[str, tuple[dict[str, Any], str]] = {
    "embedded": ({"page": "embedded"}, "page: embedded"),
    "manual": ({"capture": "manual"}, "capture: manual"),
    "save": ({"save_method": True}, "save_method"),
}


def _can(kind: Kind, wish: str) -> bool:
    can = kind.can
    known = {
        "embedded": "embedded" in can.pages,
        "manual": can.manual_capture,
        "save": can.saves_methods,
    }
    return known[wish]


@pytest.mark.parametrize("wish", WISHES)
@for_kinds(lambda kind: not any(_can(kind, wish) for wish in WISHES))
def test_a_wish_it_can_not_meet(stage: Stage, wish: str) -> None:
    wanted, named = WISHES[wish]
    _is_refused(stage, stage.create(**wanted), "unsupported_by_psp", [named])


@for_kinds(lambda kind: not kind.can.off_session)
def test_nobody_is_charged_while_away(stage: Stage) -> None:
    answer = stage.create(off_session=True, page=None, method=None)
    _is_refused(stage, answer, "no_saved_method", [])


@for_kinds()
def test_who_pays_is_asked_for_where_it_must_be_known(stage: Stage) -> None:
    """An order without a customer is opened, or refused for the fields that lack."""
    answer = stage.create(customer=None)
    if answer.status == 201:
        assert answer.json["status"] == "requires_action"
        return
    _is_refused(stage, answer, "customer_incomplete", [])
    paths = {error["path"] for error in answer.json["errors"]}
    assert paths and paths <= {"customer.email", "customer.phone", "customer.name"}


@for_kinds()
def test_an_amount_beyond_all_limits_does_no_harm(stage: Stage) -> None:
    """It is refused here, or by the PSP: then it failed."""
    answer = stage.create(plan=None, amount=999_999_999_999)
    assert answer.status in (201, 422), answer.body
    if answer.status == 422:
        _is_refused(stage, answer, "unsupported_amount", [])


@for_kinds()
def test_other_credentials_are_ours_to_mend(stage: Stage) -> None:
    """Those of the other mode, for one: 503 here, and the same request is good once it is mended."""
    with stage.deployed(**{stage.kind.credential: "sk_live_of_another_account"}):
        answer = stage.create()
        assert (answer.status, answer.json["code"]) in (
            (503, "misconfigured"),
            (503, "psp_unavailable"),
        )
        assert stage.psp.lines() == []
        assert stage.is_active() is False
    again = stage.create()
    assert (again.status, again.json["status"]) == (201, "requires_action")


@for_kinds()
def test_missing_settings_are_named_and_nothing_is_sent(stage: Stage) -> None:
    with stage.deployed(**{stage.kind.credential: "none"}):
        answer = stage.create()
        assert (answer.status, answer.json["code"]) == (503, "misconfigured")
        assert stage.kind.credential in answer.json["detail"]
        assert stage.watched.asked == []


@for_kinds()
def test_one_token_serves_many_calls(stage: Stage) -> None:
    for number in range(3):
        payment = stage.paid(f"k-{number}", f"client-{number}")
        stage.hear()
        stage.containers.end()
        stage.pass_time(seconds=11)
        stage.come_back(payment)
    requests = stage.psp.ledger()["token_requests"]
    assert requests <= 1
    stage.pass_time(hours=24)
    stage.opened("k-later", "client-later")
    assert stage.psp.ledger()["token_requests"] == 2 * requests


def _is_refused(stage: Stage, answer: Answer, code: str, named: list[str]) -> None:
    assert (answer.status, answer.json["code"]) == (422, code), answer.body
    for name in named:
        assert name in answer.json["detail"]
    assert stage.watched.asked == []
    assert stage.psp.lines() == []
    assert stage.world.rows("SELECT count(*) FROM payments") == [(0,)]
