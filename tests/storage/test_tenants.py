"""The wall between apps stands in the database: a forgotten WHERE clause opens nothing."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.world import World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import Misconfigured, NotFound
from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT, NO_TENANT, Tenant
from tollgate.storage import payments, subscriptions
from tollgate.storage.database import Database

OF_AN_APP = {
    "apps": "id",
    "plans": "app_id",
    "plan_prices": "app_id",
    "payments": "app_id",
    "refunds": "app_id",
    "disputes": "app_id",
    "saved_methods": "app_id",
    "psp_references": "app_id",
    "ledger_entries": "app_id",
    "idempotency_keys": "app_id",
    "clients": "app_id",
    "subscriptions": "app_id",
    "subscription_periods": "app_id",
    "bills": "app_id",
    "inbox": "app_id",
    "outbox": "app_id",
    "audit_log": "app_id",
    "audit_links": "chain",
}
OF_OPERATORS = ("api_keys", "rate_buckets")
OF_NOBODY = ("database_mode", "payment_edges", "schema_migrations")
OF_A_CLIENT = ("payments", "clients", "subscriptions", "bills")
OF_A_PAYMENT = ("refunds", "disputes")


@pytest.fixture
def both(world: World) -> World:
    """Both apps have everything: a client who paid, and one who has not."""
    world.psp.alter = lambda said: replace(
        said, saved_method=SavedMethod("cus_1", "pm_1"), references=(f"of {said.psp_reference}",)
    )
    for app in world.seed.apps:
        for client_id in ("client-1", "client-2"):
            request = {"client_id": client_id, "plan": "monthly", "save_method": True}
            key = {"idempotency-key": client_id}
            payment = world.call("payments/create", body=request, key=app.key, headers=key).json
            world.psp.status = PaymentStatus.SUCCEEDED
            receive(world, payment, "paid")
            _give_some_back(world, app.key, payment)
            asked = world.call("subscriptions/create", body=_plan_of(client_id), key=app.key)
            assert asked.json["pay_url"]
    world.rows("INSERT INTO rate_buckets VALUES ('key:x', now()) RETURNING name")
    return world


def _plan_of(client_id: str) -> dict[str, str]:
    return {"client_id": client_id, "plan": "monthly"}


def _give_some_back(world: World, key: str, payment: dict[str, Any]) -> None:
    """A part of a payment, and then the client's bank takes all of it."""
    headers = {"idempotency-key": f"back {payment['id']}"}
    given = world.call(
        "payments/refund", path=f"/{payment['id']}", body={"amount": 1}, key=key, headers=headers
    )
    assert given.status == 201
    money = Money(payment["amount"], payment["currency"])
    world.psp.dispute(payment["id"], money, DisputeStatus.OPEN)
    receive(world, payment, "disputed")


def receive(world: World, payment: dict[str, Any], kind: str) -> None:
    """The PSP tells that something happened to the payment."""
    event = {
        "event_id": f"evt_{kind}_{payment['id']}",
        "type": kind,
        "livemode": False,
        "payment_id": payment["id"],
        "psp_reference": payment["psp_reference"],
    }
    told = world.call(
        "webhook/receive", path="/stripe", body=event, headers={"signature": "signed"}
    )
    assert told.status == 200


def of(world: World, tenant: Tenant) -> Database:
    return world.context.database.within(tenant)


def select(database: Database, table: str) -> list[dict[str, Any]]:
    return database.all("SELECT * FROM " + table, {})


