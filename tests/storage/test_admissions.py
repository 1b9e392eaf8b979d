"""What is known of a key: from memory, Redis or PostgreSQL, and for a minute at most."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.callers import (
    DEAD_DATABASE,
    DEAD_REDIS,
    UNKNOWN_KEY,
    admitted,
    caller,
    id_of,
    new_key,
    revoke,
)
from tests.world import World
from tollgate.domain.errors import CredentialsRefused, DatabaseUnavailable
from tollgate.domain.principal import Role
from tollgate.storage import admissions
from tollgate.storage.admissions import Lookup, ReadAhead


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock that the caches go by."""
    started = time.time()

    def move(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: started + seconds)

    move(0)
    return move


def in_redis(world: World, *command: str | bytes) -> object:
    answer = world.context.cache._ask(*command)
    assert answer is not None
    return answer


class TestWhereItIsFound:
    def test_in_the_database_without_redis(self, world: World) -> None:
        context = world.new_context(redis_url=DEAD_REDIS)
        assert caller(world, context=context).app_id == world.app.id
        context.database.close()

    def test_in_memory_without_either(self, world: World) -> None:
        caller(world)
        context = world.new_context(redis_url=DEAD_REDIS, database_url=DEAD_DATABASE)
        assert caller(world, context=context).app_id == world.app.id

    @pytest.mark.parametrize("role", ["app", "admin"])
    def test_in_redis_without_the_database(self, world: World, role: str) -> None:
        key = world.app.key if role == "app" else world.seed.admin_key
        known = caller(world, key)
        admissions.forget()
        context = world.new_context(database_url=DEAD_DATABASE)
        assert caller(world, key, context) == known
        context.cache.close()

    def test_dates_survive_redis(self, world: World) -> None:
        key = new_key(world, expires_at=world.now + timedelta(seconds=10))
        caller(world, key)
        admissions.forget()
        world.pass_time(seconds=10)
        context = world.new_context(database_url=DEAD_DATABASE)
        with pytest.raises(CredentialsRefused):
            caller(world, key, context)
        context.cache.close()

    def test_the_secret_is_nowhere_in_redis(self, world: World) -> None:
        caller(world)
        secret = world.app.key.split("_")[3].encode()
        held = in_redis(world, "HGET", f"key:{id_of(world.app.key)}", "value")
        assert isinstance(held, bytes)
        assert b'"secret_sha256"' in held
        assert secret not in held and bytes.fromhex(secret.decode()) not in held

    def test_memory_is_bounded(self, world: World) -> None:
        caller(world)
        known = admissions.look_up(world.context.cache, id_of(world.app.key), None, None)
        assert known is not None
        cache = world.new_context(redis_url=DEAD_REDIS).cache
        for number in range(250):
            key = replace(known.key, id=f"{number:016}")
            admissions.put_key(cache, key, time.time())
            assert admissions.look_up(cache, key.id, None, None) == Lookup(key)
        assert len(admissions._memory) <= admissions._MAX_KEYS

    def test_nowhere_means_that_nobody_comes_in(self, world: World) -> None:
        context = world.new_context(redis_url=DEAD_REDIS, database_url=DEAD_DATABASE)
        with pytest.raises(DatabaseUnavailable):
            caller(world, context=context)


class TestRevoked:
    def test_memory_is_believed_for_a_minute(
        self, world: World, later: Callable[[float], None]
    ) -> None:
        context = world.new_context(redis_url=DEAD_REDIS)
        caller(world, context=context)
        revoke(world, world.app.key)
        later(60)
        caller(world, context=context)
        later(60.1)
        with pytest.raises(CredentialsRefused):
            caller(world, context=context)
        context.database.close()

    def test_redis_is_believed_for_a_minute_though_it_forgets_nothing(
        self, world: World, later: Callable[[float], None]
    ) -> None:
        caller(world)
        revoke(world, world.app.key)
        in_redis(world, "PERSIST", f"key:{id_of(world.app.key)}")
        later(59)
        admissions.forget()
        caller(world)  # another container, from Redis
        later(60.1)
        with pytest.raises(CredentialsRefused):
            caller(world)  # whose memory does not begin a minute of its own
        admissions.forget()
        with pytest.raises(CredentialsRefused):
            caller(world)

    def test_a_clock_that_went_back_believes_nothing(
        self, world: World, later: Callable[[float], None]
    ) -> None:
        caller(world)
        revoke(world, world.app.key)
        later(-3600)
        with pytest.raises(CredentialsRefused):
            caller(world)

    def test_redis_forgets_by_itself(self, world: World) -> None:
        caller(world)
        left_ms = in_redis(world, "PTTL", f"key:{id_of(world.app.key)}")
        assert isinstance(left_ms, int) and 0 < left_ms <= 60_000


