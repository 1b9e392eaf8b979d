"""What the functions' own login may do to the database, and what it may not."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, UniqueViolation

from tests.world import Stores, World
from tollgate.domain.principal import EVERY_TENANT, NO_TENANT, Tenant

TABLES = {
    "api_keys": "SELECT INSERT UPDATE",
    "apps": "SELECT INSERT UPDATE",
    "audit_links": "SELECT",
    "audit_log": "SELECT INSERT",
    "database_mode": "SELECT INSERT",
    "bills": "SELECT INSERT UPDATE",
    "clients": "SELECT INSERT UPDATE",
    "disputes": "SELECT INSERT UPDATE",
    "idempotency_keys": "SELECT INSERT UPDATE DELETE",
    "inbox": "SELECT INSERT UPDATE",
    "ledger_entries": "SELECT",
    "outbox": "SELECT INSERT",
    "payment_edges": "SELECT",
    "payments": "SELECT INSERT UPDATE",
    "plan_prices": "SELECT INSERT UPDATE DELETE",
    "plans": "SELECT INSERT UPDATE",
    "psp_references": "SELECT INSERT",
    "rate_buckets": "SELECT INSERT UPDATE",
    "refunds": "SELECT INSERT UPDATE",
    "saved_methods": "SELECT INSERT UPDATE",
    "subscription_periods": "SELECT INSERT UPDATE",
    "subscriptions": "SELECT INSERT UPDATE",
}
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
Service = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def service(stores: Stores) -> Iterator[Service]:
    with psycopg.connect(stores.service_url, autocommit=True) as connection:
        yield connection


def login(stores: Stores, tenant: Tenant) -> Service:
    """The functions' login, with a tenant's settings on the whole connection."""
    settings = {"tollgate.app_id": tenant.app_id, "tollgate.client_id": tenant.client_id}
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return psycopg.connect(stores.service_url, autocommit=True, options=options)


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
        "TRUNCATE audit_log CASCADE",
        "INSERT INTO audit_links VALUES ('', 1, 1, sha256('x'))",
        "UPDATE audit_links SET hash = sha256('x')",
        "DELETE FROM audit_links",
        "TRUNCATE audit_links",
        "SELECT link(a) FROM audit_log a",
        "SELECT nextval('audit_log_id_seq')",
        "ALTER TABLE audit_log DISABLE TRIGGER link_audit_row",
        "UPDATE outbox SET type = 'x'",
        "DELETE FROM outbox",
        "TRUNCATE outbox",
        "DELETE FROM payments",
        "TRUNCATE payments CASCADE",
        "DELETE FROM subscription_periods",
        "TRUNCATE subscription_periods",
        "TRUNCATE idempotency_keys",
        "DELETE FROM refunds",
        "TRUNCATE refunds CASCADE",
        "DELETE FROM disputes",
        "TRUNCATE disputes",
        "INSERT INTO ledger_entries (app_id) VALUES ('app_1')",
        "UPDATE ledger_entries SET amount_minor = 1",
        "DELETE FROM ledger_entries",
        "TRUNCATE ledger_entries",
        "SELECT nextval('ledger_entries_id_seq')",
        "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_only_added",
        "ALTER TABLE refunds DISABLE TRIGGER refunds_add_up",
        "DROP TRIGGER disputes_post ON disputes",
        "DELETE FROM inbox",
        "DELETE FROM apps",
        "DELETE FROM api_keys",
        "DELETE FROM plans",
        "TRUNCATE plan_prices",
        "DELETE FROM rate_buckets",
        "UPDATE database_mode SET livemode = true",
        "DELETE FROM database_mode",
        "INSERT INTO payment_edges VALUES ('failed', 'pending')",
        "DELETE FROM payment_edges",
        "CREATE TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE payments ADD COLUMN mine int",
        "ALTER TABLE payments DISABLE TRIGGER payments_guard",
        "ALTER TABLE payments DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE payments NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY of_app ON payments",
        "ALTER POLICY of_app ON payments USING (true)",
        "CREATE POLICY mine ON payments USING (true)",
        "DROP TABLE payments",
        "DROP TRIGGER payments_guard ON payments",
        "CREATE OR REPLACE FUNCTION payments_guard() RETURNS trigger LANGUAGE plpgsql"
        " AS 'BEGIN RETURN NEW; END'",
        "CREATE OR REPLACE FUNCTION is_app(text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "ALTER ROLE CURRENT_USER BYPASSRLS",
        "SET session_replication_role = replica",
        "CREATE ROLE mine",
        "SET ROLE tollgate_owner",
        "GRANT tollgate_owner TO CURRENT_USER",
        "COPY payments TO PROGRAM 'cat'",
        "SELECT * FROM schema_migrations",
        "SELECT rolpassword FROM pg_authid",
    ],
)
@pytest.mark.parametrize("tenant", [NO_TENANT, EVERY_TENANT], ids=["nobody", "operator"])
def test_more_is_refused(stores: Stores, statement: str, tenant: Tenant) -> None:
    with login(stores, tenant) as service, pytest.raises(InsufficientPrivilege):
        service.execute(statement.encode())


class TestOperatorsWrites:
    """The login may write what operators set up, but row-level security wants an operator."""

    STATEMENTS = (
        """INSERT INTO apps (id, name, default_currency, default_psp, created_at)
           VALUES ('app_1', 'a', 'KES', 'stripe', now())""",
        "UPDATE apps SET return_origins = '{https://evil.example}'",
        "UPDATE apps SET calls_per_minute = 1000000",
        """INSERT INTO api_keys (id, role, livemode, secret_sha256, created_at)
           VALUES (repeat('0', 16), 'admin', false, decode(repeat('00', 32), 'hex'), now())""",
        """INSERT INTO api_keys (id, role, app_id, livemode, secret_sha256, created_at)
           VALUES (repeat('0', 16), 'app', 'APP', false, decode(repeat('00', 32), 'hex'), now())""",
        "UPDATE api_keys SET revoked_at = now()",
        "UPDATE api_keys SET scopes = NULL",
        """INSERT INTO plans (app_id, code, product, interval_unit, interval_count, created_at)
           VALUES ('APP', 'free', 'pro', 'year', 1, now())""",
        "UPDATE plans SET trial_days = 366",
        "INSERT INTO plan_prices (app_id, plan, currency, amount_minor) "
        "VALUES ('APP', 'monthly', 'UGX', 1)",
        "UPDATE plan_prices SET amount_minor = 1",
        "DELETE FROM plan_prices",
        "INSERT INTO rate_buckets VALUES ('key:1', now())",
        "UPDATE rate_buckets SET full_at = '-infinity'",
    )

    @staticmethod
    def touched(world: World, tenant: Tenant, statement: str) -> int:
        """How many rows the statement wrote; it is undone."""
        world.rows("INSERT INTO rate_buckets VALUES ('key:0', now()) RETURNING 1")
        with login(world.stores, tenant) as service:
            try:
                with service.transaction(force_rollback=True):
                    cursor = service.execute(statement.replace("APP", world.app.id).encode())
                    return cursor.rowcount
            except InsufficientPrivilege:
                return 0

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_are_an_operators(self, world: World, statement: str) -> None:
        assert self.touched(world, EVERY_TENANT, statement) > 0

    @pytest.mark.parametrize("statement", STATEMENTS)
    @pytest.mark.parametrize("who", ["nobody", "an app", "a client", "a client of every app"])
    def test_of_anybody_else_touch_nothing(self, world: World, statement: str, who: str) -> None:
        tenant = {
            "nobody": NO_TENANT,
            "an app": Tenant(world.app.id),
            "a client": Tenant(world.app.id, "client-1"),
            "a client of every app": Tenant("*", "client-1"),
        }[who]
        assert self.touched(world, tenant, statement) == 0

    def test_the_mode_of_a_database_is_set_once(self, world: World) -> None:
        for tenant in (NO_TENANT, Tenant(world.app.id), EVERY_TENANT):
            with login(world.stores, tenant) as service, pytest.raises(UniqueViolation):
                service.execute("INSERT INTO database_mode (livemode) VALUES (true)")


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
