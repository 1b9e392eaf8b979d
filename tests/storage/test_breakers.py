"""A PSP that fails again and again is down for a while, for all containers."""

import pytest
import redis

from tests.callers import DEAD_REDIS
from tests.storage.conftest import SECRET
from tests.world import Stores
from tollgate.storage import breakers
from tollgate.storage.cache import Cache

OPEN = "breaker:stripe:open"


def fail(cache: Cache, times: int, psp: str = "stripe") -> None:
    for _ in range(times):
        breakers.record_failure(cache, psp)


def test_it_opens_at_the_fifth_failure_in_a_row(cache: Cache) -> None:
    fail(cache, 4)
    assert not breakers.is_down(cache, "stripe")
    fail(cache, 1)
    assert breakers.is_down(cache, "stripe")
    assert not breakers.is_down(cache, "paypal")


def test_a_success_between_begins_the_count_anew(cache: Cache) -> None:
    fail(cache, 4)
    breakers.record_success(cache, "stripe")
    fail(cache, 4)
    assert not breakers.is_down(cache, "stripe")


def test_all_containers_see_it(cache: Cache, stores: Stores) -> None:
    fail(cache, 5)
    other = Cache(stores.redis_url, SECRET)
    assert breakers.is_down(other, "stripe")
    other.close()


def test_it_stays_open_for_its_time(cache: Cache, server: "redis.Redis") -> None:
    fail(cache, 5)
    assert 0 < server.pttl(OPEN) <= breakers.OPEN_SECONDS * 1000


def test_then_one_more_failure_opens_it_again(cache: Cache, server: "redis.Redis") -> None:
    fail(cache, 5)
    server.delete(OPEN)  # its time is over
    assert not breakers.is_down(cache, "stripe")
    fail(cache, 1)
    assert breakers.is_down(cache, "stripe")


def test_failures_that_are_long_past_do_not_count(cache: Cache, server: "redis.Redis") -> None:
    fail(cache, 4)
    assert 0 < server.pttl("breaker:stripe") <= breakers.WINDOW_SECONDS * 1000


def test_a_success_closes_it_at_once(cache: Cache) -> None:
    fail(cache, 5)
    breakers.record_success(cache, "stripe")
    assert not breakers.is_down(cache, "stripe")
    fail(cache, 1)
    assert not breakers.is_down(cache, "stripe")


@pytest.mark.parametrize("url", [DEAD_REDIS, "redis://redis.invalid/0"])
def test_without_redis_none_is_down(url: str) -> None:
    cache = Cache(url, SECRET)
    fail(cache, 9)
    breakers.record_success(cache, "stripe")
    assert not breakers.is_down(cache, "stripe")
    cache.close()
