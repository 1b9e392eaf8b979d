"""The buckets, in Redis and in the database. What callers see of them: http/test_rate_limits.py."""

from typing import Any

import pytest

from tests.callers import new_key, token_of
from tests.world import Answer, World
from tollgate.domain.principal import EVERY_TENANT, Role
from tollgate.storage import rate_buckets


def check(world: World, key: str, path: str = "/client-1", **how: Any) -> Answer:
    return world.call("subscriptions/check", method="GET", path=path, key=key, **how)


def create(world: World, key: str, number: int, **how: Any) -> Answer:
    body, headers = {"client_id": "client-1", "plan": "monthly"}, {"idempotency-key": f"k-{number}"}
    return world.call("payments/create", body=body, key=key, headers=headers, **how)


def told(answer: Answer) -> dict[str, str]:
    """What the answer's headers say of the rate."""
    names = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after")
    return {name: answer.headers[name] for name in names if name in answer.headers}


def limit_app(world: World, calls_per_minute: int) -> None:
    world.rows(
        "UPDATE apps SET calls_per_minute = %s WHERE id = %s RETURNING 1",
        calls_per_minute,
        world.app.id,
    )


class TestInRedis:
    def test_each_key_has_a_bucket_of_its_own(self, world: World) -> None:
        keys = [new_key(world, name=name, calls_per_minute=1) for name in ("one", "two")]
        assert [check(world, key).status for key in keys] == [200, 200]
        assert [check(world, key).status for key in keys] == [429, 429]
        assert check(world, world.app.key).status == 200

    def test_a_refused_app_takes_nothing_of_the_key(self, world: World) -> None:
        limit_app(world, 1)
        key = new_key(world, calls_per_minute=3)
        assert check(world, key).status == 200
        assert [check(world, key).status for _ in range(5)] == [429] * 5
        world.context.cache._ask("DEL", f"calls:app:{world.app.id}")
        assert check(world, key).status == 200

    def test_a_token_is_counted_with_its_key(self, world: World) -> None:
        key = new_key(world, calls_per_minute=2)
        token = token_of(world, key)
        statuses = [check(world, each).status for each in (key, token, token, key)]
        assert statuses == [200, 200, 429, 429]

    def test_who_may_not_do_this_is_counted_too(self, world: World) -> None:
        key = new_key(world, role=Role.ADMIN, app_id=None, calls_per_minute=1)
        assert [check(world, key).status for _ in range(2)] == [403, 429]

    def test_a_bucket_is_forgotten_when_it_is_full(self, world: World) -> None:
        check(world, world.app.key)
        names = world.context.cache._ask("KEYS", "calls:*")
        assert isinstance(names, list) and len(names) == 2
        for name in names:
            left_ms = world.context.cache._ask("PTTL", name)
            assert isinstance(left_ms, int) and 0 < left_ms <= 120_000

    def test_the_database_counts_nothing(self, world: World) -> None:
        assert create(world, world.app.key, 1).status == 201
        assert world.rows("SELECT count(*) FROM rate_buckets") == [(0,)]


class TestInTheDatabase:
    """The buckets themselves."""

    @staticmethod
    def take(world: World, **limits: int) -> tuple[bool, int, int]:
        allowance = rate_buckets.take(world.context.within(EVERY_TENANT).database, limits)
        return allowance.allowed, allowance.limit, allowance.remaining

    def test_the_tightest_tells(self, world: World) -> None:
        assert self.take(world, wide=10, tight=2) == (True, 2, 1)
        assert self.take(world, wide=10, tight=2) == (True, 2, 0)
        assert self.take(world, wide=10, tight=2) == (False, 2, 0)
        # what was refused took nothing of the other
        assert self.take(world, wide=10) == (True, 10, 7)

    def test_a_bucket_refills_evenly(self, world: World) -> None:
        for _ in range(3):
            self.take(world, one=2)
        assert self.take(world, one=2)[0] is False
        world.rows("UPDATE rate_buckets SET full_at = full_at - interval '30s' RETURNING 1")
        assert self.take(world, one=2) == (True, 2, 0)
        assert self.take(world, one=2)[0] is False

    def test_a_full_one_holds_no_more_than_a_minute(self, world: World) -> None:
        self.take(world, one=2)
        world.rows("UPDATE rate_buckets SET full_at = '2020-01-01' RETURNING 1")
        assert [self.take(world, one=2)[0] for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("function", ["payments/return", "ops/health"])
def test_who_needs_no_key_is_not_counted(world: World, function: str) -> None:
    path = "/pay_1" if function == "payments/return" else ""
    answer = world.call(function, method="GET", path=path)
    assert told(answer) == {}
