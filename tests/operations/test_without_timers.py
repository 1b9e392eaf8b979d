"""What the check answers needs no timer and no Redis; and no reader who is slow makes it wrong."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Cluster, new_stores
from tests.operations.paying import PLAN, another_container, paid, reconcile, refund
from tests.operations.subscribing import (
    CARD,
    DECLINED,
    Bank,
    add_plan,
    ahead,
    put,
    renew,
    subscription,
)
from tests.operations.test_access import check
from tests.world import START, World, world_over
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.operations.context import Context
from tollgate.storage import subscriptions
from tollgate.storage.database import Database
from tollgate.storage.subscriptions import ClientDates

NO_REDIS = "redis://127.0.0.1:1/0"
STEP, STEPS = timedelta(hours=12), 45 * 2
MAY_DIFFER = frozenset({"source", "pay_url", "subscription_id", "entitlement"})
"""Where the answer is from, and ids that are another world's. A link to pay is what the timer makes
when it opens a bill: without it there is none, and never one where the timer made none."""
_STATES: dict[str, str] = {
    "paid": "monthly",
    "trial": "tried",
    "late": "patient",
    "paused": "monthly",
    "leaving": "monthly",
    "card": "patient",
    "moving": "monthly",
}
"""Clients by what they are up to, and their plans."""


def _begin(world: World) -> None:
    """Seven clients, each in a state that time alone will change."""
    world.psp = bank = Bank()
    add_plan(world, "tried", trial_days=14)
    add_plan(world, "patient", grace_days=10)
    add_plan(world, "dear", 900_000)
    for client, plan in _STATES.items():
        body = {"client_id": client, "plan": plan}
        if client == "trial":
            assert world.call("subscriptions/create", body=body).status == 201
        else:
            bank.alter = _keeping if client == "card" else _as_it_is
            paid(world, body | {"save_method": client == "card"}, client)
    bank.verdict = DECLINED
    world.pass_time(days=3)
    put(world, "pause", _id(world, "paused"), {"resumes_at": ahead(world, days=9)})
    put(world, "cancel", _id(world, "leaving"))
    paid(world, {"client_id": "moving", "plan": "dear"}, "dear")


def _keeping(outcome: Outcome) -> Outcome:
    paid = outcome.status is PaymentStatus.SUCCEEDED
    return replace(outcome, saved_method=CARD) if paid else outcome


def _as_it_is(outcome: Outcome) -> Outcome:
    return outcome


def _id(world: World, client: str) -> str:
    return str(subscription(world, client)["id"])


def _answers(world: World, timers: Callable[[World], None]) -> Iterator[dict[str, Any]]:
    """What each client is told, at each step."""
    _begin(world)
    for _ in range(STEPS):
        world.pass_time(seconds=STEP.total_seconds())
        timers(world)
        yield {client: check(world, client) for client in _STATES}


def _both_timers(world: World) -> None:
    renew(world)
    reconcile(world)


def _no_timer(_world: World) -> None:
    pass


def test_a_month_and_a_half_without_timers_and_redis(cluster: Cluster) -> None:
    with new_stores(cluster) as stores, world_over(stores) as world:
        with_all = list(_answers(world, _both_timers))
        assert world.rows("SELECT count(*) FROM bills") == [(5,)]
        assert isinstance(world.psp, Bank) and world.psp.charges > 3
    with new_stores(cluster) as stores, world_over(stores) as world:
        world.context = world.new_context(redis_url=NO_REDIS)
        with_none = list(_answers(world, _no_timer))
        assert world.rows("SELECT count(*) FROM bills") == [(0,)]
    for step, (told, must) in enumerate(zip(with_none, with_all, strict=True), 1):
        at = START + timedelta(days=3) + step * STEP
        for client in _STATES:
            assert _told(told[client]) == _told(must[client]), f"{client} at {at}"
            assert told[client]["pay_url"] is None, f"{client} at {at}"
            assert told[client]["source"] == "database"
    seen = {answers[client]["reason"] for answers in with_all for client in _STATES}
    assert seen == {"paid", "trial", "grace", "paused", "canceled_but_paid", "expired"}


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """All that may not differ, and whether there is a signed yes."""
    same = {name: value for name, value in answer.items() if name not in MAY_DIFFER}
    return same | {"is_signed": answer["entitlement"] is not None}


@pytest.mark.needs_redis
def test_what_redis_holds_ages_with_the_clock_of_the_tests(world: World) -> None:
    paid(world, PLAN)
    assert check(world)["source"] == "cache"
    world.pass_time(minutes=2)
    assert [check(world)["source"] for _ in range(2)] == ["database", "cache"]


class _SlowReader:
    """One thread that stands still between its read from PostgreSQL and what it does with it."""

    def __init__(self) -> None:
        self.has_read, self.may_go_on = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._read = subscriptions.read_access

    def read_access(self, database: Database, app_id: str, client_id: str) -> ClientDates:
        """As subscriptions.read_access, and then a pause for who was told to."""
        known = self._read(database, app_id, client_id)
        if threading.current_thread() is self._thread:
            self._thread = None  # once
            self.has_read.set()
            assert self.may_go_on.wait(20)
        return known

    def ask(self, world: World, context: Context) -> dict[str, Any]:
        """The check, which pauses."""
        self._thread = threading.current_thread()
        return check(world, context=context)


@contextmanager
def _a_slow_reader(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Future[Any]]:
    """For as long as the block lasts, somebody has read and not yet written to Redis."""
    reader = _SlowReader()
    monkeypatch.setattr(subscriptions, "read_access", reader.read_access)
    with another_container(world) as context, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(reader.ask, world, context)
        try:
            assert reader.has_read.wait(20)
            yield asked
        finally:
            reader.may_go_on.set()
        asked.result(20)


@pytest.mark.parametrize("redis_is_emptied", [False, True])
def test_a_slow_reader_locks_out_nobody_who_pays(
    world: World, monkeypatch: pytest.MonkeyPatch, redis_is_emptied: bool
) -> None:
    paid(world, PLAN)
    world.pass_time(days=30)
    assert check(world)["reason"] == "expired"
    with _a_slow_reader(world, monkeypatch) as asked:
        paid(world, PLAN, "k-2")
        assert check(world)["active"] is True
        if redis_is_emptied:  # then the old dates are those that are kept
            world.context.cache.run("return redis.call('FLUSHALL')", "x")
    assert asked.result()["active"] is False  # as it was when it was asked
    for _ in range(2):
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (True, "paid")


@pytest.mark.needs_redis
def test_a_slow_reader_lets_nobody_in_whose_money_went_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment_id = paid(world, PLAN)
    world.context.cache.run("return redis.call('FLUSHALL')", "x")
    with _a_slow_reader(world, monkeypatch) as asked:
        assert refund(world, payment_id).status == 201
        assert check(world)["reason"] == "refunded"
    assert asked.result()["active"] is True  # as it was when it was asked
    for _ in range(2):
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (False, "refunded")
