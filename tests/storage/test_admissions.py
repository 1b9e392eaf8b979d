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

from tests.http.test_auth import DEAD_DATABASE, DEAD_REDIS, UNKNOWN_KEY, caller, id_of
from tests.world import World
from tollgate.domain.errors import CredentialsRefused
from tollgate.domain.principal import Role
from tollgate.http.auth import authenticate
from tollgate.operations import admin
from tollgate.storage import api_key_cache
from tollgate.storage.database import Database


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock that the caches go by."""
    started = time.time()

    def move(seconds: float) -> None:
        monkeypatch.setattr("time.time", lambda: started + seconds)

    move(0)
    return move


def revoke(world: World, key: str) -> None:
    world.rows(
        "UPDATE api_keys SET revoked_at = %s WHERE id = %s RETURNING 1", world.now, id_of(key)
    )


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
        api_key_cache.forget()
        context = world.new_context(database_url=DEAD_DATABASE)
        assert caller(world, key, context) == known
        context.cache.close()

    def test_dates_survive_redis(self, world: World) -> None:
        database = Database(world.stores.owner_url)
        operator = admin.Operator(database, livemode=False, now=world.now, actor="operator:test")
        end = world.now + timedelta(seconds=10)
        key = admin.create_key(operator, Role.APP, world.app.id, expires_at=end)
        database.close()
        caller(world, key)
        api_key_cache.forget()
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
        known = api_key_cache.get_key(world.context.cache, id_of(world.app.key))
        assert known is not None
        cache = world.new_context(redis_url=DEAD_REDIS).cache
        for number in range(250):
            api_key_cache.put_key(cache, replace(known, id=f"{number:016}"), time.time())
        assert len(api_key_cache._memory) <= api_key_cache._MAX_KEYS


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
        api_key_cache.forget()
        caller(world)  # another container, from Redis
        later(60.1)
        with pytest.raises(CredentialsRefused):
            caller(world)  # whose memory does not begin a minute of its own
        api_key_cache.forget()
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

    def record(self, world: World) -> bytes:
        key = {
            "id": "0" * 16,
            "role": "admin",
            "app_id": "",
            "livemode": False,
            "secret_sha256": hashlib.sha256(self.SECRET.encode()).hexdigest(),
            "expires_at": None,
            "revoked_at": None,
        }
        now = time.time()
        return json.dumps({"at": now, "value": {"read_at": now, "key": key}}).encode()

    @pytest.mark.parametrize("secret", [None, b"", b"guess", b"test"])
    def test_a_record_with_a_foreign_seal(self, world: World, secret: bytes | None) -> None:
        name, body = f"key:{'0' * 16}", self.record(world)
        seal = b""
        if secret is not None:
            seal = hmac.digest(secret, name.encode() + b"\0" + body, hashlib.sha256)
        in_redis(world, "HSET", name, "value", seal + body)
        token = f"Bearer tg_test_{'0' * 16}_{self.SECRET}"
        if secret == world.settings.cache_secret:  # that the forgery would do, were it sealed
            assert authenticate(world.context, token).role is Role.ADMIN
            return
        with pytest.raises(CredentialsRefused):
            authenticate(world.context, token)

    def test_a_record_under_another_name(self, world: World) -> None:
        caller(world)
        held = in_redis(world, "HGET", f"key:{id_of(world.app.key)}", "value")
        assert isinstance(held, bytes)
        other_id = id_of(world.other_app.key)
        in_redis(world, "HSET", f"key:{other_id}", "value", held)
        with pytest.raises(CredentialsRefused):
            caller(world, f"tg_test_{other_id}_{world.app.key.split('_')[3]}")
        assert caller(world, world.other_app.key).app_id == world.other_app.id

    def test_a_forgery_does_not_hide_the_true_key(self, world: World) -> None:
        in_redis(world, "HSET", f"key:{id_of(world.app.key)}", "value", b"garbage")
        assert caller(world).app_id == world.app.id


def test_an_unknown_key_is_not_kept(world: World) -> None:
    with pytest.raises(CredentialsRefused):
        caller(world, UNKNOWN_KEY)
    with psycopg.connect(world.stores.owner_url) as connection:
        connection.execute(
            """INSERT INTO api_keys (id, role, livemode, secret_sha256, created_at)
               VALUES (%s, 'admin', false, %s, now())""",
            ("0" * 16, hashlib.sha256(b"0" * 64).digest()),
        )
    assert caller(world, UNKNOWN_KEY).role is Role.ADMIN
