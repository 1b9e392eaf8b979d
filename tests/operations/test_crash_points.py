"""Every point at which a call can be killed is passed by one; in production nobody listens."""

import ast
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

import tollgate
from tests.operations.test_settlement import create, deliver
from tests.world import Answer, World
from tollgate import crash_points
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus

TOLLGATE = Path(tollgate.__path__[0])


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Counter[CrashPoint]:
    """How often each point was passed."""
    passed = Counter[CrashPoint]()
    monkeypatch.setattr(crash_points, "_listeners", {})
    for point in CrashPoint:
        listen(point, partial(passed.update, [point]))
    return passed


def refund(world: World, payment_id: str) -> Answer:
    return world.call(
        "payments/refund",
        path=f"/{payment_id}",
        body={"reason": "none"},
        headers={"idempotency-key": "k-refund"},
    )


def renew(world: World) -> None:
    """A bill is opened and charged to what the client let the app keep, and a pause ends."""
    world.psp.alter = lambda said: replace(said, saved_method=SavedMethod("cus_1", "pm_1"))
    request = {"client_id": "client-2", "plan": "monthly", "save_method": True}
    key = {"idempotency-key": "k-kept"}
    kept = world.call("payments/create", body=request, headers=key).json
    assert deliver(world, kept["id"], event_id="evt_kept").status == 200
    world.pass_time(days=27)
    report = world.run_timer("subscriptions/renew")["renew_subscriptions"]
    assert (report["opened"], report["charged"]) == (1, 1)
    subscribed = world.call("subscriptions/list", method="GET", query="client_id=client-2").json
    path = f"/{subscribed['data'][0]['id']}"
    until = (world.now + timedelta(days=1)).isoformat()
    paused = world.call("subscriptions/pause", method="PUT", path=path, body={"resumes_at": until})
    assert paused.status == 200
    world.pass_time(days=2)
    report = world.run_timer("subscriptions/renew")["renew_subscriptions"]
    assert report["resumed"] == 1


def test_every_point_is_passed(world: World, passed: Counter[CrashPoint]) -> None:
    world.psp.alter = lambda said: UNKNOWN
    payment_id = create(world)
    world.psp.alter = lambda said: said
    world.pass_time(seconds=61)
    world.run_timer("payments/reconcile")  # opens it, because nobody heard the PSP's answer
    world.psp.status = PaymentStatus.SUCCEEDED
    assert deliver(world, payment_id).status == 200

    def unreachable(what: str) -> None:
        raise PspUnavailable

    world.psp.on_ask = unreachable
    assert refund(world, payment_id).status == 503
    world.psp.on_ask = lambda what: None
    world.pass_time(seconds=61)
    world.run_timer("payments/reconcile")  # sends it, because nobody asked again
    world.pass_time(seconds=31)
    assert refund(world, payment_id).status == 201
    renew(world)
    assert set(passed) == set(CrashPoint)


def test_nothing_but_tests_listens() -> None:
    named = {
        (file.name, alias.name)
        for file in TOLLGATE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if "crash_points" in f"{getattr(node, 'module', '')} {alias.name}"
    }
    assert {name for _, name in named} == {"CrashPoint", "reach"}
