"""How often a caller may call: a key, its app, a client; counted by Redis, and for money always."""

from typing import Any

import pytest

from tests.callers import DEAD_REDIS, UNKNOWN_KEY, id_of, new_key, token_of
from tests.world import Answer, World
from tollgate.domain.principal import EVERY_TENANT, Role
from tollgate.domain.rate import CLIENT_CALLS_PER_MINUTE
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
    def test_a_key_may_call_so_often_and_is_told(self, world: World) -> None:
        key = new_key(world, calls_per_minute=2)
        first, second, third = (check(world, key) for _ in range(3))
        assert told(first) == {
            "ratelimit-limit": "2",
            "ratelimit-remaining": "1",
            "ratelimit-reset": "30",
        }
        assert (second.status, second.headers["ratelimit-remaining"]) == (200, "0")
        assert (third.status, third.json["code"]) == (429, "too_many_requests")
        assert third.headers["ratelimit-limit"] == "2"
        assert third.headers["ratelimit-remaining"] == "0"
        assert 0 < int(third.headers["retry-after"]) <= 30
        assert 0 < int(third.headers["ratelimit-reset"]) <= 60

    def test_a_refused_call_does_nothing(self, world: World) -> None:
        key = new_key(world, calls_per_minute=1)
        assert create(world, key, 1).status == 201
        assert create(world, key, 2).status == 429
        assert len(world.psp.starts) == 1
        assert world.rows("SELECT count(*) FROM payments") == [(1,)]

    def test_a_refused_call_does_not_put_off_the_next_one(self, world: World) -> None:
        key = new_key(world, calls_per_minute=2)
        for _ in range(2):
            check(world, key)
        waits = [int(check(world, key).headers["retry-after"]) for _ in range(10)]
        assert max(waits) <= 30

    def test_each_key_has_a_bucket_of_its_own(self, world: World) -> None:
        keys = [new_key(world, name=name, calls_per_minute=1) for name in ("one", "two")]
        assert [check(world, key).status for key in keys] == [200, 200]
        assert [check(world, key).status for key in keys] == [429, 429]
        assert check(world, world.app.key).status == 200

    def test_an_apps_keys_share_its_bucket(self, world: World) -> None:
        limit_app(world, 2)
        keys = [new_key(world, name=name, calls_per_minute=100) for name in ("one", "two", "three")]
        answers = [check(world, key) for key in keys]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[0].headers["ratelimit-limit"] == "2"  # what is left the least of
        assert check(world, world.other_app.key).status == 200

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

    def test_a_client_may_not_use_up_its_app(self, world: World) -> None:
        tokens = {
            client_id: token_of(world, world.app.key, Role.CLIENT, client_id)
            for client_id in ("client-1", "client-2")
        }
        first = check(world, tokens["client-1"])
        assert first.headers["ratelimit-limit"] == str(CLIENT_CALLS_PER_MINUTE)
        name = f"calls:client:{world.app.id}:client-1"
        held = world.context.cache._ask("GET", name)
        assert isinstance(held, bytes)
        full_at_ms = float(held) + 59_000  # all but one of its calls, at once
        world.context.cache._ask("SET", name, str(full_at_ms + 1000))
        assert check(world, tokens["client-1"]).status == 429
        assert check(world, tokens["client-2"], path="/client-2").status == 200
        assert check(world, world.app.key).status == 200

    def test_who_does_not_prove_the_key_can_t_use_it_up(self, world: World) -> None:
        key = new_key(world, calls_per_minute=1)
        wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
        for guess in (wrong, UNKNOWN_KEY, wrong, wrong):
            answer = check(world, guess)
            assert (answer.status, told(answer)) == (401, {})
        assert check(world, key).status == 200

    def test_who_may_not_do_this_is_counted_too(self, world: World) -> None:
        key = new_key(world, role=Role.ADMIN, app_id=None, calls_per_minute=1)
        assert [check(world, key).status for _ in range(2)] == [403, 429]

    def test_it_refills_by_the_clock_of_redis(self, world: World) -> None:
        key = new_key(world, calls_per_minute=1)
        assert [check(world, key).status for _ in range(2)] == [200, 429]
        world.pass_time(days=1)  # of a container, which nobody goes by
        assert check(world, key).status == 429
        name = f"calls:key:{id_of(key)}"
        held = world.context.cache._ask("GET", name)
        assert isinstance(held, bytes)
        world.context.cache._ask("SET", name, str(float(held) - 60_000))  # a minute passes
        assert check(world, key).status == 200

    def test_a_bucket_is_forgotten_when_it_is_full(self, world: World) -> None:
        check(world, world.app.key)
        names = world.context.cache._ask("KEYS", "calls:*")
        assert isinstance(names, list) and len(names) == 2
        for name in names:
            left_ms = world.context.cache._ask("PTTL", name)
            assert isinstance(left_ms, int) and 0 < left_ms <= 120_000


class TestWithoutRedis:
    def test_what_moves_money_is_counted_by_the_database(self, world: World) -> None:
        context = world.new_context(redis_url=DEAD_REDIS)
        key = new_key(world, calls_per_minute=2)
        first, second, third = (create(world, key, number, context=context) for number in range(3))
        assert [answer.status for answer in (first, second, third)] == [201, 201, 429]
        assert told(first) == {
            "ratelimit-limit": "2",
            "ratelimit-remaining": "1",
            "ratelimit-reset": "30",
        }
        assert second.headers["ratelimit-remaining"] == "0"
        assert told(third).keys() == told(first).keys() | {"retry-after"}
        assert 0 < int(third.headers["retry-after"]) <= 30
        assert len(world.psp.starts) == 2
        context.database.close()

    def test_nothing_else_is_counted(self, world: World) -> None:
        context = world.new_context(redis_url=DEAD_REDIS)
        key = new_key(world, calls_per_minute=1)
        answers = [check(world, key, context=context) for _ in range(3)]
        assert [(answer.status, told(answer)) for answer in answers] == [(200, {})] * 3
        assert world.rows("SELECT count(*) FROM rate_buckets") == [(0,)]
        context.database.close()

    def test_with_redis_the_database_counts_nothing(self, world: World) -> None:
        assert create(world, world.app.key, 1).status == 201
        assert world.rows("SELECT count(*) FROM rate_buckets") == [(0,)]


class TestInTheDatabase:
    """The buckets themselves."""

    @staticmethod
    def take(world: World, **limits: int) -> tuple[bool, int, int]:
        allowance = rate_buckets.take(world.context.within(EVERY_TENANT).database, limits)
        return allowance.allowed, allowance.limit, allowance.remaining

    def test_the_tightest_tells(self, world: World) -> None:
        assert self.take(world, wide=100, tight=2) == (True, 2, 1)
        assert self.take(world, wide=100, tight=2) == (True, 2, 0)
        assert self.take(world, wide=100, tight=2) == (False, 2, 0)
        # what was refused took nothing of the other
        assert self.take(world, wide=100) == (True, 100, 97)

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
