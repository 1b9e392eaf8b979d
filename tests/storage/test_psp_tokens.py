"""The tokens of PSPs: fetched by one container for all, kept where nobody can read or move them."""

import contextlib
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import redis

from tests.callers import DEAD_REDIS
from tests.chaos.fault_proxy import BLACK_HOLE, RESET, FaultProxy, Mode
from tests.storage.conftest import SECRET
from tests.world import START, Stores
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.psp_token import Token
from tollgate.storage import cache as storage
from tollgate.storage import psp_tokens
from tollgate.storage.cache import Cache
from tollgate.storage.psp_tokens import SharedTokens

NAME = "paypal:0123456789abcdef"
SHARED = Path(psp_tokens.__file__).parents[2]
CONTAINERS = 50
LIFE_SECONDS = 300.0


@dataclass
class Issuer:
    """A PSP that gives out tokens, and counts them."""

    issued: list[str] = field(default_factory=list)
    life_seconds: float = LIFE_SECONDS
    takes_seconds: float = 0.0

    def fetch(self) -> Token:
        """Another one each time."""
        if self.takes_seconds:
            threading.Event().wait(self.takes_seconds)
        self.issued.append(f"s3cret-{len(self.issued) + 1}")
        return Token(self.issued[-1], self.life_seconds)


@dataclass
class Clock:
    """What the containers take for now."""

    now: datetime = START

    def pass_time(self, **span: float) -> None:
        """Moves it."""
        self.now += timedelta(**span)


Container = Callable[..., SharedTokens]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def container(stores: Stores, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Container]:
    """Makes containers of one deployment, unless told otherwise."""
    # fifty of them share a core with Redis here: that it is slow is not the subject
    monkeypatch.setattr(storage, "TIMEOUT_SECONDS", 10.0)
    with contextlib.ExitStack() as opened:

        def new(secret: bytes = SECRET, url: str = stores.redis_url) -> SharedTokens:
            cache = Cache(url, secret)
            opened.callback(cache.close)
            return SharedTokens(cache, secret, lambda: clock.now, secrets.token_bytes)

        yield new


def everywhere(containers: list[SharedTokens], ask: Callable[[SharedTokens], str]) -> list[str]:
    """What each of them gets, all at once."""
    with ThreadPoolExecutor(len(containers)) as pool:
        return list(pool.map(ask, containers))


def content(server: "redis.Redis") -> bytes:
    """What lies in Redis under the token's name."""
    lies = server.get(f"psp_token:{NAME}")
    assert isinstance(lies, bytes)
    return lies


