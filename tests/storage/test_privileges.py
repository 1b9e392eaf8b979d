"""What the functions' own login may do to the database, and what it may not."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from tests.world import Stores, World

TABLES = {
    "api_keys": "SELECT",
    "apps": "SELECT",
    "audit_log": "SELECT INSERT",
    "database_mode": "",
    "clients": "SELECT INSERT UPDATE",
    "idempotency_keys": "SELECT INSERT UPDATE",
    "inbox": "SELECT INSERT UPDATE",
    "outbox": "SELECT INSERT",
    "payment_edges": "SELECT",
    "payments": "SELECT INSERT UPDATE",
    "plan_prices": "SELECT",
    "plans": "SELECT",
    "subscription_periods": "SELECT INSERT",
    "subscriptions": "SELECT INSERT UPDATE",
}
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
Service = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def service(stores: Stores) -> Iterator[Service]:
    with psycopg.connect(stores.service_url, autocommit=True) as connection:
        yield connection


def found(service: Service, sql: str) -> list[object]:
    return [row[0] for row in service.execute(sql.encode()).fetchall()]


def test_this_is_every_table(world: World) -> None:
    tables = world.rows(
        """SELECT tablename FROM pg_tables
           WHERE schemaname = 'public' AND tablename <> 'schema_migrations'"""
    )
    assert {name for (name,) in tables} == set(TABLES)


@pytest.mark.parametrize("table", [*TABLES, "schema_migrations"])
def test_each_table_is_granted_what_functions_need(service: Service, table: str) -> None:
    granted = {
        right
        for right in RIGHTS
        if found(service, f"SELECT has_table_privilege('{table}', '{right}')") == [True]
    }
    assert granted == set(TABLES.get(table, "").split())
    columns = {
        right
        for right in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
        if found(service, f"SELECT has_any_column_privilege('{table}', '{right}')") == [True]
    }
    assert columns == granted & {"SELECT", "INSERT", "UPDATE"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "UPDATE outbox SET type = 'x'",
        "DELETE FROM outbox",
        "TRUNCATE outbox",
        "DELETE FROM payments",
        "TRUNCATE payments CASCADE",
        "DELETE FROM subscription_periods",
        "UPDATE subscription_periods SET ends_at = ends_at + interval '1 year'",
        "DELETE FROM idempotency_keys",
        "DELETE FROM inbox",
        "INSERT INTO apps VALUES ('app_1', 'a', 'KES', 'stripe', '{}', now())",
        "UPDATE apps SET return_origins = '{https://evil.example}'",
        "UPDATE api_keys SET revoked_at = NULL",
        "INSERT INTO api_keys VALUES ('0', 'admin', NULL, true, '', now())",
        "UPDATE plans SET trial_days = 366",
        "UPDATE plan_prices SET amount_minor = 1",
        "INSERT INTO payment_edges VALUES ('failed', 'pending')",
        "DELETE FROM payment_edges",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE payments ADD COLUMN mine int",
        "ALTER TABLE payments DISABLE TRIGGER payments_guard",
        "DROP TABLE payments",
        "DROP TRIGGER payments_guard ON payments",
        "CREATE OR REPLACE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        "SET session_replication_role = replica",
        "CREATE ROLE mine",
        "SET ROLE tollgate_owner",
        "GRANT tollgate_owner TO CURRENT_USER",
        "COPY payments TO PROGRAM 'cat'",
        "SELECT * FROM schema_migrations",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_more_is_refused(service: Service, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        service.execute(statement.encode())


def test_the_login_owns_nothing_and_is_nobody(service: Service) -> None:
    who = "(SELECT oid FROM pg_roles WHERE rolname = current_user)"
    assert found(service, f"SELECT 1 FROM pg_class WHERE relowner = {who}") == []
    assert found(service, f"SELECT 1 FROM pg_proc WHERE proowner = {who}") == []
    assert found(service, f"SELECT 1 FROM pg_namespace WHERE nspowner = {who}") == []
    assert found(service, f"SELECT 1 FROM pg_database WHERE datdba = {who}") == []
    role = service.execute(
        """SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
           FROM pg_roles WHERE rolname = current_user"""
    ).fetchone()
    assert role == (False,) * 5


def test_the_login_s_only_group_is_the_service(service: Service) -> None:
    groups = found(
        service,
        """SELECT rolname FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid
           WHERE member = (SELECT oid FROM pg_roles WHERE rolname = current_user)""",
    )
    assert groups == ["tollgate_service"]
    assert found(
        service, "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'tollgate_service'"
    ) == [False]


def test_no_statement_of_the_login_waits_for_ever(service: Service) -> None:
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert found(service, f"SELECT current_setting('{name}')") != ["0"]


def test_the_owner_is_no_superuser(world: World) -> None:
    assert world.rows("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]
