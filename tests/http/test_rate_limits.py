"""How often a key, an app and a client may call; what the answers tell, and what it costs."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.callers import DEAD_REDIS, UNKNOWN_KEY, id_of, token_of
from tests.operators import CHECK, KeyOperator, Operator, pass_cached
from tests.world import Answer, World
from tollgate.domain.principal import Role
from tollgate.domain.rate import CLIENT_CALLS_PER_MINUTE
from tollgate.operations.context import Context
from tollgate.storage import admissions

LIMIT = 5
GUESS = UNKNOWN_KEY.split("_")[3]


@pytest.fixture
def keys(world: World) -> KeyOperator:
    return KeyOperator(world)


@pytest.fixture
def without_redis(world: World) -> Iterator[Context]:
    context = world.new_context(redis_url=DEAD_REDIS)
    yield context
    context.database.close()


def limit_app(world: World, calls_per_minute: int) -> None:
    """Before anybody has called with its keys."""
    change = {"calls_per_minute": calls_per_minute}
    assert Operator(world, "apps").ask("PUT", f"/{world.app.id}", change).status == 200


def read(world: World, key: str, context: Context | None = None) -> Answer:
    """A call that asks no PSP and moves no money."""
    return world.call("payments/get", method="GET", path="/pay_1", key=key, context=context)


def pay(world: World, key: str, context: Context, number: int = 0, **fields: Any) -> Answer:
    body = {"client_id": "client-1", "plan": "monthly", **fields}
    headers = {"idempotency-key": f"{key[-8:]}-{number}"}
    return world.call("payments/create", body=body, headers=headers, key=key, context=context)


def told(answer: Answer) -> tuple[int, str | None, str | None, str | None]:
    """The status, and limit, remaining and reset."""
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (answer.headers.get(f"ratelimit-{name}") for name in names)
    return answer.status, limit, remaining, reset


def about(expected: int, seconds: str) -> bool:
    """So many, but for what the test itself took."""
    return expected - 10 <= int(seconds) <= expected


def in_redis(world: World, *command: str) -> None:
    assert world.context.cache._ask(*command) is not None


class TestTold:
    def test_with_every_answer_to_who_was_let_in(self, world: World, keys: KeyOperator) -> None:
        key = keys.new(calls_per_minute=LIMIT)["key"]
        answers = (
            (world.call("subscriptions/check", key=key, **CHECK), (200, "5", "4"), 12),
            (read(world, key), (404, "5", "3"), 24),
            (world.call("payments/create", key=key), (400, "5", "2"), 36),
            (pay(world, key, world.context, plan="no"), (422, "5", "1"), 48),
            (pay(world, key, world.context), (201, "5", "0"), 60),
            (refused := pay(world, key, world.context, 1), (429, "5", "0"), 60),
        )
        for answer, expected, reset in answers:
            assert told(answer)[:3] == expected
            assert about(reset, answer.headers["ratelimit-reset"])
        assert about(12, refused.headers["retry-after"])
        assert refused.headers["content-type"] == "application/problem+json"
        assert (refused.json["code"], refused.json["status"]) == ("too_many_requests", 429)
        assert world.rows("SELECT count(*) FROM payments") == [(1,)]
        assert len(world.psp.starts) == 1
        assert told(read(world, UNKNOWN_KEY)) == (401, None, None, None)

    def test_at_the_door_of_tokens(self, world: World, keys: KeyOperator) -> None:
        key = keys.new(calls_per_minute=1)["key"]
        form = f"grant_type=client_credentials&client_id={id_of(key)}&client_secret={key}".encode()
        plain = {"authorization": ""}
        assert told(world.call("auth/token", body=form, headers=plain)) == (200, "1", "0", "60")
        refused = world.call("auth/token", body=form, headers=plain)
        assert (refused.status, refused.json["code"]) == (429, "too_many_requests")
        assert about(60, refused.headers["retry-after"])
        assert told(read(world, token_of(world, key)))[0] == 429  # its token is the same caller


class TestLimits:
    def test_keys_of_an_app_share_the_apps(self, world: World, keys: KeyOperator) -> None:
        limit_app(world, 4)
        first, second = keys.new()["key"], keys.new(calls_per_minute=2)["key"]
        assert told(read(world, first))[1:3] == ("4", "3")
        assert told(read(world, second))[1:3] == ("2", "1")
        for _ in range(2):
            assert read(world, first).status == 404
        assert told(read(world, second))[:3] == (429, "4", "0")
        assert told(read(world, first))[:3] == (429, "4", "0")
        other = keys.new(app_id=world.other_app.id, calls_per_minute=3)["key"]
        assert told(read(world, other))[:3] == (404, "3", "2")
        assert read(world, world.other_app.key).status == 404

    def test_what_is_refused_is_not_counted(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        """A key that calls too often takes nothing from the app's other keys."""
        limit_app(world, 10)
        for number, context in enumerate((world.context, without_redis)):
            busy = keys.new(name=f"b{number}", calls_per_minute=1)["key"]
            statuses = [pay(world, busy, context, n, plan="no").status for n in range(9)]
            assert statuses == [422] + [429] * 8
            calm = keys.new(name=f"b{number}", calls_per_minute=1000)["key"]
            assert told(pay(world, calm, context, plan="no"))[:3] == (422, "10", "8")

    def test_a_client_has_a_small_part(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        assert CLIENT_CALLS_PER_MINUTE == 60
        monkeypatch.setattr(admissions, "CLIENT_CALLS_PER_MINUTE", 3)
        first, second = (
            token_of(world, world.app.key, Role.CLIENT, f"client-{number}") for number in (1, 2)
        )
        how: dict[str, Any] = {"method": "GET"}
        for left in ("2", "1", "0"):
            answer = world.call("subscriptions/check", path="/client-1", key=first, **how)
            assert told(answer)[:3] == (200, "3", left)
        answer = world.call("subscriptions/check", path="/client-1", key=first, **how)
        assert answer.status == 429
        answer = world.call("subscriptions/check", path="/client-2", key=second, **how)
        assert told(answer)[:3] == (200, "3", "2")
        assert read(world, world.app.key).headers["ratelimit-limit"] == "1000000"

    def test_all_clients_together_have_half_of_what_their_app_may(
        self, world: World, keys: KeyOperator
    ) -> None:
        limit_app(world, 10)
        key = keys.new(calls_per_minute=3)["key"]  # of the app's own calls: clients take none
        clients = [f"client-{number}" for number in range(6)]
        tokens = [token_of(world, key, Role.CLIENT, client_id) for client_id in clients]
        statuses = [
            world.call("subscriptions/check", method="GET", path=f"/{client}", key=token).status
            for client, token in zip(clients, tokens, strict=True)
        ]
        assert statuses == [200] * 5 + [429]
        assert [read(world, key).status for _ in range(4)] == [404, 404, 404, 429]

    @pytest.mark.parametrize("redis", [True, False], ids=["redis", "no redis"])
    def test_exactly_so_many_at_once(self, world: World, keys: KeyOperator, redis: bool) -> None:
        key = keys.new(calls_per_minute=LIMIT)["key"]

        def two(_: int) -> list[int]:
            context = world.new_context(**({} if redis else {"redis_url": DEAD_REDIS}))
            answers = [pay(world, key, context, plan="no") for _ in range(2)]
            context.database.close()
            context.cache.close()
            return [answer.status for answer in answers]

        assert two(0) == [422, 422]
        with ThreadPoolExecutor(LIMIT) as pool:
            statuses = sorted(status for part in pool.map(two, range(LIMIT)) for status in part)
        assert statuses == [422] * (LIMIT - 2) + [429] * (LIMIT + 2)

    @pytest.mark.parametrize("redis", [True, False], ids=["redis", "no redis"])
    def test_who_waits_as_told_may_call_again(
        self, world: World, keys: KeyOperator, without_redis: Context, redis: bool
    ) -> None:
        """No clock of ours counts: only the real one of Redis or PostgreSQL lets time pass."""
        context = world.context if redis else without_redis
        key = keys.new(calls_per_minute=60)["key"]
        while (answer := pay(world, key, context, plan="no")).status == 422:
            world.pass_time(minutes=1)
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        time.sleep(1)
        assert told(pay(world, key, context, plan="no"))[:2] == (422, "60")

    def test_the_caches_clock_counts_nothing(
        self, world: World, keys: KeyOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = keys.new(calls_per_minute=1)["key"]
        read(world, key)
        pass_cached(monkeypatch, 59)
        assert read(world, key).status == 429

    def test_a_container_whose_clock_is_ahead_leaves_the_others_counted(
        self, world: World, keys: KeyOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = keys.new(calls_per_minute=3)["key"]
        with monkeypatch.context() as patched:
            ahead = time.time() + 90
            patched.setattr("time.time", lambda: ahead)
            assert read(world, key).status == 404
        admissions.forget()
        statuses = [read(world, key).status for _ in range(4)]
        assert (statuses[0], statuses[-1]) == (404, 429)

    def test_a_guess_uses_nothing_up(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        for number, context in enumerate((world.context, without_redis)):
            key = keys.new(name=f"k{number}", calls_per_minute=LIMIT)["key"]
            guess = f"tg_test_{id_of(key)}_{GUESS}"
            for n in range(2 * LIMIT):
                assert pay(world, guess, context, n).status == 401
            assert told(pay(world, key, context, plan="no"))[:3] == (422, "5", "4")

    @pytest.mark.parametrize("of", ["key", "app"])
    def test_a_new_limit_counts_within_a_minute(
        self, world: World, keys: KeyOperator, of: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = keys.new(calls_per_minute=1000)["key"]
        assert told(read(world, key))[1] == "1000"
        if of == "key":
            keys.ask("PUT", f"/{id_of(key)}", {"calls_per_minute": 7})
        else:
            limit_app(world, 7)
        pass_cached(monkeypatch)
        assert told(read(world, key))[1] == "7"


class TestWithoutRedis:
    def test_what_moves_money_is_counted_and_the_rest_is_open(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        limit_app(world, 6)
        first, second = keys.new(calls_per_minute=4)["key"], keys.new()["key"]
        assert told(pay(world, first, without_redis)) == (201, "4", "3", "15")
        for number in range(1, 4):
            assert pay(world, first, without_redis, number).status == 201
        refused = pay(world, first, without_redis, 4)
        assert told(refused) == (429, "4", "0", "60")
        assert (refused.json["code"], refused.headers["retry-after"]) == ("too_many_requests", "15")
        assert told(pay(world, second, without_redis))[:3] == (201, "6", "1")
        assert told(pay(world, second, without_redis, 1))[:3] == (201, "6", "0")
        assert told(pay(world, second, without_redis, 2))[:3] == (429, "6", "0")
        assert world.rows("SELECT count(*) FROM payments") == [(6,)]
        assert len(world.psp.starts) == 6
        for _ in range(10):
            assert told(read(world, first, without_redis)) == (404, None, None, None)
        other = keys.new(app_id=world.other_app.id)["key"]
        assert pay(world, other, without_redis).status == 201

    def test_the_tightest_is_told(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        limit_app(world, 10)
        busy, calm = keys.new(name="a")["key"], keys.new(name="a", calls_per_minute=4)["key"]
        for context in (world.context, without_redis):
            for _ in range(4):
                pay(world, busy, context, plan="no")
            assert told(pay(world, calm, context, plan="no"))[1:3] == ("4", "3")

    def test_a_clock_that_was_set_back_holds_nobody_off_for_longer_than_a_minute(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        made = keys.new(calls_per_minute=60)
        assert pay(world, made["key"], world.context, plan="no").status == 422
        in_an_hour = int((time.time() + 3_600) * 1000)
        in_redis(world, "SET", f"calls:key:{made['id']}", str(in_an_hour))
        refused = pay(world, made["key"], world.context, 1)
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        in_redis(world, "SET", f"calls:key:{made['id']}", "of another program")
        assert pay(world, made["key"], world.context, plan="no").status == 422
        assert world.context.cache.is_up()  # it is left alone for a while after an error

        assert pay(world, made["key"], without_redis, plan="no").status == 422
        world.rows("UPDATE rate_buckets SET full_at = now() + '1 hour' RETURNING 1")
        assert pay(world, made["key"], without_redis, plan="no").status == 429
        ahead = "SELECT max(full_at) - now() <= '1 minute' FROM rate_buckets WHERE name ~ '^key:'"
        assert world.rows(ahead) == [(True,)]

    def test_the_longer_wait_is_told(
        self, world: World, keys: KeyOperator, without_redis: Context
    ) -> None:
        limit_app(world, 2)
        key, other = keys.new(calls_per_minute=1)["key"], keys.new()["key"]
        for context in (world.context, without_redis):
            pay(world, key, context, plan="no")
            pay(world, other, context, plan="no")
            assert about(60, pay(world, key, context, plan="no").headers["retry-after"])

    def test_emptied_in_between_it_counts_anew(self, world: World, keys: KeyOperator) -> None:
        key = keys.new(calls_per_minute=1)["key"]
        assert read(world, key).status == 404
        assert read(world, key).status == 429
        in_redis(world, "FLUSHALL")
        told_of = [told(read(world, key))[:3] for _ in range(3)]
        # what this container still knew, it told Redis again
        assert told_of == [(404, None, None), (404, "1", "0"), (429, "1", "0")]
