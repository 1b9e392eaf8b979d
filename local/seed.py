"""What a laptop starts with: two apps, each with a monthly plan in KES and USD, and keys.

Keys are shown once and only their hashes are stored, so each start makes new ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tollgate.domain.billing import Unit
from tollgate.domain.keyring import Keyring
from tollgate.domain.money import Money
from tollgate.domain.payment import Method
from tollgate.domain.principal import EVERY_TENANT, Role
from tollgate.operations import api_keys, apps, plans
from tollgate.operations.context import Call, Context
from tollgate.schemas.api_keys import CreateKey
from tollgate.schemas.apps import CreateApp, RouteFields, UpdateApp
from tollgate.schemas.plans import CreatePlan, IntervalFields, PriceFields
from tollgate.settings import Settings

CALLS_PER_MINUTE = 1_000_000
"""So that a laptop can be put under load."""
_OF_A_LAPTOP: dict[str, Any] = {"name": "local", "calls_per_minute": CALLS_PER_MINUTE}

PLAN = "monthly"
PRODUCT = "pro"
PRICES = (Money(150_000, "KES"), Money(1_500, "USD"))
APPS = ("Duka", "Shamba")
GRACE_DAYS = 0
ROUTING = (
    RouteFields(method=Method.MPESA, psps=["jenga", "pesapal"]),
    RouteFields(method=Method.PAYPAL, psps=["paypal"]),
)
"""Everything else is Stripe's: it takes every currency that a plan is priced in."""


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
    """Makes the apps that are missing, and fresh keys in the place of the last ones."""
    context = operators_context(owner_url, now)
    try:
        # first, because it is what a database of live data refuses
        admin_key = _fresh_key(context, CreateKey(role=Role.ADMIN, **_OF_A_LAPTOP))
        listed = apps.list_apps(context, _call(query={"limit": "100"}))
        known = {app.name: app.id for app in listed.items if app.deleted_at is None}
        ids = {name: known.get(name) or _create_app(context, name, return_origins) for name in APPS}
        for app_id in ids.values():
            body = UpdateApp(calls_per_minute=CALLS_PER_MINUTE, routing=list(ROUTING))
            apps.update_app(context, _call(target=app_id, body=body))
        keys = {
            name: _fresh_key(context, CreateKey(app_id=ids[name], **_OF_A_LAPTOP)) for name in APPS
        }
        return Seed(
            admin_key=admin_key,
            apps=tuple(SeededApp(ids[name], name, keys[name], (PLAN,)) for name in APPS),
        )
    finally:
        context.database.close()


def operators_context(owner_url: str, now: datetime, *, livemode: bool = False) -> Context:
    """What an operator at the command line works with."""
    settings = Settings(
        livemode=livemode,
        database_url=owner_url,
        redis_url="",
        cache_secret=b"",
        public_url="",
        access_token_keys=Keyring({}),
    )
    return Context.open(settings, now=lambda: now).within(EVERY_TENANT)


def _call(**fields: Any) -> Call[Any]:
    return Call.by_operator("local", **fields)


def _create_app(context: Context, name: str, return_origins: Sequence[str]) -> str:
    body = CreateApp(
        name=name,
        default_currency="KES",
        return_origins=list(return_origins),
        calls_per_minute=CALLS_PER_MINUTE,
    )
    app_id = apps.create_app(context, _call(body=body)).id
    plan = CreatePlan(
        app_id=app_id,
        code=PLAN,
        product=PRODUCT,
        interval=IntervalFields(unit=Unit.MONTH),
        grace_days=GRACE_DAYS,
        prices=[PriceFields(amount=p.amount_minor, currency=p.currency) for p in PRICES],
    )
    plans.create_plan(context, _call(body=plan))
    return app_id


def _fresh_key(context: Context, body: CreateKey) -> str:
    living = context.database.all(
        """SELECT id FROM api_keys
           WHERE name = %(name)s AND app_id IS NOT DISTINCT FROM %(app_id)s
             AND revoked_at IS NULL""",
        {"name": body.name, "app_id": body.app_id},
    )
    for row in living:
        api_keys.revoke_key(context, _call(target=row["id"]))
    return api_keys.create_key(context, _call(body=body)).text