class TestEveryTable:
    def test_is_walled_in_for_its_owner_too(self, world: World) -> None:
        walled = {
            name
            for name, enabled, forced in world.rows(
                """SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"""
            )
            if (enabled and forced) or name in OF_NOBODY
        }
        every = {
            name
            for (name,) in world.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        }
        assert walled == every == {*OF_AN_APP, *OF_OPERATORS, *OF_NOBODY}

    def test_of_an_app_refers_to_rows_of_the_same_app_only(self, world: World) -> None:
        """A reference to a table with app_id holds app_id, unless it is to the app itself.

        Nor does a link of the audit log: a trigger makes it of its row, and of the row's app.
        """
        loose = world.rows(
            """SELECT conrelid::regclass::text, conname FROM pg_constraint c
               WHERE contype = 'f' AND confrelid <> ALL ('{apps, database_mode}'::regclass[])
                 AND conrelid <> 'audit_links'::regclass
                 AND NOT EXISTS (SELECT FROM pg_attribute a
                                 WHERE a.attrelid = c.conrelid AND a.attname = 'app_id'
                                   AND a.attnum = ANY (c.conkey))"""
        )
        assert loose == []

    @pytest.mark.parametrize("table", OF_AN_APP)
    def test_shows_an_app_its_own_rows(self, both: World, table: str) -> None:
        for app in both.seed.apps:
            rows = select(of(both, Tenant(app.id)), table)
            assert {row[OF_AN_APP[table]] for row in rows} == {app.id}

    @pytest.mark.parametrize("table", [*OF_AN_APP, *OF_OPERATORS])
    def test_shows_nothing_to_nobody(self, both: World, table: str) -> None:
        assert select(of(both, EVERY_TENANT), table)
        assert select(of(both, NO_TENANT), table) == []
        assert select(of(both, Tenant("app_0")), table) == []
        owner = Database(both.stores.owner_url)
        assert select(owner, table) == []
        assert select(owner.within(EVERY_TENANT), table)
        owner.close()

    @pytest.mark.parametrize("table", OF_OPERATORS)
    def test_of_operators_shows_nothing_to_an_app(self, both: World, table: str) -> None:
        assert select(of(both, Tenant(both.app.id)), table) == []

    @pytest.mark.parametrize("table", OF_AN_APP)
    def test_shows_a_client_what_is_its_own(self, both: World, table: str) -> None:
        rows = select(of(both, Tenant(both.app.id, "client-1")), table)
        if table in OF_A_CLIENT:
            assert {(row["app_id"], row["client_id"]) for row in rows} == {
                (both.app.id, "client-1")
            }
        elif table in OF_A_PAYMENT:
            own = both.rows(
                "SELECT id FROM payments WHERE app_id = %s AND client_id = 'client-1'", both.app.id
            )
            assert {(row["app_id"], row["payment_id"]) for row in rows} == {
                (both.app.id, payment_id) for (payment_id,) in own
            }
        else:
            assert rows == []


class TestWriting:
    def test_a_forgotten_where_changes_the_own_rows_only(self, both: World) -> None:
        of(both, Tenant(both.app.id)).one("UPDATE payments SET description = 'mine'", {})
        described = both.rows("SELECT app_id, count(description) FROM payments GROUP BY app_id")
        assert dict(described) == {both.app.id: 2, both.other_app.id: 0}

    def test_an_app_writes_no_row_of_another(self, both: World) -> None:
        with pytest.raises(Misconfigured):
            of(both, Tenant(both.app.id)).one(
                "INSERT INTO clients (app_id, client_id, created_at) VALUES (%(app)s, 'x', now())",
                {"app": both.other_app.id},
            )
        with pytest.raises(Misconfigured):
            of(both, Tenant(both.app.id)).one(
                "UPDATE clients SET app_id = %(app)s", {"app": both.other_app.id}
            )

    def test_a_client_writes_nothing(self, both: World) -> None:
        client = of(both, Tenant(both.app.id, "client-1"))
        before = both.rows("SELECT * FROM payments ORDER BY id")
        client.one("UPDATE payments SET description = 'mine'", {})
        assert both.rows("SELECT * FROM payments ORDER BY id") == before
        with pytest.raises(Misconfigured):
            client.one(
                """INSERT INTO clients (app_id, client_id, created_at)
                   VALUES (%(app)s, 'client-1x', now())""",
                {"app": both.app.id},
            )

    @pytest.mark.parametrize("table", OF_A_PAYMENT)
    def test_what_became_of_a_payment_is_the_apps_own_to_write(
        self, both: World, table: str
    ) -> None:
        written = "UPDATE " + table + " SET version = version + 1 RETURNING app_id"
        assert of(both, Tenant(both.app.id, "client-1")).all(written, {}) == []
        assert of(both, NO_TENANT).all(written, {}) == []
        rows = of(both, Tenant(both.app.id)).all(written, {})
        assert {row["app_id"] for row in rows} == {both.app.id}
        with pytest.raises(Misconfigured):
            of(both, Tenant(both.app.id)).one(
                "INSERT INTO "
                + table
                + """ (id, app_id, payment_id, psp, psp_reference,
                       amount_minor, currency, status, created_at, updated_at)
                   SELECT substr(id, 1, 4) || '9', %(app)s, payment_id, psp, 'x', 1, currency,
                          status, created_at, updated_at FROM """
                + table
                + " LIMIT 1",
                {"app": both.other_app.id},
            )

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE apps SET return_origins = '{https://evil.example}' RETURNING id",
            "UPDATE plans SET trial_days = 366 RETURNING code",
            "UPDATE plan_prices SET amount_minor = 1 RETURNING plan",
            "DELETE FROM plan_prices RETURNING plan",
            "UPDATE api_keys SET revoked_at = now() RETURNING id",
            "UPDATE rate_buckets SET full_at = now() RETURNING name",
        ],
    )
    def test_an_app_changes_nothing_that_operators_set_up(
        self, both: World, statement: str
    ) -> None:
        assert of(both, Tenant(both.app.id)).all(statement, {}) == []


