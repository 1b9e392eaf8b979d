"""Migrations over a database that is in use: what is there is kept, looked at, and not locked."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from local import migrations
from local.databases import OWNER, seeing_all
from local.postgres import ServerError
from tests.conftest import Cluster, renamed
from tollgate.domain.audit import Head
from tollgate.domain.principal import EVERY_TENANT
from tollgate.storage import audit
from tollgate.storage.database import Database

BEFORE_TENANTS = "0006"
BEFORE_BOOKS = "0016"
AT = "2026-01-31T09:00:00Z"


@contextmanager
def migrated_before(
    file_name: str, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> Iterator[str]:
    """The owner's URL of a database as it was before this migration."""
    assert cluster.template.superuser is not None
    name = "test_migrations"
    with psycopg.connect(cluster.template.superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}".encode())
        url = renamed(cluster.template.owner, name)
        early = folder / "migrations"
        early.mkdir()
        for file in migrations.MIGRATIONS.glob("*.sql"):
            if file.name < file_name:
                shutil.copy(file, early)
        try:
            with monkeypatch.context() as patched:
                patched.setattr(migrations, "MIGRATIONS", early)
                migrations.migrate(url)
            yield url
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def old(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """A database from before there were tenants, with an app's rows in it."""
    with migrated_before(BEFORE_TENANTS, cluster, monkeypatch, folder) as url:
        _write_rows(url)
        yield url


@pytest.fixture
def without_books(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """A database from before there were amounts taken, refunds and a ledger, with payments."""
    with migrated_before(BEFORE_BOOKS, cluster, monkeypatch, folder) as url:
        with psycopg.connect(seeing_all(url)) as connection:
            _write_payments(connection)
        yield url


WAYS = {
    "pending": (),
    "requires_action": ("requires_action",),
    "processing": ("processing",),
    "authorized": ("authorized",),
    "succeeded": ("succeeded",),
    "failed": ("failed",),
    "canceled": ("canceled",),
    "expired": ("expired",),
    "partially_refunded": ("succeeded", "partially_refunded"),
    "refunded": ("succeeded", "refunded"),
    "disputed": ("succeeded", "disputed"),
    "needs_review": ("needs_review",),
}
"""How a payment came to each state."""


def _write_payments(connection: psycopg.Connection) -> None:
    """A payment in each state: pay_1 and on, in this order, each of another amount."""
    connection.execute(
        f"""INSERT INTO database_mode VALUES (false);
            INSERT INTO apps (id, name, default_currency, default_psp, created_at)
            VALUES ('app_1', 'a', 'KES', 'stripe', '{AT}');
            INSERT INTO payments
                (id, app_id, client_id, idempotency_key, amount_minor, currency, status, psp,
                 livemode, created_at, updated_at, expires_at)
            SELECT 'pay_' || n, 'app_1', 'c', 'k' || n, 100 + n, 'KES', 'pending', 'stripe', false,
                   '{AT}', '{AT}', '{AT}'
            FROM generate_series(1, {len(WAYS)}) AS n
        """.encode()
    )
    for number, steps in enumerate(WAYS.values(), 1):
        for step in steps:
            connection.execute(
                """UPDATE payments SET status = %(step)s, version = version + 1,
                       updated_at = updated_at + interval '1 hour',
                       amount_refunded_minor = CASE %(step)s WHEN 'refunded' THEN amount_minor
                                                             WHEN 'partially_refunded' THEN 40
                                                             ELSE amount_refunded_minor END
                   WHERE id = %(id)s""",
                {"step": step, "id": f"pay_{number}"},
            )


def _write_rows(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            f"""INSERT INTO database_mode VALUES (false);
                INSERT INTO apps (id, name, default_currency, default_psp, created_at)
                VALUES ('app_1', 'a', 'KES', 'stripe', '{AT}'),
                       ('app_2', 'b', 'KES', 'stripe', '{AT}');
                INSERT INTO api_keys (id, role, app_id, livemode, secret_sha256, created_at)
                SELECT lpad(n::text, 16, '0'), 'app', 'app_1', false, sha256('x'), '{AT}'
                FROM generate_series(1, 3) AS n;
                INSERT INTO payments
                    (id, app_id, client_id, idempotency_key, amount_minor, currency, status, psp,
                     livemode, created_at, updated_at, expires_at)
                VALUES ('pay_1', 'app_1', 'c', 'k', 100, 'KES', 'pending', 'stripe', false,
                        '{AT}', '{AT}', '{AT}');
                INSERT INTO inbox (psp, event_id, type, payment_id, received_at)
                VALUES ('stripe', 'evt_1', 'x', 'pay_1', '{AT}'),
                       ('stripe', 'evt_2', 'x', NULL, '{AT}');
                INSERT INTO audit_log (app_id, actor, action, object_id, at)
                SELECT (ARRAY['app_1', 'app_2', NULL])[n % 3 + 1], 'a', 'x', n::text, '{AT}'
                FROM generate_series(1, 30) AS n
            """.encode()
        )


def test_what_is_there_goes_on_in_its_app(old: str) -> None:
    migrations.migrate(old)
    with psycopg.connect(seeing_all(old)) as connection:
        inbox = connection.execute("SELECT event_id, app_id FROM inbox ORDER BY 1").fetchall()
        assert inbox == [("evt_1", "app_1"), ("evt_2", None)]
        # keys from before they had names all live on
        keys = connection.execute("SELECT count(DISTINCT name), count(revoked_at) FROM api_keys")
        assert keys.fetchone() == (3, 0)
        unchecked = """SELECT conname FROM pg_constraint
                       WHERE NOT convalidated AND contype = 'f'"""
        assert connection.execute(unchecked).fetchall() == []
        unusable = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
        assert connection.execute(unusable).fetchall() == []


def test_the_audit_log_is_linked_in_the_order_of_its_ids(old: str) -> None:
    migrations.migrate(old)
    with psycopg.connect(seeing_all(old)) as connection:
        linked = connection.execute(
            """SELECT l.chain, l.position, a.object_id::int
               FROM audit_log a LEFT JOIN audit_links l ON l.audit_id = a.id ORDER BY a.id"""
        ).fetchall()
    chains = (("app_2", 1), ("", 2), ("app_1", 3))
    assert sorted(linked) == sorted(
        (chain, turn + 1, 3 * turn + first) for turn in range(10) for chain, first in chains
    )
    database = Database(old).within(EVERY_TENANT)
    ends = [audit.check_links(database, Head(chain), 100) for chain, _ in chains]
    assert [(end.head.position, end.broken) for end in ends] == [(10, None)] * 3
    database.close()


class TestPaymentsFromBefore:
    def test_keep_their_state_and_know_what_was_taken(self, without_books: str) -> None:
        migrations.migrate(without_books)
        with psycopg.connect(seeing_all(without_books)) as connection:
            rows = connection.execute(
                """SELECT status, amount_minor = amount_captured_minor, amount_captured_minor,
                          amount_refunded_minor, capture, checks
                   FROM payments ORDER BY amount_minor"""
            ).fetchall()
        assert [row[0] for row in rows] == list(WAYS)
        taken = {row[0] for row in rows if row[1]}
        assert taken == {"succeeded", "partially_refunded", "refunded", "disputed"}
        assert {row[2] for row in rows if row[0] not in taken} == {0}
        assert {row[0]: row[3] for row in rows if row[3]} == {
            "partially_refunded": 40,
            "refunded": 110,
        }
        assert {row[4:] for row in rows} == {("automatic", 0)}

    def test_are_looked_at_again_where_they_are_open(self, without_books: str) -> None:
        migrations.migrate(without_books)
        with psycopg.connect(seeing_all(without_books)) as connection:
            due = connection.execute(
                "SELECT status FROM payments WHERE next_check_at = updated_at"
            ).fetchall()
            never = connection.execute("SELECT count(*) FROM payments WHERE next_check_at IS NULL")
            assert {status for (status,) in due} == {
                "pending",
                "requires_action",
                "processing",
                "authorized",
            }
            assert never.fetchone() == (len(WAYS) - 4,)

    def test_are_in_the_books_with_what_was_taken(self, without_books: str) -> None:
        migrations.migrate(without_books)
        with psycopg.connect(seeing_all(without_books)) as connection:
            entries = connection.execute(
                """SELECT p.status, l.kind, l.account, l.amount_minor, l.currency,
                          l.at = p.updated_at AND l.source_id = p.id
                          AND l.source_version = p.version AND l.app_id = p.app_id
                   FROM ledger_entries l JOIN payments p ON p.id = l.payment_id ORDER BY l.id"""
            ).fetchall()
        of_paid = (
            ("succeeded", 105),
            ("partially_refunded", 109),
            ("refunded", 110),
            ("disputed", 111),
        )
        assert sorted(entries) == sorted(
            (status, "capture", account, amount, "KES", True)
            for status, taken in of_paid
            for account, amount in (("app", -taken), ("psp", taken))
        )

    def test_go_on_as_any_other(self, without_books: str) -> None:
        migrations.migrate(without_books)
        with psycopg.connect(seeing_all(without_books)) as connection:
            connection.execute(
                """INSERT INTO refunds (id, app_id, payment_id, psp, amount_minor, currency, status,
                                        idempotency_key, created_at, updated_at)
                   VALUES ('ref_1', 'app_1', 'pay_5', 'stripe', 105, 'KES', 'pending', 'r',
                           now(), now())"""
            )
            connection.execute("UPDATE refunds SET status = 'succeeded'")
            connection.execute(
                """UPDATE payments SET status = 'refunded', amount_refunded_minor = 105
                   WHERE id = 'pay_5'"""
            )
            connection.commit()
            held = connection.execute(
                "SELECT sum(amount_minor) FROM ledger_entries WHERE account = 'psp'"
            )
            assert held.fetchone() == (109 + 110 + 111,)


def test_a_reference_to_another_apps_row_is_found(old: str) -> None:
    with psycopg.connect(old) as connection:
        connection.execute(
            f"""INSERT INTO idempotency_keys
                    (app_id, key, request_sha256, payment_id, locked_until, created_at)
                VALUES ('app_2', 'k', sha256('x'), 'pay_1', '{AT}', '{AT}')""".encode()
        )
    with pytest.raises(ServerError, match="idempotency_keys_payment_of_app"):
        migrations.migrate(old)


GROWS = (
    "payments|idempotency_keys|clients|subscriptions|subscription_periods|inbox|outbox|audit_log"
    "|audit_links|refunds|disputes|ledger_entries"
)
SINCE_TENANTS = [file for file in migrations.MIGRATIONS.glob("*.sql") if file.name > BEFORE_TENANTS]


@pytest.mark.parametrize("file", sorted(SINCE_TENANTS), ids=lambda file: file.stem)
def test_a_table_that_grows_is_not_locked_while_it_is_read(file: Path) -> None:
    """An index is built beside the writers; what is there is looked at in a step of its own."""
    text = re.sub(r"--.*", "", file.read_text())
    new = set(re.findall(r"CREATE TABLE (\w+)", text))  # and empty
    locked = re.findall(rf"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\w+ ON ({GROWS})\b", text)
    assert new.issuperset(locked)
    for _, altered in re.findall(rf"ALTER TABLE ({GROWS})\b([^;]*);", text):
        for added in altered.split("ADD CONSTRAINT")[1:]:
            assert "NOT VALID" in added or "USING INDEX" in added, added
