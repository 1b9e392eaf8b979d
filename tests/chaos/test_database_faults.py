"""PostgreSQL breaks under a call: an error to retry, nothing half done, in the end one charge."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.databases import seeing_all
from local.migrations import create_service_login, migrate
from local.postgres import PostgresServer
from tests.callers import DEAD_REDIS
from tests.chaos.broken_database import (
    CALLS,
    Call,
    assert_charged_once,
    assert_paid_once,
    assert_whole,
    check,
    create,
    deliver,
    is_an_outage,
    line,
    world,
)
from tests.chaos.fault_proxy import BLACK_HOLE, REFUSE, RESET, Cut, FaultProxy, Mode
from tests.local.stripe.conftest import until
from tests.storage.pgbouncer import pgbouncer
from tests.world import Answer, Stores, World, world_over
from tollgate.domain.payment import PaymentStatus
from tollgate.operations.context import Context
from tollgate.storage import connection, database

SHORTEST_LIMIT_SECONDS = 20
"""Of the functions that are called here (project.yml)."""
NORMAL_AGAIN_SECONDS = 30

__all__ = ["line", "world"]


def test_the_answer_to_a_commit_is_lost(world: World, line: FaultProxy) -> None:
    create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    line.switch(RESET, Cut(b"COMMIT"))
    assert is_an_outage(deliver(world))
    assert world.rows("SELECT status FROM payments") == [("succeeded",)]
    assert_whole(world, "1")
    line.heal()
    assert deliver(world).status == 200
    assert_paid_once(world, "1")


def test_the_answer_to_the_claim_of_a_key_is_lost(world: World, line: FaultProxy) -> None:
    line.switch(RESET, Cut(b"INSERT INTO payments"))
    assert is_an_outage(create(world))
    assert world.rows("SELECT status FROM payments") == [("pending",)]
    assert world.psp.starts == []
    line.heal()
    assert create(world).status == 409
    assert_charged_once(world, "1")


def test_a_charge_whose_record_was_lost_is_made_no_second_time(
    world: World, line: FaultProxy
) -> None:
    line.switch(REFUSE, Cut(b"UPDATE payments", takes_request=True))
    assert is_an_outage(create(world))
    assert len(world.psp.starts) == 1
    assert world.rows("SELECT status FROM payments") == [("pending",)]
    line.heal()
    assert_charged_once(world, "1")


@pytest.mark.parametrize("mode", [RESET, REFUSE])
@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_is_gone_is_an_outage_and_then_is_over(
    world: World, line: FaultProxy, mode: Mode, call: Call
) -> None:
    create(world)
    line.switch(mode)
    for _ in range(2):
        assert is_an_outage(call(world, "1"))
    line.heal()
    assert call(world, "1").status in (200, 201)


@pytest.mark.parametrize("kept", [True, False], ids=["kept_connection", "new_connection"])
def test_silence_is_answered_in_time(world: World, line: FaultProxy, kept: bool) -> None:
    """All calls at once, each with a container's own connection: together they take one wait."""
    create(world)
    contexts = [world.new_context() for _ in CALLS]
    if kept:
        for context in contexts:
            assert context.database.is_up()
    line.switch(BLACK_HOLE)

    def answered(call: Call, context: Context) -> tuple[Answer, float]:
        began = time.monotonic()
        answer = call(world, "1", context)
        context.database.close()
        return answer, time.monotonic() - began

    with ThreadPoolExecutor(len(CALLS)) as pool:
        answers = list(pool.map(answered, CALLS, contexts))
    for answer, seconds in answers:
        assert is_an_outage(answer)
        assert seconds < SHORTEST_LIMIT_SECONDS
    line.heal()
    for call in CALLS:
        assert call(world, "1").status in (200, 201)


def test_a_lock_whose_holder_fell_silent_is_let_go(world: World, line: FaultProxy) -> None:
    """The server was never told that the call, whose transaction is open, is no more."""
    create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    line.switch(BLACK_HOLE, Cut(b"INSERT INTO subscription_periods"))
    assert is_an_outage(deliver(world))
    line.heal()
    deadline = time.monotonic() + NORMAL_AGAIN_SECONDS
    while (answer := deliver(world)).status == 503 and time.monotonic() < deadline:
        assert is_an_outage(answer)
        time.sleep(0.5)
    assert answer.status == 200
    assert_paid_once(world, "1")


def test_a_connection_that_fell_silent_while_nobody_called_costs_a_moment(
    world: World, line: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(world)
    line.switch(BLACK_HOLE, Cut(takes_request=True))  # it takes the ping
    monkeypatch.setattr(database, "PING_AFTER_IDLE_SECONDS", 0)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 30)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(check, world)
        until(lambda: line.faults)
        line.heal()
        assert answer.result().status == 200


def test_a_server_that_is_restarted(folder: Path) -> None:
    server = PostgresServer(folder / "postgres", durable=False)
    server.start()
    try:
        owner_url = server.url("postgres")
        migrate(owner_url)
        service_url = create_service_login(owner_url, "secret")
        with world_over(Stores(seeing_all(owner_url), service_url, DEAD_REDIS)) as world:
            create(world)
            server.stop()
            assert is_an_outage(create(world))
            assert is_an_outage(check(world))
            server.start()
            assert check(world).status == 200
            assert_charged_once(world, "1")
    finally:
        server.stop()


def test_a_pgbouncer_that_is_restarted(stores: Stores, folder: Path) -> None:
    with contextlib.ExitStack() as ends:
        with pgbouncer(stores.service_url, folder, pool_size=2) as url:
            line = ends.enter_context(FaultProxy(url))  # because the next one has another port
            met = Stores(stores.owner_url, line.through(url), DEAD_REDIS)
            world = ends.enter_context(world_over(met))
            create(world)
            line.switch(REFUSE)
        assert is_an_outage(create(world))
        url = ends.enter_context(pgbouncer(stores.service_url, folder, pool_size=2))
        line.lead_to(url)
        line.heal()
        assert check(world).status == 200
        assert_charged_once(world, "1")
        line.switch(REFUSE)
