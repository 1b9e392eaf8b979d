"""Who is let in: a key, or its token, is believed only if secret, mode and dates are right."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from local.seed import operators_context
from tests.callers import (
    DEAD_REDIS,
    UNKNOWN_KEY,
    caller,
    id_of,
    new_key,
    revoke,
    token_of,
)
from tests.world import START, Stores, World
from tollgate.domain.errors import CredentialsRefused
from tollgate.domain.keyring import Keyring
from tollgate.domain.permissions import PERMISSIONS, Permission, Scope, may_call, scopes_of
from tollgate.domain.principal import EVERY_TENANT, Principal, Role
from tollgate.http.auth import read_proof
from tollgate.operations import api_keys, apps
from tollgate.operations.admission import admit
from tollgate.operations.context import Call, Context
from tollgate.schemas.api_keys import CreateKey
from tollgate.schemas.apps import CreateApp
from tollgate.settings import Settings
from tollgate.storage import admissions
from tollgate.storage import api_keys as api_keys_stored

EVERY_SCOPE_OF_APPS = scopes_of(Role.APP)


class TestProof:
    def test_the_right_key_names_its_app(self, world: World) -> None:
        known = Principal(Role.APP, world.app.id, id_of(world.app.key), scopes=EVERY_SCOPE_OF_APPS)
        assert caller(world) == known
        assert caller(world, world.other_app.key).app_id == world.other_app.id

    def test_an_operators_key_names_no_app(self, world: World) -> None:
        key = world.seed.admin_key
        known = Principal(Role.ADMIN, "", id_of(key), scopes=scopes_of(Role.ADMIN))
        assert caller(world, key) == known

    def test_a_key_of_live_mode_where_money_moves(self, stores: Stores) -> None:
        operator = operators_context(stores.owner_url, START, livemode=True)
        body = CreateApp(name="a", default_currency="KES")
        app = apps.create_app(operator, Call.by_operator("test", body=body))
        key_body = CreateKey(app_id=app.id)
        key = api_keys.create_key(operator, Call.by_operator("test", body=key_body)).text
        operator.database.close()
        assert key.startswith("tg_live_")
        settings = Settings(
            livemode=True,
            database_url=stores.service_url,
            redis_url=DEAD_REDIS,
            cache_secret=b"test",
            public_url="https://functions.example",
            access_token_keys=Keyring({}),
        )
        context = Context.open(settings, now=lambda: START)
        assert admit(context, read_proof(context, f"Bearer {key}")).principal.app_id == app.id
        with pytest.raises(CredentialsRefused):
            admit(context, read_proof(context, f"Bearer {key.replace('_live_', '_test_')}"))
        context.database.close()

    def test_a_key_of_test_mode_moves_no_money(self, world: World) -> None:
        context = world.new_context(livemode=True)
        for key in (world.app.key, world.app.key.replace("tg_test_", "tg_live_")):
            with pytest.raises(CredentialsRefused):
                caller(world, key, context)
        context.database.close()
        context.cache.close()

    def test_nor_does_a_token_of_one(self, world: World) -> None:
        context = world.new_context(livemode=True)
        with pytest.raises(CredentialsRefused):
            caller(world, token_of(world, world.app.key), context)
        context.database.close()
        context.cache.close()


class TestToken:
    def test_of_an_app(self, world: World) -> None:
        token = token_of(world, world.app.key, Role.APP, world.app.id)
        assert caller(world, token) == replace(caller(world, world.app.key), by_token=True)

    def test_of_a_client_is_of_its_app(self, world: World) -> None:
        token = token_of(world, world.app.key, Role.CLIENT, "client-1")
        assert caller(world, token) == Principal(
            Role.CLIENT,
            world.app.id,
            id_of(world.app.key),
            "client-1",
            scopes_of(Role.CLIENT),
            by_token=True,
        )

    def test_whose_app_is_its_keys_whatever_its_subject_says(self, world: World) -> None:
        token = token_of(world, world.app.key, Role.APP, world.other_app.id)
        assert caller(world, token).app_id == world.app.id

    @pytest.mark.parametrize(
        ("of_key", "scopes"),
        [
            (None, EVERY_SCOPE_OF_APPS),
            ([Scope.PAYMENTS_READ], {Scope.PAYMENTS_READ}),
        ],
    )
    def test_may_no_more_than_its_key(
        self, world: World, of_key: list[Scope] | None, scopes: set[Scope]
    ) -> None:
        key = new_key(world, scopes=of_key)
        for credentials in (key, token_of(world, key)):
            assert caller(world, credentials).scopes == scopes


class TestRefusals:
    @staticmethod
    def expired(world: World) -> str:
        key = new_key(world, expires_at=world.now + timedelta(seconds=10))
        world.pass_time(seconds=10)
        return key

    @staticmethod
    def revoked(world: World) -> str:
        key = new_key(world)
        revoke(world, key)
        return key

    @staticmethod
    def of_a_deleted_app(world: World) -> str:
        context = operators_context(world.stores.owner_url, world.now)
        apps.delete_app(context, Call.by_operator("test", target=world.other_app.id))
        context.database.close()
        return world.other_app.key

    @staticmethod
    def wrong_secret(world: World) -> str:
        return world.app.key[:-1] + ("0" if world.app.key[-1] != "0" else "1")

    @staticmethod
    def secret_of_another(world: World) -> str:
        return world.app.key[:25] + world.other_app.key[25:]

    @staticmethod
    def unknown_id(world: World) -> str:
        return UNKNOWN_KEY

    @staticmethod
    def unknown_id_with_the_secret_of_nobody(world: World) -> str:
        """Its hash is not the zeros that stand for a key that is not there."""
        return f"tg_test_{'0' * 16}_{world.app.key[25:]}"

    @staticmethod
    def other_mode_by_its_word(world: World) -> str:
        return world.app.key.replace("tg_test_", "tg_live_")

    @staticmethod
    def in_upper_case(world: World) -> str:
        return world.app.key[:25] + world.app.key[25:].upper()

    @staticmethod
    def token_of_a_revoked_key(world: World) -> str:
        return token_of(world, TestRefusals.revoked(world))

    @staticmethod
    def token_of_an_expired_key(world: World) -> str:
        key = TestRefusals.expired(world)
        return token_of(world, key)

    @staticmethod
    def token_of_an_unknown_key(world: World) -> str:
        return token_of(world, UNKNOWN_KEY)

    @staticmethod
    def token_of_a_higher_role_than_its_key(world: World) -> str:
        return token_of(world, world.app.key, Role.ADMIN, "admin")

    @staticmethod
    def token_of_an_operators_client(world: World) -> str:
        return token_of(world, world.seed.admin_key, Role.CLIENT, "c")

    @pytest.mark.parametrize(
        "kind",
        [
            expired,
            revoked,
            of_a_deleted_app,
            wrong_secret,
            secret_of_another,
            unknown_id,
            unknown_id_with_the_secret_of_nobody,
            other_mode_by_its_word,
            in_upper_case,
            token_of_a_revoked_key,
            token_of_an_expired_key,
            token_of_an_unknown_key,
            token_of_a_higher_role_than_its_key,
            token_of_an_operators_client,
        ],
    )
    @pytest.mark.parametrize("redis_url", [None, DEAD_REDIS], ids=["redis", "no redis"])
    def test_all_are_alike(
        self, world: World, kind: Callable[[World], str], redis_url: str | None
    ) -> None:
        context = world.new_context(redis_url=redis_url) if redis_url else world.context
        call: dict[str, Any] = {
            "method": "GET",
            "path": "/c",
            "headers": {"x-request-id": "r-1"},
            "context": context,
        }
        credentials = kind(world)
        for _ in range(3):  # from the database, then from memory
            refused = world.call("subscriptions/check", key=credentials, **call)
            assert refused == world.call("subscriptions/check", key="garbage", **call)
            assert (refused.status, refused.json["code"]) == (401, "credentials_refused")
        context.database.close()

    def test_a_key_expires_at_its_instant(self, world: World) -> None:
        key = new_key(world, expires_at=world.now + timedelta(seconds=10))
        world.pass_time(seconds=9)
        caller(world, key)
        token = token_of(world, key)
        world.pass_time(seconds=1)
        for credentials in (key, token):
            with pytest.raises(CredentialsRefused):
                caller(world, credentials)  # though memory holds it


class TestPermission:
    """A caller who is known still needs the role and the scope."""

    READ = Permission(frozenset({Role.APP}), Scope.PAYMENTS_READ)

    def test_of_the_role_and_the_scope(self, world: World) -> None:
        assert may_call(caller(world), self.READ)
        for permission in (
            replace(self.READ, roles=frozenset({Role.ADMIN, Role.CLIENT})),
            replace(self.READ, scope=Scope.ADMIN_READ),
            replace(self.READ, scope=None),
            Permission(),
        ):
            assert not may_call(caller(world), permission)

    @pytest.mark.parametrize("operation", ["create_payment", "create_subscription", "check_access"])
    def test_a_key_that_was_narrowed(self, world: World, operation: str) -> None:
        key = new_key(world, scopes=[Scope.PAYMENTS_READ])
        assert may_call(caller(world, key), PERMISSIONS["get_payment"])
        assert not may_call(caller(world, key), PERMISSIONS[operation])

    def test_a_stranger_does_not_learn_what_is_permitted(self, world: World) -> None:
        answer = world.call("admin/apps", method="GET", key=UNKNOWN_KEY)
        assert (answer.status, answer.json["code"]) == (401, "credentials_refused")
        answer = world.call("admin/apps", method="GET")
        assert (answer.status, answer.json["code"]) == (403, "forbidden")


class TestLastUse:
    """Noted when a key is read from PostgreSQL, so once a minute at most."""

    @staticmethod
    def noted(world: World, key: str) -> object:
        sql = "SELECT last_used_at FROM api_keys WHERE id = %s"
        return world.rows(sql, id_of(key))[0][0]

    def test_is_noted(self, world: World) -> None:
        assert self.noted(world, world.app.key) is None
        caller(world)
        assert self.noted(world, world.app.key) == START

    def test_by_a_token_too(self, world: World) -> None:
        caller(world, token_of(world, world.app.key))
        assert self.noted(world, world.app.key) == START

    @pytest.mark.parametrize("kind", [TestRefusals.expired, TestRefusals.revoked])
    def test_not_when_the_key_is_refused(self, world: World, kind: Callable[[World], str]) -> None:
        key = kind(world)
        with pytest.raises(CredentialsRefused):
            caller(world, key)
        assert self.noted(world, key) is None

    def test_not_by_who_only_knows_the_id(self, world: World) -> None:
        with pytest.raises(CredentialsRefused):
            caller(world, TestRefusals.wrong_secret(world))
        assert self.noted(world, world.app.key) is None

    def test_not_twice_in_a_minute(self, world: World) -> None:
        context = world.new_context(redis_url=DEAD_REDIS)
        for seconds, noted in ((0, 0), (59, 0), (1, 60)):
            world.pass_time(seconds=seconds)
            admissions.forget()
            caller(world, context=context)
            assert self.noted(world, world.app.key) == START + timedelta(seconds=noted)
        context.database.close()

    def test_nobody_waits_for_it(self, world: World) -> None:
        """Somebody else holds the key's row."""

        with psycopg.connect(world.stores.owner_url) as other:
            other.execute("SELECT 1 FROM api_keys FOR UPDATE")
            caller(world)
            api_keys_stored.touch_key(  # an error if it had waited for the lock
                world.context.within(EVERY_TENANT).database, id_of(world.app.key), world.now
            )
        assert self.noted(world, world.app.key) is None
