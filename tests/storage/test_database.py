"""The one connection of a container: replaced when it died, silent about what it carries."""

import contextlib
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from local.postgres import PostgresServer
from tests.storage.conftest import Superuser
from tests.world import Stores, World
from tollgate.domain.errors import (
    ConcurrentChange,
    ConstraintViolated,
    DatabaseUnavailable,
)
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT, NO_TENANT, Tenant
from tollgate.storage.database import Database

_RAISES = """
CREATE FUNCTION pg_temp.fail(code text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN RAISE 's3cret row' USING ERRCODE = code, DETAIL = 's3cret detail'; END $$
"""


def backend(database: Database) -> int:
    row = database.one("SELECT pg_backend_pid() AS pid", {})
    assert row is not None
    pid: int = row["pid"]
    return pid


def end(superuser: Superuser, pid: int) -> None:
    """Ends a server process and waits until it is gone."""
    superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


def number_of_apps(owner: Database) -> int:
    row = owner.one("SELECT count(*) AS number FROM apps", {})
    assert row is not None
    number: int = row["number"]
    return number


def insert_app(owner: Database, app_id: str) -> None:
    owner.one(
        """INSERT INTO apps (id, name, default_currency, default_psp, created_at)
           VALUES (%(id)s, 'a', 'KES', 'stripe', now())""",
        {"id": app_id},
    )


def place(stores: Stores, zone: str) -> None:
    """Gives the database a time zone, for connections made from now on."""
    name = psycopg.conninfo.conninfo_to_dict(stores.owner_url)["dbname"]
    with psycopg.connect(stores.owner_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} SET timezone = '{zone}'".encode())


