"""Every operation x every caller x every kind of id, generated from the OpenAPI document.

A new endpoint is covered by being there. Where it takes an id or a body that is not known yet, its
row fails and says what to add to tests/permissions/stage.py.
"""

import json
from collections import defaultdict
from collections.abc import Iterator

import pytest
from openapi_schema_validator import OAS31Validator as Validator

from tests.conftest import Cluster, new_stores
from tests.permissions.callers import Cast, cast_of
from tests.permissions.described import Operation, operations
from tests.permissions.matrix import OK, Matrix, Outcome, call, kinds, play
from tests.permissions.stage import Stage
from tests.world import world_over
from tollgate.storage import cache

FOR_SOMEBODY = [each for each in operations() if each.roles]
FOR_ANYONE = [each for each in operations() if not each.roles]


def name_of(operation: Operation) -> str:
    return operation.name


@pytest.fixture(scope="module")
def stage(cluster: Cluster) -> Iterator[Stage]:
    """Two apps in one database. A slow machine is no outage of Redis: what is asked is counted."""
    with (
        pytest.MonkeyPatch.context() as patches,
        new_stores(cluster) as stores,
        world_over(stores) as world,
    ):
        patches.setattr(cache, "TIMEOUT_SECONDS", 10.0)
        yield Stage(world)


@pytest.fixture(scope="module")
def cast(stage: Stage) -> Cast:
    """Everybody who calls."""
    return cast_of(stage)


@pytest.fixture(scope="module", params=FOR_SOMEBODY, ids=name_of)
def matrix(request: pytest.FixtureRequest, stage: Stage, cast: Cast) -> Matrix:
    """All calls of one operation."""
    return play(request.param, stage, cast)


def test_everybody_gets_what_roles_scope_and_owner_say(matrix: Matrix) -> None:
    wrong = [
        f"{outcome}, not {sorted(outcome.expected)}"
        for outcome in matrix.outcomes
        if outcome.status not in outcome.expected
    ]
    assert not wrong, "\n".join(wrong)
    for some in (frozenset({401}), frozenset({403}), OK):
        assert some in {outcome.expected for outcome in matrix.outcomes}


def test_every_answer_is_as_documented(matrix: Matrix) -> None:
    assert {outcome.status for outcome in matrix.outcomes} <= set(matrix.operation.answers)
    for status, body in {(outcome.status, outcome.body) for outcome in matrix.outcomes}:
        schema = matrix.operation.answers[status]
        assert schema is not None
        Validator(schema).validate(json.loads(body))


def test_what_is_not_the_callers_is_as_if_it_were_not_there(matrix: Matrix) -> None:
    """The same bytes, after the same number of questions to the stores."""
    for outcomes in alike(matrix):
        assert len({outcome.told for outcome in outcomes}) == 1, "\n".join(map(str, outcomes))
        assert len({str(outcome.asked) for outcome in outcomes}) == 1, [
            (outcome.caller.name, outcome.named.kind, outcome.asked) for outcome in outcomes
        ]


def alike(matrix: Matrix) -> Iterator[list[Outcome]]:
    """The calls of each caller with ids that are well formed, and not of what they may see."""
    groups: dict[object, list[Outcome]] = defaultdict(list)
    for outcome in matrix.outcomes:
        if outcome.is_about_nothing:
            groups[outcome.caller.name, outcome.expected].append(outcome)
    yield from groups.values()


def test_nothing_of_another_app_changes(matrix: Matrix) -> None:
    for played in matrix.rounds:
        assert played.before["payments"]
        assert played.after == played.before


def test_no_answer_tells_of_another_app(matrix: Matrix) -> None:
    for played in matrix.rounds:
        assert {played.strangers_to.app.id, played.strangers_to.app.name} <= played.secrets
        for outcome in played.outcomes:
            answer = f"{outcome.headers} {outcome.body}"
            told = {text for text in played.secrets - outcome.sent if text in answer}
            assert not told, str(outcome)


def test_an_operator_who_names_one_app_hears_of_that_one_alone(
    matrix: Matrix, stage: Stage
) -> None:
    for outcome in matrix.operators:
        if outcome.names:
            named = outcome.named.side
            others = {side.app.id for side in (stage.ours, stage.theirs) if side is not named}
            assert not {app_id for app_id in others if app_id in outcome.body}, str(outcome)


@pytest.mark.parametrize("operation", FOR_ANYONE, ids=name_of)
def test_what_is_for_anyone_is_alike_for_everybody(
    operation: Operation, stage: Stage, cast: Cast
) -> None:
    for named in kinds(stage, operation):
        answers = {caller.name: call(stage, operation, caller, named.ids) for caller in cast.all}
        first = answers["nobody"]
        assert first.status in operation.answers
        assert named.side is not None or first.status in (400, 404)
        for name, answer in answers.items():
            assert answer.raw == first.raw, name


def test_a_token_is_for_who_holds_a_key(stage: Stage, cast: Cast) -> None:
    holders = [caller for caller in cast.all if caller.authorization.startswith("Bearer tg_")]
    assert {bool(caller.role) for caller in holders} == {True, False}
    for caller in holders:
        key = caller.authorization.removeprefix("Bearer ")
        key_id = key.split("_")[2]
        body = f"grant_type=client_credentials&client_id={key_id}&client_secret={key}".encode()
        answer = stage.world.call("auth/token", body=body, headers={"authorization": ""})
        assert answer.status == (200 if caller.role else 401), caller.name
        if caller.role:
            assert set(answer.json["scope"].split()) == caller.scopes
