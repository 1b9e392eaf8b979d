"""PostgreSQL breaks under a call: an error to retry, nothing half done, in the end one charge."""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
import pytest

from local.databases import seeing_all
from local.migrations import create_service_login, migrate
from local.postgres import PostgresServer
from tests.callers import DEAD_REDIS
from tests.chaos.fault_proxy import BLACK_HOLE, REFUSE, RESET, Cut, FaultProxy, Mode
from tests.conftest import Cluster
from tests.local.stripe.conftest import until
from tests.storage.pgbouncer import pgbouncer
from tests.world import Answer, Stores, World, world_over
from tollgate.domain.idempotency import LOCK_SECONDS
from tollgate.domain.payment import PaymentStatus
from tollgate.operations.context import Context
from tollgate.storage import admissions, connection, database

SHORTEST_LIMIT_SECONDS = 20
"""Of the functions that are called here (project.yml)."""
NORMAL_AGAIN_SECONDS = 30
PATIENCE_SECONDS = 0.2

Call = Callable[..., Answer]


@pytest.fixture
def line(stores: Stores) -> Iterator[FaultProxy]:
    """The way to PostgreSQL."""
    with FaultProxy(stores.service_url) as proxy:
        yield proxy


@pytest.fixture
def world(stores: Stores, line: FaultProxy) -> Iterator[World]:
    """The functions take the line, the test and an operator do not. There is no Redis to help."""
    met = Stores(stores.owner_url, line.through(stores.service_url), DEAD_REDIS)
    with world_over(met) as world:
        world.stores = stores
        yield world


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent server costs a moment; test_silence_is_answered_in_time is about the real one."""
    patience = connection.BoundedConnection
    monkeypatch.setattr(patience, "_patience_seconds", PATIENCE_SECONDS)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 2)  # psycopg takes no less


def create(world: World, name: str = "1", context: Context | None = None) -> Answer:
    body = {"client_id": f"client-{name}", "plan": "monthly"}
    headers = {"idempotency-key": f"k-{name}"}
    return world.call("payments/create", body=body, headers=headers, context=context)


def get(world: World, name: str = "1", context: Context | None = None) -> Answer:
    path = f"/{payment_of(world, name)}"
    return world.call("payments/get", method="GET", path=path, context=context)


def check(world: World, name: str = "1", context: Context | None = None) -> Answer:
    path = f"/client-{name}"
    return world.call("subscriptions/check", method="GET", path=path, context=context)


def deliver(world: World, name: str = "1", context: Context | None = None) -> Answer:
    event = {
        "event_id": f"evt_{name}",
        "type": "checkout.session.completed",
        "livemode": False,
        "payment_id": payment_of(world, name),
        "psp_reference": None,
    }
    headers = {"signature": "signed"}
    return world.call(
        "webhook/receive", path="/stripe", body=event, headers=headers, context=context
    )


CALLS = [create, get, check, deliver]


def payment_of(world: World, name: str) -> str:
    [(payment_id,)] = world.rows("SELECT id FROM payments WHERE client_id = %s", f"client-{name}")
    return str(payment_id)


def is_an_outage(answer: Answer) -> bool:
    return (answer.status, answer.json.get("code")) == (503, "database_unavailable")


def assert_whole(world: World, name: str) -> None:
    """What was written was written with all that belongs to it, or not at all."""
    [(payments, keys, created, paid, periods, told)] = world.rows(
        """SELECT (SELECT count(*) FROM payments WHERE client_id = client),
                  (SELECT count(*) FROM idempotency_keys WHERE key = 'k-' || %(name)s),
                  (SELECT count(*) FROM audit_log JOIN payments ON object_id = payments.id
                   WHERE client_id = client AND action = 'payment.created'),
                  (SELECT count(*) FROM payments WHERE client_id = client
                   AND status = 'succeeded'),
                  (SELECT count(*) FROM subscription_periods JOIN payments
                   ON payment_id = payments.id WHERE client_id = client),
                  (SELECT count(*) FROM outbox JOIN payments ON aggregate_id = payments.id
                   WHERE client_id = client AND type = 'payment.succeeded')
           FROM (SELECT 'client-' || %(name)s) AS named (client)""".replace("%(name)s", "%s"),
        name,
        name,
    )
    assert payments == keys == created <= 1
    assert paid == periods == told <= 1


def assert_charged_once(world: World, name: str) -> None:
    """After the same create again, for as long as its key is held by the call that failed."""
    answer = create(world, name)
    if answer.status == 409:
        world.pass_time(seconds=LOCK_SECONDS + 1)
        answer = create(world, name)
    assert answer.status == 201, answer.body
    assert create(world, name).body == answer.body
    payment_id = answer.json["id"]
    assert payment_id == payment_of(world, name)
    assert [o.payment_id for o in world.psp.opened.values()].count(payment_id) == 1
    assert_whole(world, name)


@dataclass(frozen=True)
class Breaker:
    """Breaks the line at one statement of a call after the other."""

    line: FaultProxy
    mode: Mode
    takes_request: bool
    superuser: str

    def at_each_statement(
        self, call: Callable[[str], Answer], before: Callable[[str], object] = str
    ) -> Iterator[tuple[str, Answer]]:
        """Name and answer of a call whose first statement met the fault, of one whose second did,
        and so on, to the one that has no more; all is well again each time."""
        for number in range(100):
            name, met = str(number), self.line.faults
            before(name)
            self.line.switch(self.mode, Cut(skips=number, takes_request=self.takes_request))
            admissions.forget()  # so that the caller's key is looked up too
            answer = call(name)
            was_reached = self.line.faults > met
            self.line.heal()
            self._forget_who_fell_silent()
            yield name, answer
            if not was_reached:
                assert number > 1
                return

    def _forget_who_fell_silent(self) -> None:
        """The server does so by itself: test_a_lock_whose_holder_fell_silent_is_let_go."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            connection.execute(
                """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                   WHERE application_name = 'tollgate'"""
            )