@contextmanager
def without_where(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every statement loses its WHERE clauses."""
    execute = Database._execute

    def forgetful(self: Database, sql: str, parameters: Any) -> Any:
        return execute(
            self, re.sub(r"WHERE.*?(?=ORDER BY|FOR UPDATE|$)", "", sql, flags=re.S), parameters
        )

    with monkeypatch.context() as patched:
        patched.setattr(Database, "_execute", forgetful)
        yield


class TestForgottenWhere:
    """The storage functions themselves, with the WHERE clause taken out of their statements."""

    @pytest.mark.parametrize(
        "read",
        [
            lambda database, world, found: payments.find_payment(database, found),
            lambda database, world, found: subscriptions.find_live(
                database, world.other_app.id, "client-1", world.product
            ),
            lambda database, world, found: (
                subscriptions.read_access(database, world.other_app.id, "client-1").dates or None
            ),
        ],
        ids=["find_payment", "find_live", "read_access"],
    )
    def test_shows_nothing_foreign(
        self,
        both: World,
        monkeypatch: pytest.MonkeyPatch,
        read: Callable[[Database, World, str], object],
    ) -> None:
        foreign = both.other_app.id
        ((payment_id,), *_) = both.rows("SELECT id FROM payments WHERE app_id = %s", foreign)
        assert read(of(both, Tenant(foreign)), both, payment_id)
        mine = of(both, Tenant(both.app.id))
        assert read(mine, both, payment_id) is None
        with without_where(monkeypatch):
            shown = read(mine, both, payment_id)
            assert shown, "the clause is gone, so something is shown"
            assert foreign not in repr(shown)
            assert both.app.id in repr(shown) or "Dates" in repr(shown)
            assert read(of(both, NO_TENANT), both, payment_id) is None

    def test_in_the_function_itself(self, both: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """An app with nothing of its own asks for another's payment."""
        ((payment_id,), *_) = both.rows("SELECT id FROM payments LIMIT 1")
        with without_where(monkeypatch), pytest.raises(NotFound):
            payments.get_payment(of(both, Tenant("app_0")), payment_id)


class TestOneMessage:
    def test_tenant_and_statement_travel_together(self, both: World, tmp_path: Any) -> None:
        database = of(both, Tenant(both.app.id))
        database.is_up()
        connection = database._link.open()
        trace = tmp_path / "messages"
        with trace.open("wb") as file:
            connection.pgconn.trace(file.fileno())
            connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
            payments.find_payment(database, "pay_0")
            connection.pgconn.untrace()
        sent = [line.split("\t")[2] for line in trace.read_text().splitlines() if line[0] == "F"]
        assert sent == ["Query"]

    def test_nothing_is_left_for_who_comes_next_on_the_connection(self, both: World) -> None:
        """As behind PgBouncer in transaction mode, where the next statement is somebody else's."""
        database = of(both, Tenant(both.app.id, "client-1"))
        assert select(database, "payments")
        raw = database._link.open()
        settings = """SELECT current_setting('tollgate.app_id', true),
                             current_setting('tollgate.client_id', true)"""
        assert raw.execute(settings).fetchall() == [
            {"current_setting": ""},
        ] or list(raw.execute(settings).fetchone().values()) == [""]  # type: ignore[union-attr]
        assert raw.execute("SELECT * FROM payments").fetchall() == []

    def test_a_failed_statement_leaves_nothing_either(self, both: World) -> None:
        database = of(both, Tenant(both.app.id))
        with pytest.raises(Misconfigured):
            database.one("DELETE FROM payments", {})
        assert database._link.open().execute("SELECT * FROM payments").fetchall() == []

    def test_a_transaction_keeps_each_statement_to_its_tenant(self, both: World) -> None:
        mine, foreign = of(both, Tenant(both.app.id)), of(both, Tenant(both.other_app.id))
        with mine.transaction():
            for _ in range(2):
                assert {row["app_id"] for row in select(mine, "payments")} == {both.app.id}
                assert {row["app_id"] for row in select(foreign, "payments")} == {both.other_app.id}
        assert mine._link.open().execute("SELECT * FROM payments").fetchall() == []

    @pytest.mark.parametrize("hostile", ["*", "'; SELECT 1; --", "app_1' OR '1'='1", "%", "\\"])
    def test_a_hostile_name_is_a_name(self, both: World, hostile: str) -> None:
        """Only the constant for operators opens everything; an app's id never is that."""
        tenant = Tenant(f"{hostile} ", hostile)
        assert select(of(both, tenant), "payments") == []
        assert select(of(both, Tenant(both.app.id, hostile)), "payments") == []
