"""Redis ages with the clock: TTLs, the product's own keys, and a Redis that is not there."""

import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from redis import ConnectionError as RedisAway
from redis import Redis

from local.redis_clock import RedisClock, age_redis
from tests.callers import DEAD_REDIS
from tests.world import Stores
from tollgate.storage import breakers
from tollgate.storage.cache import Cache


@pytest.fixture
def redis(stores: Stores) -> Iterator[Redis]:
    with closing(Redis.from_url(stores.redis_url, protocol=2)) as client:
        yield client


def left(redis: Redis, name: str) -> float:
    milliseconds = redis.pttl(name)
    assert isinstance(milliseconds, int)
    return milliseconds / 1000


def test_what_has_an_end_comes_nearer_to_it(redis: Redis, stores: Stores) -> None:
    redis.set("long", "value", px=100_000)
    redis.set("short", "value", px=40_000)
    redis.set("endless", "value")
    age_redis(stores.redis_url, 39.5)
    assert 50 < left(redis, "long") <= 60.5
    assert redis.get("short") == b"value"
    age_redis(stores.redis_url, 10)
    assert redis.get("short") is None
    assert redis.get("long") == b"value"
    age_redis(stores.redis_url, 200 * 365 * 86_400)
    assert redis.keys() == [b"endless"]
    assert redis.ttl("endless") == -1


def test_every_key_ages_and_each_once(redis: Redis, stores: Stores) -> None:
    with redis.pipeline() as pipeline:
        for number in range(2_500):
            pipeline.set(f"key-{number}", 1, px=100_000 if number % 2 else 30_000)
        pipeline.execute()
    age_redis(stores.redis_url, 40)
    assert redis.dbsize() == 1_250
    assert all(45 < left(redis, f"key-{number}") <= 60 for number in range(1, 2_500, 2))


def test_a_breaker_closes_and_a_cached_value_is_believed_no_more(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now)
    with closing(Cache(stores.redis_url, b"secret")) as cache:
        for _ in range(breakers.FAILURES):
            breakers.record_failure(cache, "stripe")
        cache.put("name", {"paid": True}, read_at=now)
        age_redis(stores.redis_url, breakers.OPEN_SECONDS - 1)
        now += breakers.OPEN_SECONDS - 1
        assert breakers.is_down(cache, "stripe")
        assert cache.get("name") == {"paid": True}
        age_redis(stores.redis_url, 1)
        now += 1
        assert not breakers.is_down(cache, "stripe")
        assert cache.get("name") == {"paid": True}
        now += 31  # by the moved clock alone, before Redis has been told
        assert cache.get("name") is None


def test_calls_counted_on_redis_clock_are_further_back(redis: Redis, stores: Stores) -> None:
    redis.set("calls:key:k", "1790000050000.125", px=120_000)
    redis.set("calls-of-others", "1790000050000", px=120_000)
    age_redis(stores.redis_url, 20)
    value = redis.get("calls:key:k")
    assert isinstance(value, bytes)
    assert float(value) == 1790000030000.125
    assert 90 < left(redis, "calls:key:k") <= 100
    assert redis.get("calls-of-others") == b"1790000050000"


def test_a_redis_that_is_away_is_said_and_left_alone_for_a_while() -> None:
    log: list[str] = []
    clock = RedisClock(DEAD_REDIS, log.append)
    for _ in range(3):
        clock.advance(5)
    assert log == ["clock: what Redis holds has not aged along: ConnectionError"]
    with pytest.raises(RedisAway):
        age_redis(DEAD_REDIS, 5)


def test_none_need_be_there() -> None:
    RedisClock(None, pytest.fail).advance(5)
