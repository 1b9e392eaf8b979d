"""Who calls: a key is believed only if its secret, mode and dates are right."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.world import START, Stores, World
from tollgate.domain.errors import CredentialsMissing, CredentialsRefused
from tollgate.domain.principal import Principal, Role
from tollgate.http.auth import authenticate
from tollgate.operations import admin
from tollgate.operations.context import Context
from tollgate.settings import Settings
from tollgate.storage.database import Database

DEAD_REDIS = "redis://127.0.0.1:1/0"
DEAD_DATABASE = "postgresql://nobody@127.0.0.1:1/nowhere"
UNKNOWN_KEY = f"tg_test_{'0' * 16}_{'0' * 64}"


@pytest.fixture
def operator(world: World) -> Iterator[admin.Operator]:
    database = Database(world.stores.owner_url)
    yield admin.Operator(database, livemode=False, now=world.now, actor="operator:test")
    database.close()


def caller(world: World, key: str | None = None, context: Context | None = None) -> Principal:
    return authenticate(context or world.context, f"Bearer {key or world.app.key}")


def id_of(key: str) -> str:
    return key.split("_")[2]


class TestProof:
    def test_the_right_key_names_its_app(self, world: World) -> None:
        key_id = id_of(world.app.key)
        assert caller(world) == Principal(Role.APP, world.app.id, key_id)
        assert caller(world, world.other_app.key).app_id == world.other_app.id

    def test_an_operators_key_names_no_app(self, world: World) -> None:
        key = world.seed.admin_key
        assert caller(world, key) == Principal(Role.ADMIN, "", id_of(key))

    def test_a_key_of_live_mode_where_money_moves(self, stores: Stores) -> None:
        database = Database(stores.owner_url)
        operator = admin.Operator(database, livemode=True, now=START, actor="operator:test")
        app = admin.create_app(
            operator, "a", default_currency="KES", default_psp="stripe", return_origins=[]
        )
        key = admin.create_key(operator, Role.APP, app.id)
        database.close()
        assert key.startswith("tg_live_")
        settings = Settings(
            livemode=True,
            database_url=stores.service_url,
            redis_url=DEAD_REDIS,
            cache_secret=b"test",
            public_url="https://functions.example",
        )
        context = Context.open(settings, now=lambda: START)
        assert authenticate(context, f"Bearer {key}").app_id == app.id
        with pytest.raises(CredentialsRefused):
            authenticate(context, f"Bearer {key.replace('tg_live_', 'tg_test_')}")
        context.database.close()

    def test_a_key_of_test_mode_moves_no_money(self, world: World) -> None:
        context = world.new_context(livemode=True)
        for key in (world.app.key, world.app.key.replace("tg_test_", "tg_live_")):
            with pytest.raises(CredentialsRefused):
                caller(world, key, context)
        context.database.close()
        context.cache.close()

    @pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer   "])
    def test_the_scheme_is_read_in_any_case(self, world: World, scheme: str) -> None:
        assert authenticate(world.context, scheme + world.app.key).app_id == world.app.id

    @pytest.mark.parametrize("authorization", [None, ""])
    def test_none_sent(self, world: World, authorization: str | None) -> None:
        with pytest.raises(CredentialsMissing):
            authenticate(world.context, authorization)

    @pytest.mark.parametrize(
        "authorization",
        [
            "{key}",
            "Basic {key}",
            "Bearer",
            "Bearer ",
            "Bearer {key}x",
            "Bearer {key} {key}",
            "Bearer {key},",
            'Bearer "{key}"',
            "Bearer \u0660{key}",
            "Bearer " + "x" * 100_000,
            "Bearer tg_test__",
            "Bearer \ud800",
        ],
    )
    def test_what_is_no_key_asks_nobody(self, world: World, authorization: str) -> None:
        context = world.new_context(database_url=DEAD_DATABASE, redis_url=DEAD_REDIS)
        with pytest.raises(CredentialsRefused):
            authenticate(context, authorization.replace("{key}", world.app.key))


class TestRefusals:
    @staticmethod
    def expired(world: World, operator: admin.Operator) -> str:
        return admin.create_key(operator, Role.APP, world.app.id, expires_at=world.now)

    @staticmethod
    def revoked(world: World, operator: admin.Operator) -> str:
        key = admin.create_key(operator, Role.APP, world.app.id)
        assert admin.revoke_key(operator, id_of(key))
        return key

    @staticmethod
    def wrong_secret(world: World, operator: admin.Operator) -> str:
        return world.app.key[:-1] + ("0" if world.app.key[-1] != "0" else "1")

    @staticmethod
    def secret_of_another(world: World, operator: admin.Operator) -> str:
        return world.app.key[:25] + world.other_app.key[25:]

    @staticmethod
    def unknown_id(world: World, operator: admin.Operator) -> str:
        return UNKNOWN_KEY

    @staticmethod
    def other_mode_by_its_word(world: World, operator: admin.Operator) -> str:
        return world.app.key.replace("tg_test_", "tg_live_")

    @staticmethod
    def in_upper_case(world: World, operator: admin.Operator) -> str:
        return world.app.key[:25] + world.app.key[25:].upper()

    @pytest.mark.parametrize(
        "kind",
        [
            expired,
            revoked,
            wrong_secret,
            secret_of_another,
            unknown_id,
            other_mode_by_its_word,
            in_upper_case,
        ],
    )
    @pytest.mark.parametrize("redis_url", [None, DEAD_REDIS], ids=["redis", "no redis"])
    def test_all_are_alike(
        self,
        world: World,
        operator: admin.Operator,
        kind: Callable[[World, admin.Operator], str],
        redis_url: str | None,
    ) -> None:
        context = world.new_context(redis_url=redis_url) if redis_url else world.context
        key, headers = kind(world, operator), {"x-request-id": "r-1"}
        for _ in range(3):  # from the database, then from memory
            refused = world.call(
                "subscriptions/check",
                method="GET",
                path="/c",
                key=key,
                headers=headers,
                context=context,
            )
            expected = world.call(
                "subscriptions/check", method="GET", path="/c", key="garbage", headers=headers
            )
            assert refused == expected
            assert (refused.status, refused.json["code"]) == (401, "credentials_refused")
        context.database.close()

    def test_a_key_expires_at_its_instant(self, world: World, operator: admin.Operator) -> None:
        end = world.now + timedelta(seconds=10)
        key = admin.create_key(operator, Role.APP, world.app.id, expires_at=end)
        world.pass_time(seconds=9)
        caller(world, key)
        world.pass_time(seconds=1)
        with pytest.raises(CredentialsRefused):
            caller(world, key)  # though memory holds it