class TestAtEachStatement:
    """Of a call, the line breaks at the first statement, then at the second, and so on."""

    @pytest.fixture(params=["request_reset", "answer_reset", "answer_lost_in_silence"])
    def breaker(
        self, request: pytest.FixtureRequest, line: FaultProxy, cluster: Cluster, impatient: None
    ) -> Breaker:
        mode = BLACK_HOLE if "silence" in request.param else RESET
        assert cluster.template.superuser is not None
        takes_request = request.param == "request_reset"
        return Breaker(line, mode, takes_request, cluster.template.superuser)

    def test_a_create_charges_once(self, world: World, breaker: Breaker) -> None:
        for name, answer in breaker.at_each_statement(partial(create, world)):
            assert is_an_outage(answer) or answer.status == 201, answer.body
            assert_whole(world, name)
            assert_charged_once(world, name)

    def test_a_webhook_settles_once(self, world: World, breaker: Breaker) -> None:
        world.psp.status = PaymentStatus.SUCCEEDED
        for name, answer in breaker.at_each_statement(
            partial(deliver, world), before=partial(create, world)
        ):
            assert is_an_outage(answer) or answer.status == 200, answer.body
            assert_whole(world, name)
            for _ in range(2):
                assert deliver(world, name).status == 200
            assert_paid_once(world, name)

    @pytest.mark.parametrize("ask", [check, get])
    def test_a_question_is_answered_or_is_not(
        self, world: World, breaker: Breaker, ask: Call
    ) -> None:
        world.psp.status = PaymentStatus.SUCCEEDED
        for name, answer in breaker.at_each_statement(
            partial(ask, world), before=partial(create, world)
        ):
            assert is_an_outage(answer) or answer.status == 200, answer.body
            assert_whole(world, name)
            world.pass_time(minutes=1)  # who asked the PSP may have been cut off
            assert ask(world, name).status == 200
            assert_paid_once(world, name)


def assert_paid_once(world: World, name: str) -> None:
    assert get(world, name).json["status"] == "succeeded"
    assert check(world, name).json["active"] is True
    assert_whole(world, name)


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
