"""What a laptop starts with: two apps, each with a monthly plan in KES and USD, and keys.

Keys are shown once and only their hashes are stored, so each start makes new ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.money import Money
from tollgate.domain.principal import Role
from tollgate.domain.subscription import Plan
from tollgate.operations import admin
from tollgate.storage.database import Database

PLAN = "monthly"
PRODUCT = "pro"
PRICES = (Money(150_000, "KES"), Money(1_500, "USD"))
APPS = ("Duka", "Shamba")
GRACE_DAYS = 0


@dataclass(frozen=True)
class SeededApp:
    """One seeded app with a key that works."""

    id: str
    name: str
    key: str
    plans: tuple[str, ...]


@dataclass(frozen=True)
class Seed:
    """All that was seeded."""

    admin_key: str
    apps: tuple[SeededApp, ...]


def seed(owner_url: str, now: datetime, return_origins: Sequence[str]) -> Seed:
    """Makes the apps that are missing, and fresh keys."""
    database = Database(owner_url)
    operator = admin.Operator(database, livemode=False, now=now, actor="operator:local")
    try:
        # first, because it is what a database of live data refuses
        admin_key = admin.create_key(operator, Role.ADMIN)
        known = _apps_by_name(owner_url)
        ids = {
            name: known.get(name) or _create_app(operator, name, return_origins) for name in APPS
        }
        return Seed(
            admin_key=admin_key,
            apps=tuple(
                SeededApp(ids[name], name, admin.create_key(operator, Role.APP, ids[name]), (PLAN,))
                for name in APPS
            ),
        )
    finally:
        database.close()


def _create_app(operator: admin.Operator, name: str, return_origins: Sequence[str]) -> str:
    app = admin.create_app(
        operator,
        name,
        default_currency="KES",
        default_psp="stripe",
        return_origins=return_origins,
    )
    plan = Plan(app.id, PLAN, PRODUCT, Interval(Unit.MONTH, 1), trial_days=0, grace_days=GRACE_DAYS)
    admin.create_plan(operator, plan, PRICES)
    return app.id


def _apps_by_name(owner_url: str) -> dict[str, str]:
    with psycopg.connect(owner_url) as connection:
        return dict(connection.execute("SELECT name, id FROM apps").fetchall())
