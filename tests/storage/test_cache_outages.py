"""Whatever Redis does, nothing is raised: a miss, and one short wait at most."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
import redis

from tests.storage.conftest import SECRET
from tests.storage.test_cache import VALUE, put
from tests.world import Stores
from tollgate.storage import cache as storage
from tollgate.storage.cache import Cache


@pytest.fixture
def pause_over(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the pause after an error pass."""

    def over() -> None:
        later = time.monotonic() + storage.PAUSE_AFTER_ERROR_SECONDS
        monkeypatch.setattr("time.monotonic", lambda: later)

    return over


class TestStrangeRedis:
    def test_another_type_under_the_name_is_a_miss(
        self, cache: Cache, server: "redis.Redis", pause_over: Callable[[], None]
    ) -> None:
        server.lpush("a", "x")
        assert cache.get("a") is None
        pause_over()
        put(cache, "a", VALUE)
        assert server.type("a") == b"list"

    def test_a_counter_that_is_none_is_left_alone(
        self, cache: Cache, server: "redis.Redis"
    ) -> None:
        server.set("hits", "text")
        cache.count("hits")
        assert server.get("hits") == b"text"

    @pytest.mark.parametrize("version", ["garbage", "", "nan", "-5"])
    def test_a_version_that_is_none_is_overwritten(
        self, cache: Cache, server: "redis.Redis", version: str
    ) -> None:
        server.hset("a", "version", version)
        put(cache, "a", VALUE, version=1)
        assert cache.get("a") == VALUE

    def test_that_is_full_or_a_replica_is_a_miss(
        self, cache: Cache, server: "redis.Redis", pause_over: Callable[[], None]
    ) -> None:
        server.config_set("maxmemory", 1)
        try:
            put(cache, "a", VALUE)
        finally:
            server.config_set("maxmemory", 0)
        pause_over()
        assert cache.get("a") is None

    def test_that_closed_an_idle_connection_costs_nothing(
        self, cache: Cache, server: "redis.Redis"
    ) -> None:
        put(cache, "a", VALUE)
        server.client_kill_filter(_type="normal", skipme=True)
        assert cache.get("a") == VALUE


class TestOutOfReach:
    @pytest.mark.parametrize(
        "url", ["redis://127.0.0.1:1/0", "redis://redis.invalid/0", "unix:///nowhere.sock"]
    )
    def test_nothing_is_raised(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        cache = Cache(url.replace("://", "://:s3cret@", 1) if "redis" in url else url, SECRET)
        assert cache.get("a") is None
        put(cache, "a", VALUE)
        cache.count("hits")
        assert not cache.is_up()
        cache.close()
        printed = capsys.readouterr().out
        assert json.loads(printed)["event"] == "redis.unavailable"  # told once, then left alone
        assert "s3cret" not in printed and "127.0.0.1" not in printed

    @pytest.mark.parametrize("url", ["s3cret", "http://127.0.0.1:1", "redis://h:s3cret"])
    def test_a_url_that_is_none_is_an_outage_too(
        self, url: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        cache = Cache(url, SECRET)
        assert cache.get("a") is None
        assert not cache.is_up()
        assert "s3cret" not in capsys.readouterr().out

    def test_it_is_asked_again_after_a_pause(
        self, stores: Stores, pause_over: Callable[[], None]
    ) -> None:
        cache = Cache("redis://127.0.0.1:1/0", SECRET)
        assert not cache.is_up()
        cache._url = stores.redis_url
        cache.close()
        assert not cache.is_up()
        pause_over()
        assert cache.is_up()
        cache.close()

    def test_a_black_hole_costs_one_short_wait(self, pause_over: Callable[[], None]) -> None:
        with Listener() as hole:
            cache = Cache(f"redis://127.0.0.1:{hole.port}/0", SECRET)
            began = time.monotonic()
            for _ in range(20):
                assert cache.get("a") is None
                put(cache, "a", VALUE)
            # far less than one wait of the 40 would take for each; the limit is a wide one
            assert time.monotonic() - began < 3
            connections = hole.connections
            assert 1 <= connections <= 4
            pause_over()
            assert not cache.is_up()
            assert hole.connections > connections
            cache.close()

    @pytest.mark.parametrize(
        "says",
        [
            b"\0garbage\r\n",
            b"-ERR no\r\n",
            b"-\xff\r\n",
            b":x\r\n",
            b"$x\r\n",
            b"*x\r\n",
            b"\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ],
    )
    def test_what_speaks_another_language_is_a_miss(self, says: bytes) -> None:
        with Listener(says * 20) as stranger:
            cache = Cache(f"redis://127.0.0.1:{stranger.port}/0", SECRET)
            assert cache.get("a") is None
            put(cache, "a", VALUE)
            assert not cache.is_up()
            cache.close()


class Listener:
    """Takes connections, says one thing, and answers nothing."""

    def __init__(self, says: bytes = b"") -> None:
        self._says = says
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        self._thread = threading.Thread(target=self._take)
        self.port = self._listener.getsockname()[1]

    @property
    def connections(self) -> int:
        return len(self._taken)

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for connection in self._taken:
            connection.close()

    def _take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._taken.append(connection)
                if self._says:
                    connection.sendall(self._says)