class TestConnection:
    def test_is_opened_when_first_needed_and_kept(self, stores: Stores) -> None:
        Database("postgresql://nobody@127.0.0.1:1/nowhere").close()
        database = Database(stores.service_url)
        assert backend(database) == backend(database)
        database.close()
        database.close()

    def test_after_close_there_is_a_new_one(self, database: Database) -> None:
        first = backend(database)
        database.close()
        assert backend(database) != first

    def test_that_was_ended_between_two_calls_is_replaced(
        self, database: Database, superuser: Superuser
    ) -> None:
        first = backend(database)
        end(superuser, first)
        assert backend(database) != first

    def test_that_was_ended_is_replaced_for_a_transaction_too(
        self, as_owner: Database, superuser: Superuser
    ) -> None:
        end(superuser, backend(as_owner))
        with as_owner.transaction():
            insert_app(as_owner, "app_1")
        assert number_of_apps(as_owner) == 1

    def test_that_fell_silent_is_asked_before_it_is_used(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = backend(database)
        connection = database._link._connection
        assert connection is not None
        asked: list[str] = []

        def lost(sql: str) -> None:
            asked.append(sql)
            raise psycopg.OperationalError("the network ate it")

        monkeypatch.setattr(connection, "execute", lost)
        assert backend(database) == first
        assert asked == []
        idle_since = time.monotonic()
        monkeypatch.setattr("time.monotonic", lambda: idle_since + 31)
        assert backend(database) != first
        assert asked == ["SELECT 1"]
        connection.close()

    def test_survives_a_restart_of_the_server(self, folder: Path) -> None:
        server = PostgresServer(folder / "postgres", durable=False)
        server.start()
        database = Database(server.url("postgres"))
        try:
            assert database.is_up()
            server.stop()
            assert not database.is_up()
            with pytest.raises(DatabaseUnavailable):
                backend(database)
            server.start()
            assert database.is_up()
            server.stop()
            server.start()
            backend(database)
        finally:
            database.close()
            server.stop()

    def test_nothing_is_set_on_the_session(self, world: World) -> None:
        body = {"client_id": "client-1", "plan": "monthly"}
        payment = world.call("payments/create", body=body, headers={"idempotency-key": "k-1"})
        assert payment.status == 201
        world.call("subscriptions/create", body=body)
        world.call("subscriptions/check", method="GET", path="/client-1")
        database = world.context.database
        assert database.all("SELECT name FROM pg_settings WHERE source = 'session'", {}) == []
        assert database.all("SELECT name FROM pg_prepared_statements", {}) == []
        assert database.all("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'", {}) == []
        assert database.all("SELECT 1 FROM pg_class WHERE relpersistence = 't'", {}) == []

    def test_a_tenant_does_not_stay_on_the_session(self, database: Database) -> None:
        tenant = database.within(Tenant("app_1", "client-1"))
        setting = "SELECT current_setting(%(name)s, true) AS set"
        for name in ("tollgate.app_id", "tollgate.client_id"):
            assert tenant.one(setting, {"name": name}) != {"set": ""}
            connection = database._link._connection
            assert connection is not None
            row = connection.execute(setting, {"name": name}).fetchone()
            assert row == {"set": ""}

    def test_a_statement_run_often_is_not_prepared(self, database: Database) -> None:
        for number in range(20):
            database.one("SELECT %(number)s::int AS number", {"number": number})
        assert database.all("SELECT name FROM pg_prepared_statements", {}) == []


class TestTransaction:
    def test_is_committed_as_a_whole(self, as_owner: Database) -> None:
        with as_owner.transaction():
            insert_app(as_owner, "app_1")
            insert_app(as_owner, "app_2")
        assert number_of_apps(as_owner) == 2

    def test_is_rolled_back_as_a_whole(self, as_owner: Database) -> None:
        with pytest.raises(ZeroDivisionError), as_owner.transaction():
            insert_app(as_owner, "app_1")
            insert_app(as_owner, "app_2")
            raise ZeroDivisionError
        assert number_of_apps(as_owner) == 0

    def test_a_refused_statement_takes_the_others_with_it(self, as_owner: Database) -> None:
        with pytest.raises(ConstraintViolated) as refused, as_owner.transaction():
            insert_app(as_owner, "app_1")
            insert_app(as_owner, "app_1")
        assert refused.value.constraint == "apps_pkey"
        assert "Key (id)" not in "".join(traceback.format_exception(refused.value))
        assert number_of_apps(as_owner) == 0
        insert_app(as_owner, "app_2")

    def test_is_of_every_tenant_who_shares_the_connection(self, as_owner: Database) -> None:
        """A view of the same connection is within the transaction, and its rows are its own."""
        nobody = as_owner.within(NO_TENANT)
        with pytest.raises(ZeroDivisionError), as_owner.transaction():
            insert_app(as_owner, "app_1")
            insert_app(as_owner, "app_2")
            assert number_of_apps(as_owner.within(Tenant("app_1"))) == 1
            assert number_of_apps(nobody) == 0
            assert number_of_apps(as_owner) == 2
            raise ZeroDivisionError
        assert number_of_apps(as_owner) == 0

    def test_is_unseen_before_it_is_committed(self, as_owner: Database, stores: Stores) -> None:
        other = Database(stores.owner_url).within(EVERY_TENANT)
        with contextlib.closing(other), as_owner.transaction():
            insert_app(as_owner, "app_1")
            assert number_of_apps(other) == 0

    @pytest.mark.parametrize("code", ["40P01", "40001"], ids=["deadlock", "serialization"])
    def test_that_collided_with_another_is_a_conflict(self, as_owner: Database, code: str) -> None:
        with pytest.raises(ConcurrentChange) as refused, as_owner.transaction():
            insert_app(as_owner, "app_1")
            as_owner.one(_RAISES, {})
            as_owner.one("SELECT pg_temp.fail(%(code)s)", {"code": code})
        assert "s3cret" not in "".join(traceback.format_exception(refused.value))
        assert number_of_apps(as_owner) == 0


class TestInstants:
    @pytest.mark.parametrize("zone", ["Africa/Nairobi", "America/St_Johns", "UTC"])
    def test_come_back_in_utc_whatever_the_servers_zone(
        self, stores: Stores, as_owner: Database, zone: str
    ) -> None:
        place(stores, zone)
        sql = "SELECT current_setting('timezone') AS zone, %(at)s::timestamptz AS at, NULL AS none"
        at = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
        row = as_owner.one(sql, {"at": at})
        assert row == {"zone": zone, "at": at, "none": None}
        for seen in (row, *as_owner.all(sql, {"at": at})):
            assert seen["at"].tzinfo is UTC
            assert seen["at"].isoformat() == "2026-01-31T22:30:00+00:00"

    def test_months_are_counted_in_utc(self, stores: Stores, world: World) -> None:
        """The end of January in UTC is February already in Nairobi."""
        place(stores, "Africa/Nairobi")
        world.context.database.close()
        world.now = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)
        body = {"client_id": "client-1", "plan": "monthly"}
        payment = world.call("payments/create", body=body, headers={"idempotency-key": "k-1"}).json
        world.psp.status = PaymentStatus.SUCCEEDED
        world.call("payments/get", method="GET", path=f"/{payment['id']}")
        check = world.call("subscriptions/check", method="GET", path="/client-1").json
        assert check["paid_through"] == "2026-02-28T22:30:00Z"


def test_a_statement_without_rows(database: Database) -> None:
    assert database.one("SELECT 1 AS one WHERE false", {}) is None
    assert database.all("SELECT 1 AS one WHERE false", {}) == []
    assert database.one("SET LOCAL work_mem = '64kB'", {}) is None


def test_the_rest_of_a_transaction_is_not_for_a_new_connection(world: World) -> None:
    database = world.context.database
    with pytest.raises(DatabaseUnavailable), database.transaction():
        database.one("SELECT 1 AS one", {})
        database.close()
        database.one("SELECT 2 AS two", {})
    assert database.is_up()
