"""Redis is speed, never truth: only our own words are believed, and for a minute."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from tests.storage.conftest import SECRET
from tollgate.storage.cache import Cache

VALUE = {"dates": ["2026-01-31T09:00:00+00:00"], "n": 1, "é": None}


@pytest.fixture
def move(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets this machine's clock, in seconds from now."""
    started = time.time()
    return lambda seconds: monkeypatch.setattr("time.time", lambda: started + seconds)


def put(cache: Cache, name: str, value: dict[str, Any], version: int = 0) -> None:
    """Keeps what was read just now."""
    cache.put(name, value, read_at=time.time(), version=version)


class TestKeeping:
    def test_what_was_put_is_got(self, cache: Cache) -> None:
        assert cache.get("a") is None
        put(cache, "a", VALUE)
        assert cache.get("a") == VALUE
        assert cache.get("b") is None

    def test_a_higher_version_wins(self, cache: Cache) -> None:
        put(cache, "a", {"n": 2}, version=2)
        put(cache, "a", {"n": 3}, version=3)
        assert cache.get("a") == {"n": 3}

    def test_a_lower_version_is_too_late(self, cache: Cache) -> None:
        put(cache, "a", {"n": 10}, version=10)
        put(cache, "a", {"n": 9}, version=9)
        assert cache.get("a") == {"n": 10}

    def test_large_versions_are_told_apart(self, cache: Cache) -> None:
        put(cache, "a", {"n": 1}, version=2**53 - 1)
        put(cache, "a", {"n": 2}, version=2**53 - 2)
        assert cache.get("a") == {"n": 1}

    def test_an_equal_version_is_fresh_again(
        self, cache: Cache, move: Callable[[float], None]
    ) -> None:
        move(0)
        put(cache, "a", VALUE, version=2)
        move(50)
        put(cache, "a", VALUE, version=2)
        move(100)
        assert cache.get("a") == VALUE

    def test_a_late_writer_does_not_lengthen_a_life(
        self, cache: Cache, server: "redis.Redis"
    ) -> None:
        put(cache, "a", VALUE, version=2)
        server.pexpire("a", 500)
        put(cache, "a", VALUE, version=1)
        left_ms = server.pttl("a")
        assert isinstance(left_ms, int) and left_ms <= 500

    def test_redis_forgets_after_a_minute(self, cache: Cache, server: "redis.Redis") -> None:
        put(cache, "a", VALUE)
        left_ms = server.pttl("a")
        assert isinstance(left_ms, int) and 50_000 < left_ms <= 60_000

    @pytest.mark.parametrize(("seconds", "believed"), [(0, True), (60, True), (60.1, False)])
    def test_after_a_minute_it_is_not_believed_though_redis_keeps_it(
        self,
        cache: Cache,
        server: "redis.Redis",
        move: Callable[[float], None],
        seconds: float,
        believed: bool,
    ) -> None:
        move(0)
        put(cache, "a", VALUE)
        server.persist("a")
        move(seconds)
        assert cache.get("a") == (VALUE if believed else None)

    def test_what_is_written_in_the_future_is_not_believed(
        self, cache: Cache, move: Callable[[float], None]
    ) -> None:
        put(cache, "a", VALUE)
        move(-10)
        assert cache.get("a") is None

    def test_a_minute_is_counted_from_the_reading(
        self, cache: Cache, move: Callable[[float], None]
    ) -> None:
        read_at = time.time()
        move(50)
        cache.put("a", VALUE, read_at=read_at)
        move(59)
        assert cache.get("a") == VALUE
        move(61)
        assert cache.get("a") is None

    def test_counts(self, cache: Cache, server: "redis.Redis") -> None:
        cache.count("hits")
        cache.count("hits")
        assert server.get("hits") == b"2"

    def test_after_close_it_connects_anew(self, cache: Cache) -> None:
        put(cache, "a", VALUE)
        cache.close()
        cache.close()
        assert cache.get("a") == VALUE


class TestSeal:
    def sealed(self, name: str, value: Any, secret: bytes = SECRET) -> bytes:
        body = json.dumps({"at": time.time(), "value": value}).encode()
        return hmac.digest(secret, name.encode() + b"\0" + body, hashlib.sha256) + body

    def test_is_over_name_and_content(self, cache: Cache, server: "redis.Redis") -> None:
        server.hset("a", "value", self.sealed("a", VALUE))
        assert cache.get("a") == VALUE

    def test_of_another_deployment(self, cache: Cache, server: "redis.Redis") -> None:
        server.hset("a", "value", self.sealed("a", VALUE, b"another's"))
        assert cache.get("a") is None

    @pytest.mark.parametrize("other", ["b", "A", "a ", "", "aa"])
    def test_is_bound_to_its_name(self, cache: Cache, server: "redis.Redis", other: str) -> None:
        put(cache, "a", VALUE)
        held = server.hget("a", "value")
        assert isinstance(held, bytes)
        server.hset(other, "value", held)
        assert cache.get(other) is None

    def test_a_name_can_t_be_lengthened_by_its_content(
        self, cache: Cache, server: "redis.Redis"
    ) -> None:
        held = self.sealed("a", VALUE)
        server.hset('a\0{"at": 1', "value", held)
        assert cache.get('a\0{"at": 1') is None

    def test_holds_for_every_byte(self, cache: Cache, server: "redis.Redis") -> None:
        put(cache, "a", VALUE)
        held = server.hget("a", "value")
        assert isinstance(held, bytes)
        for place in range(len(held)):
            changed = held[:place] + bytes([held[place] ^ 1]) + held[place + 1 :]
            server.hset("a", "value", changed)
            assert cache.get("a") is None
        for changed in (held[:-1], held + b" ", held[1:], held[:32], base64.b64encode(held)):
            server.hset("a", "value", changed)
            assert cache.get("a") is None

    @pytest.mark.parametrize("garbage", [b"", b"x", b"\0" * 32, b"\xff" * 500, b'{"at": 1}'])
    def test_garbage_is_a_miss(self, cache: Cache, server: "redis.Redis", garbage: bytes) -> None:
        server.hset("a", "value", garbage)
        assert cache.get("a") is None
        assert cache.is_up()  # a lie is no outage

    def test_the_secret_stays_here(self, cache: Cache, server: "redis.Redis") -> None:
        put(cache, "a", VALUE)
        assert SECRET not in repr(server.hgetall("a")).encode()