class TestForged:
    """Whoever can write to Redis can't make a key, nor anybody's key his own."""

    SECRET = "ab" * 32
    PROOF = hashlib.sha256(SECRET.encode()).hexdigest()

    def record(self) -> bytes:
        key = {
            "id": "0" * 16,
            "role": "admin",
            "app_id": "",
            "name": "default",
            "livemode": False,
            "secret_sha256": self.PROOF,
            "scopes": None,
            "calls_per_minute": 600,
            "app_calls_per_minute": 0,
            "created_at": "2026-01-31T09:00:00+00:00",
            "expires_at": None,
            "revoked_at": None,
            "last_used_at": None,
        }
        return json.dumps({"at": time.time(), "value": {"key": key}}).encode()

    @pytest.mark.parametrize("secret", [None, b"", b"guess", b"test"])
    def test_a_record_with_a_foreign_seal(self, world: World, secret: bytes | None) -> None:
        name, body = f"key:{'0' * 16}", self.record()
        seal = b""
        if secret is not None:
            seal = hmac.digest(secret, name.encode() + b"\0" + body, hashlib.sha256)
        clear = ("proof", self.PROOF, "app_id", "", "key_calls", "600", "app_calls", "0")
        in_redis(world, "HSET", name, "value", seal + body, *clear)
        key = f"tg_test_{'0' * 16}_{self.SECRET}"
        if secret == world.settings.cache_secret:  # that the forgery would do, were it sealed
            assert caller(world, key).role is Role.ADMIN
            return
        with pytest.raises(CredentialsRefused):
            caller(world, key)

    def test_a_record_under_another_name(self, world: World) -> None:
        caller(world)
        held = in_redis(world, "HGETALL", f"key:{id_of(world.app.key)}")
        assert isinstance(held, dict)
        fields = [part for field in held.items() for part in field]
        other_id = id_of(world.other_app.key)
        in_redis(world, "HSET", f"key:{other_id}", *fields)
        with pytest.raises(CredentialsRefused):
            caller(world, f"tg_test_{other_id}_{world.app.key.split('_')[3]}")
        assert caller(world, world.other_app.key).app_id == world.other_app.id

    def test_a_forgery_does_not_hide_the_true_key(self, world: World) -> None:
        in_redis(world, "HSET", f"key:{id_of(world.app.key)}", "value", b"garbage")
        assert caller(world).app_id == world.app.id

    def test_a_proof_beside_the_seal_proves_nothing(self, world: World) -> None:
        caller(world)
        in_redis(world, "HSET", f"key:{id_of(world.app.key)}", "proof", self.PROOF)
        with pytest.raises(CredentialsRefused):
            caller(world, f"tg_test_{id_of(world.app.key)}_{self.SECRET}")
        assert caller(world).app_id == world.app.id

    @pytest.mark.parametrize("field", ["key_calls", "app_calls"])
    @pytest.mark.parametrize("garbage", ["x", "", "-1", "1e400"])
    def test_garbage_beside_the_seal_opens_and_closes_nothing(
        self, world: World, field: str, garbage: str
    ) -> None:
        caller(world)
        in_redis(world, "HSET", f"key:{id_of(world.app.key)}", field, garbage)
        assert caller(world).app_id == world.app.id
        with pytest.raises(CredentialsRefused):
            caller(world, f"tg_test_{id_of(world.app.key)}_{self.SECRET}")


class TestReadAhead:
    """A value of the caller's own app comes along with the key."""

    AHEAD = ReadAhead("access", "client-1")

    def kept(self, world: World, app_id: str) -> None:
        name = f"access:{app_id}:client-1"
        world.context.cache.put(name, {"of": app_id}, read_at=time.time())

    def test_is_of_the_callers_app(self, world: World) -> None:
        for app in world.seed.apps:
            self.kept(world, app.id)
        for app in world.seed.apps:
            for _ in range(2):  # from the database, then from Redis
                assert admitted(world, app.key, read_ahead=self.AHEAD).ahead == {"of": app.id}

    def test_may_be_missing(self, world: World) -> None:
        self.kept(world, world.other_app.id)
        assert admitted(world, read_ahead=self.AHEAD).ahead is None
        assert admitted(world).ahead is None

    def test_is_believed_for_a_minute(self, world: World, later: Callable[[float], None]) -> None:
        self.kept(world, world.app.id)
        in_redis(world, "PERSIST", f"access:{world.app.id}:client-1")
        later(60.1)
        assert admitted(world, read_ahead=self.AHEAD).ahead is None

    def test_another_app_beside_the_seal_opens_nothing(self, world: World) -> None:
        for app in world.seed.apps:
            self.kept(world, app.id)
        caller(world)
        in_redis(world, "HSET", f"key:{id_of(world.app.key)}", "app_id", world.other_app.id)
        assert admitted(world, read_ahead=self.AHEAD).ahead is None

    def test_who_does_not_prove_the_key_reads_nothing(self, world: World) -> None:
        self.kept(world, world.app.id)
        caller(world)
        known = admissions.look_up(world.context.cache, id_of(world.app.key), bytes(32), self.AHEAD)
        assert known is not None
        assert (known.allowance, known.ahead) == (None, None)


class TestUnknown:
    """That there is no such key is remembered too: guesses don't reach PostgreSQL."""

    @pytest.fixture(autouse=True)
    def asked_for(self, world: World, later: Callable[[float], None]) -> None:
        """Somebody came with the key before there was one."""
        with pytest.raises(CredentialsRefused):
            caller(world, UNKNOWN_KEY)
        with psycopg.connect(world.stores.owner_url) as connection:
            connection.execute(
                """INSERT INTO api_keys (id, role, livemode, secret_sha256, created_at)
                   VALUES (%s, 'admin', false, %s, now())""",
                ("0" * 16, hashlib.sha256(b"0" * 64).digest()),
            )

    @pytest.mark.parametrize("place", ["memory", "redis"])
    def test_without_the_database(self, world: World, place: str) -> None:
        if place == "redis":
            admissions.forget()
        redis_url = world.stores.redis_url if place == "redis" else DEAD_REDIS
        context = world.new_context(database_url=DEAD_DATABASE, redis_url=redis_url)
        with pytest.raises(CredentialsRefused):
            caller(world, UNKNOWN_KEY, context)
        context.cache.close()

    def test_for_a_minute(self, world: World, later: Callable[[float], None]) -> None:
        in_redis(world, "PERSIST", f"key:{'0' * 16}")
        later(60)
        with pytest.raises(CredentialsRefused):
            caller(world, UNKNOWN_KEY)
        later(60.1)
        assert caller(world, UNKNOWN_KEY).role is Role.ADMIN
