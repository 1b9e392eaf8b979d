"""Migrations over a database that is in use: what is there is kept, looked at, and not locked."""

import re
import shutil
from collections.abc import Iterator
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
AT = "2026-01-31T09:00:00Z"


@pytest.fixture
def old(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[str]:
    """The owner's URL of a database from before there were tenants, with an app's rows in it."""
    assert cluster.template.superuser is not None
    name = "test_migrations"
    with psycopg.connect(cluster.template.superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}".encode())
        url = renamed(cluster.template.owner, name)
        early = folder / "migrations"
        early.mkdir()
        for file in migrations.MIGRATIONS.glob("*.sql"):
            if file.name < BEFORE_TENANTS:
                shutil.copy(file, early)
        with monkeypatch.context() as patched:
            patched.setattr(migrations, "MIGRATIONS", early)
            migrations.migrate(url)
        _write_rows(url)
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


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
    "|audit_links"
)
SINCE_TENANTS = [file for file in migrations.MIGRATIONS.glob("*.sql") if file.name > BEFORE_TENANTS]


@pytest.mark.parametrize("file", sorted(SINCE_TENANTS), ids=lambda file: file.stem)
def test_a_table_that_grows_is_not_locked_while_it_is_read(file: Path) -> None:
    """An index is built beside the writers; what is there is looked at in a step of its own."""
    text = re.sub(r"--.*", "", file.read_text())
    assert not re.search(rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\w+ ON ({GROWS})\b", text)
    for _, altered in re.findall(rf"ALTER TABLE ({GROWS})\b([^;]*);", text):
        for added in altered.split("ADD CONSTRAINT")[1:]:
            assert "NOT VALID" in added or "USING INDEX" in added, added
