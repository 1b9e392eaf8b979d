"""PostgreSQL breaks at each statement of a call: nothing half done, and in the end one charge."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import psycopg
import pytest

from tests.chaos.broken_database import (
    Call,
    assert_charged_once,
    assert_paid_once,
    assert_whole,
    check,
    create,
    deliver,
    get,
    is_an_outage,
    line,
    world,
)
from tests.chaos.fault_proxy import BLACK_HOLE, RESET, Cut, FaultProxy, Mode
from tests.conftest import Cluster
from tests.world import Answer, World
from tollgate.domain.payment import PaymentStatus
from tollgate.storage import admissions, connection

__all__ = ["line", "world"]

PATIENCE_SECONDS = 0.2


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A silent server costs a moment; test_silence_is_answered_in_time is about the real one."""
    patience = connection.BoundedConnection
    monkeypatch.setattr(patience, "_patience_seconds", PATIENCE_SECONDS)
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_SECONDS", 2)  # psycopg takes no less


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
