"""What a PSP can't do is refused before anything is sent or recorded, naming what it can."""

from collections.abc import Iterator
from typing import Any

from tests.contract.kinds import for_kinds
from tests.contract.stage import Stage
from tests.world import Answer
from tollgate.domain.capabilities import Capabilities
from tollgate.domain.money import EXPONENTS
from tollgate.domain.payment import Method, PaymentPage


@for_kinds()
def test_what_it_can_not_do_is_refused(stage: Stage) -> None:
    refused = list(_beyond(stage.can))
    for number, (wish, code, named) in enumerate(refused):
        answer = stage.create(f"k-{number}", **wish)
        _is_refused(stage, answer, code, named)
    codes = {code for _wish, code, _named in refused}
    assert codes >= {"unsupported_currency", "unsupported_method"}


Refused = tuple[dict[str, Any], str, list[str]]
"""What an app asks for; the problem's code, and what its detail names."""


def _beyond(can: Capabilities) -> Iterator[Refused]:
    currencies, methods = set(EXPONENTS) - can.currencies, set(Method) - can.methods
    if currencies:
        price = {"plan": None, "amount": 150_000, "currency": min(currencies)}
        yield price, "unsupported_currency", sorted(can.currencies)
    if methods:
        yield {"method": min(methods)}, "unsupported_method", sorted(can.methods)
    wishes = (
        ({"page": "embedded"}, PaymentPage.EMBEDDED in can.pages, "page: embedded"),
        ({"capture": "manual"}, can.manual_capture, "capture: manual"),
        ({"save_method": True}, can.saves_methods, "save_method"),
    )
    for wish, is_met, name in wishes:
        if not is_met:
            yield wish, "unsupported_by_psp", [name]


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


def _is_refused(stage: Stage, answer: Answer, code: str, named: list[str]) -> None:
    assert (answer.status, answer.json["code"]) == (422, code), answer.body
    for name in named:
        assert name in answer.json["detail"]
    assert stage.watched.asked == []
    assert stage.psp.lines() == []
    assert stage.rows("SELECT count(*) FROM payments") == [(0,)]