class TestSharing:
    def test_fifty_containers_fetch_one(self, container: Container, issuer: Issuer) -> None:
        issuer.takes_seconds = 0.3
        containers = [container() for _ in range(CONTAINERS)]
        got = everywhere(containers, lambda tokens: tokens.get(NAME, issuer.fetch))
        assert (set(got), issuer.issued) == ({"s3cret-1"}, ["s3cret-1"])

    def test_it_is_kept_in_the_container_too(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        tokens = container()
        tokens.get(NAME, issuer.fetch)
        server.flushall()
        assert tokens.get(NAME, issuer.fetch) == "s3cret-1"
        assert issuer.issued == ["s3cret-1"]

    def test_each_name_has_its_own(self, container: Container, issuer: Issuer) -> None:
        tokens = container()
        assert [tokens.get(name, issuer.fetch) for name in ("a", "b", "a")] == [
            "s3cret-1",
            "s3cret-2",
            "s3cret-1",
        ]

    def test_processes_fetch_one_too(self, stores: Stores, folder: Path) -> None:
        script = f"""
import secrets, sys, time
from datetime import UTC, datetime
from tollgate.domain.psp_token import Token
from tollgate.storage.cache import Cache
from tollgate.storage.psp_tokens import SharedTokens
def fetch():
    time.sleep(0.3)
    open({str(folder)!r} + "/" + secrets.token_hex(8), "w").close()
    return Token(secrets.token_hex(8), 300.0)
cache = Cache({stores.redis_url!r}, b"s")
cache.is_up()
sys.stdin.readline()
tokens = SharedTokens(cache, b"s", lambda: datetime.now(UTC), secrets.token_bytes)
print(tokens.get("a", fetch))
"""
        python = [sys.executable, "-c", script]
        processes = [
            subprocess.Popen(
                python, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=SHARED
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = {process.communicate(timeout=60)[0] for process in processes}
        assert len(said) == 1 and "" not in said
        assert len(list(folder.iterdir())) == 1


class TestReplacement:
    def test_a_refused_one_is_replaced_once_by_all(
        self, container: Container, issuer: Issuer
    ) -> None:
        containers = [container() for _ in range(CONTAINERS)]
        for tokens in containers:
            tokens.get(NAME, issuer.fetch)
        issuer.takes_seconds = 0.3
        got = everywhere(containers, lambda tokens: tokens.get(NAME, issuer.fetch, "s3cret-1"))
        assert (set(got), issuer.issued) == ({"s3cret-2"}, ["s3cret-1", "s3cret-2"])

    def test_who_holds_a_newer_one_than_was_refused_keeps_it(
        self, container: Container, issuer: Issuer
    ) -> None:
        tokens = container()
        tokens.get(NAME, issuer.fetch)
        tokens.get(NAME, issuer.fetch, "s3cret-1")
        assert tokens.get(NAME, issuer.fetch, "s3cret-1") == "s3cret-2"
        assert len(issuer.issued) == 2

    def test_it_is_used_for_a_part_of_its_life(
        self, container: Container, issuer: Issuer, clock: Clock
    ) -> None:
        old, new = container(), container()
        old.get(NAME, issuer.fetch)
        clock.pass_time(seconds=LIFE_SECONDS * psp_tokens.USED_FOR - 1)
        assert {each.get(NAME, issuer.fetch) for each in (old, new)} == {"s3cret-1"}
        clock.pass_time(seconds=1)
        assert {each.get(NAME, issuer.fetch) for each in (old, new)} == {"s3cret-2"}

    def test_redis_forgets_it_at_its_end(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        container().get(NAME, issuer.fetch)
        assert 0 < server.pttl(f"psp_token:{NAME}") <= LIFE_SECONDS * 1000

    @pytest.mark.parametrize("life_seconds", [0.0, -5.0])
    def test_one_that_lives_no_time_is_used_once(
        self, container: Container, issuer: Issuer, life_seconds: float
    ) -> None:
        issuer.life_seconds = life_seconds
        tokens = container()
        assert tokens.get(NAME, issuer.fetch) == "s3cret-1"
        assert tokens.cache.is_up()  # it was asked for nothing that it refuses
        assert tokens.get(NAME, issuer.fetch) == "s3cret-2"


class TestTurns:
    def test_a_fetch_that_raises_lets_the_next_one_try(
        self, container: Container, issuer: Issuer
    ) -> None:
        def fail() -> Token:
            raise PspUnavailable

        first = container()
        with pytest.raises(PspUnavailable):
            first.get(NAME, fail)
        assert container().get(NAME, issuer.fetch) == "s3cret-1"
        assert first.get(NAME, issuer.fetch) == "s3cret-1"

    def test_one_who_died_with_the_turn_delays_the_others_and_no_more(
        self,
        container: Container,
        issuer: Issuer,
        server: "redis.Redis",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(psp_tokens, "PATIENCE_SECONDS", 60)
        issuer.takes_seconds = 0.3
        server.set(f"psp_token:{NAME}:fetching", "the dead one's", px=500)
        containers = [container() for _ in range(10)]
        everywhere(containers, lambda tokens: tokens.get(NAME, issuer.fetch))
        assert issuer.issued == ["s3cret-1"]

    def test_one_who_loses_patience_leaves_the_turn_to_its_holder(
        self,
        container: Container,
        issuer: Issuer,
        server: "redis.Redis",
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(psp_tokens, "PATIENCE_SECONDS", 0.1)
        server.set(f"psp_token:{NAME}:fetching", "another's", px=60_000)
        assert container().get(NAME, issuer.fetch) == "s3cret-1"
        assert server.get(f"psp_token:{NAME}:fetching") == b"another's"

    def test_the_turn_outlasts_a_read_and_patience_outlasts_the_turn(self) -> None:
        from tollgate.psp.client import READ_SECONDS

        assert READ_SECONDS < psp_tokens.FETCH_SECONDS < psp_tokens.PATIENCE_SECONDS


class TestWithoutRedis:
    def test_each_fetches_its_own_and_waits_for_nobody(
        self, container: Container, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def waits(_: float) -> None:
            raise AssertionError("there is nobody to wait for")

        monkeypatch.setattr("time.sleep", waits)
        for number in (1, 2):
            tokens = container(url=DEAD_REDIS)
            assert tokens.get(NAME, issuer.fetch) == f"s3cret-{number}"
            assert tokens.get(NAME, issuer.fetch) == f"s3cret-{number}"
        assert len(issuer.issued) == 2

    @pytest.mark.parametrize("mode", [BLACK_HOLE, RESET], ids=["silent", "gone"])
    def test_one_that_does_not_answer_is_none(
        self,
        container: Container,
        issuer: Issuer,
        stores: Stores,
        monkeypatch: pytest.MonkeyPatch,
        mode: Mode,
    ) -> None:
        monkeypatch.setattr(storage, "TIMEOUT_SECONDS", 0.25)
        with FaultProxy(stores.redis_url) as line:
            tokens = container(url=line.through(stores.redis_url))
            assert tokens.cache.is_up()
            line.switch(mode)
            assert tokens.get(NAME, issuer.fetch) == "s3cret-1"
            assert tokens.get(NAME, issuer.fetch) == "s3cret-1"
            assert tokens.get(NAME, issuer.fetch, "s3cret-1") == "s3cret-2"

    def test_another_type_under_the_name_is_none(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        server.lpush(f"psp_token:{NAME}", "x")
        tokens = container()
        assert tokens.get(NAME, issuer.fetch) == tokens.get(NAME, issuer.fetch) == "s3cret-1"


class TestAtRest:
    def test_nothing_in_redis_tells_it(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        container().get(NAME, issuer.fetch)
        lies = content(server)
        assert server.keys() == [f"psp_token:{NAME}".encode()]
        assert not any(part in lies for part in (b"s3cret", b"until", SECRET))

    def test_of_another_deployment_it_is_none(self, container: Container, issuer: Issuer) -> None:
        container().get(NAME, issuer.fetch)
        assert container(secret=b"another's").get(NAME, issuer.fetch) == "s3cret-2"

    def test_under_another_name_it_is_none(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        container().get("a", issuer.fetch)
        server.rename("psp_token:a", "psp_token:b")
        assert container().get("b", issuer.fetch) == "s3cret-2"

    @pytest.mark.parametrize("lies", [b"", b"\x01", b"\x01\x05cache", b"s3cret", bytes(100)])
    def test_what_somebody_else_wrote_is_none(
        self, container: Container, issuer: Issuer, server: "redis.Redis", lies: bytes
    ) -> None:
        server.set(f"psp_token:{NAME}", lies)
        assert container().get(NAME, issuer.fetch) == "s3cret-1"

    def test_no_byte_of_it_can_be_changed(
        self, container: Container, issuer: Issuer, server: "redis.Redis"
    ) -> None:
        container().get(NAME, issuer.fetch)
        sealed = content(server)
        for at in (0, 1, 3, 10, len(sealed) // 2, len(sealed) - 1):
            server.set(
                f"psp_token:{NAME}", sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
            )
            assert container().get(NAME, issuer.fetch) == issuer.issued[-1]
        assert len(issuer.issued) == 7
