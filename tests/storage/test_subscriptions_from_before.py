"""Subscriptions from before there was a told status: they get it untold, and are billed."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local import migrations
from local.databases import seeing_all
from tests.conftest import Cluster
from tests.storage.test_migrations import AT, migrated_before
from tollgate.domain.principal import EVERY_TENANT
from tollgate.storage import sweeps
from tollgate.storage.database import Database

NOW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
"""After the migration, which reads the database's own clock."""
STATES: dict[str, dict[str, int]] = {
    "trialing": {"trial_end": 10},
    "active": {"paid_through": 10, "grace_until": 12},
    "past_due": {"paid_through": -1, "grace_until": 2},
    "expired": {"paid_through": -9, "grace_until": -9},
    "canceled": {"paid_through": 10, "grace_until": 10, "cancel_at": -5},
    "incomplete": {},
}
"""Their dates, in days from now, by what they are."""


@pytest.fixture(params=["0034", "0036"])
def before(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
) -> Iterator[str]:
    """A database in which the functions of the release before are at work, also while it is
    migrated: it holds one subscription in each state."""
    with migrated_before(request.param, cluster, monkeypatch, folder) as url:
        with psycopg.connect(seeing_all(url)) as connection:
            connection.execute(
                f"""INSERT INTO database_mode VALUES (false);
                    INSERT INTO apps (id, name, default_currency, default_psp, created_at)
                    VALUES ('app_1', 'a', 'KES', 'stripe', '{AT}');
                    INSERT INTO plans (app_id, code, product, interval_unit, interval_count,
                                       trial_days, grace_days, created_at)
                    VALUES ('app_1', 'monthly', 'pro', 'month', 1, 0, 0, '{AT}')""".encode()
            )
            for state, dates in STATES.items():
                connection.execute(
                    "INSERT INTO clients (app_id, client_id, created_at) VALUES ('app_1', %s, %s)",
                    [state, AT],
                )
                names = "".join(f", {name}" for name in dates)
                connection.execute(
                    f"""INSERT INTO subscriptions (id, app_id, client_id, product, plan, livemode,
                            created_at, updated_at, version{names})
                        VALUES ('sub_' || translate(%s, '_', ''), 'app_1', %s, 'pro', 'monthly',
                                false, %s, %s, 1{", %s" * len(dates)})""".encode(),
                    [state, state, AT, AT, *(NOW + timedelta(days=day) for day in dates.values())],
                )
        migrations.migrate(url)
        yield url


def swept(url: str) -> list[tuple[Any, ...]]:
    """The rows once the timer has looked at them."""
    database = Database(seeing_all(url)).within(EVERY_TENANT)
    sweeps.move_due(database, NOW, secrets.token_bytes, 100)
    database.close()
    with psycopg.connect(seeing_all(url)) as connection:
        assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
        return connection.execute(
            """SELECT client_id, status, version, bill_opens_at FROM subscriptions
               ORDER BY client_id"""
        ).fetchall()


def test_get_their_status_untold(before: str) -> None:
    assert [row[:3] for row in swept(before)] == [(state, state, 1) for state in sorted(STATES)]


def test_that_were_written_meanwhile_are_billed(before: str) -> None:
    """By a function of the release before, which names every date and changed none."""
    with psycopg.connect(seeing_all(before)) as connection:
        connection.execute(
            "UPDATE subscriptions SET paid_through = paid_through, updated_at = %s", [NOW]
        )
    opens = {client: opens_at for client, _, _, opens_at in swept(before) if opens_at is not None}
    ends = {"trialing": 10, "active": 10, "past_due": -1, "expired": -9}
    assert opens == {client: NOW + timedelta(days=day - 3) for client, day in ends.items()}
