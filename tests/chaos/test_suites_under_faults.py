"""Create, webhook and check answer the same whatever becomes of Redis, and behind PgBouncer.

Every test of these suites runs again in each mode; a new one does without being named here. Only
what asserts that Redis is of use is left out where it is broken: it bears the marker `needs_redis`.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
import redis

from tests.chaos.fault_proxy import BLACK_HOLE, PASS, REFUSE, FaultProxy, delay
from tests.chaos.wrong_redis import WrongRedis
from tests.conftest import Cluster
from tests.operations import test_access, test_payments, test_settlement
from tests.storage.pgbouncer import pgbouncer
from tests.world import Stores, World, world_over
from tollgate.storage import cache
from tollgate.storage.cache import Cache

SUITES = (test_payments, test_settlement, test_access)

PATIENCE_SECONDS = 0.05
"""The client's, in the place of a quarter of a second: nearly every test waits that long twice."""
LINES = {
    "redis_slow": delay(4 * PATIENCE_SECONDS),
    "redis_silent": BLACK_HOLE,
    "redis_gone": REFUSE,
}
MODES = ("redis_empty", "redis_wrong", *LINES, "behind_pgbouncer")


@pytest.fixture(scope="session", params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def line(cluster: Cluster) -> Iterator[FaultProxy]:
    """The way to Redis."""
    with FaultProxy(cluster.redis_url) as proxy:
        yield proxy


@pytest.fixture
def world(
    mode: str,
    stores: Stores,
    line: FaultProxy,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    """The functions meet the fault; the test itself looks past it."""
    met = replace(stores, redis_url=line.through(stores.redis_url))
    with contextlib.ExitStack() as ends:
        if mode == "behind_pgbouncer":
            behind = ends.enter_context(pgbouncer(stores.service_url, folder, pool_size=2))
            met = replace(met, service_url=behind)
        line.switch(LINES.get(mode, PASS))
        monkeypatch.setattr(cache, "TIMEOUT_SECONDS", PATIENCE_SECONDS if mode in LINES else 2)
        world = ends.enter_context(world_over(met))
        world.stores = stores
        if mode in ("redis_empty", "redis_wrong"):
            ends.enter_context(_spoiled(mode, world, monkeypatch))
        yield world


@contextlib.contextmanager
def _spoiled(mode: str, world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What Redis holds is spoiled before each command, and none is spared by a pause."""
    monkeypatch.setattr(cache, "PAUSE_AFTER_ERROR_SECONDS", 0)
    server = redis.Redis.from_url(world.stores.redis_url)
    wrong = WrongRedis(world)
    spoil: Callable[[], object] = server.flushall if mode == "redis_empty" else wrong.spoil
    ask = Cache._ask

    def ask_what_is_spoiled(self: Cache, *command: str | bytes | int) -> object:
        if self._secret == world.settings.cache_secret:
            spoil()
        return ask(self, *command)

    with patch.object(Cache, "_ask", ask_what_is_spoiled), contextlib.closing(server):
        yield
    wrong.close()


def test_the_functions_meet_the_fault(world: World, mode: str) -> None:
    test_access.pay(world)
    is_of_use = test_access.check(world)["source"] == "cache"
    assert is_of_use == (mode == "behind_pgbouncer")
    assert (world.settings.database_url != world.stores.service_url) == is_of_use
