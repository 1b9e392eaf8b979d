"""Apps, their keys, plans and prices."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.money import Money
from tollgate.domain.principal import ApiKey, Role
from tollgate.domain.subscription import Plan
from tollgate.storage.database import Database


@dataclass(frozen=True)
class App:
    """A tenant. `return_origins` are the origins that a payment may send its client back to."""

    id: str
    name: str
    default_currency: str
    default_psp: str
    return_origins: tuple[str, ...]


def find_key(database: Database, key_id: str) -> ApiKey | None:
    """The key with this public id, also when it is revoked."""
    row = database.one(
        """SELECT id, role, coalesce(app_id, '') AS app_id, livemode, secret_sha256,
                  expires_at, revoked_at
           FROM api_keys WHERE id = %(key_id)s""",
        {"key_id": key_id},
    )
    return ApiKey(**{**row, "role": Role(row["role"])}) if row else None


def get_app(database: Database, app_id: str) -> App:
    """The app of an authenticated caller, so it exists."""
    row = database.one(
        """SELECT id, name, default_currency, default_psp, return_origins
           FROM apps WHERE id = %(app_id)s""",
        {"app_id": app_id},
    )
    assert row is not None
    return App(**{**row, "return_origins": tuple(row["return_origins"])})


def find_plan(database: Database, app_id: str, code: str) -> Plan | None:
    """An app's plan by its code."""
    row = database.one(
        """SELECT app_id, code, product, interval_unit, interval_count, trial_days, grace_days
           FROM plans WHERE app_id = %(app_id)s AND code = %(code)s""",
        {"app_id": app_id, "code": code},
    )
    if row is None:
        return None
    return Plan(
        app_id=row["app_id"],
        code=row["code"],
        product=row["product"],
        interval=Interval(Unit(row["interval_unit"]), row["interval_count"]),
        trial_days=row["trial_days"],
        grace_days=row["grace_days"],
    )


def find_price(database: Database, app_id: str, plan: str, currency: str) -> Money | None:
    """What a plan costs in a currency."""
    row = database.one(
        """SELECT amount_minor, currency FROM plan_prices
           WHERE app_id = %(app_id)s AND plan = %(plan)s AND currency = %(currency)s""",
        {"app_id": app_id, "plan": plan, "currency": currency},
    )
    return Money(**row) if row else None


def insert_app(database: Database, app: App, actor: str, now: datetime) -> None:
    """A new app, and the audit row that says who made it."""
    database.one(
        """WITH app AS (
               INSERT INTO apps
                   (id, name, default_currency, default_psp, return_origins, created_at)
               VALUES (%(id)s, %(name)s, %(default_currency)s, %(default_psp)s,
                       %(return_origins)s, %(now)s)
               RETURNING id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT id, %(actor)s, 'app.created', id, %(now)s FROM app""",
        {
            **vars(app),
            "return_origins": list(app.return_origins),
            "actor": actor,
            "now": now,
        },
    )


def insert_key(database: Database, key: ApiKey, actor: str, now: datetime) -> None:
    """A new key, by the hash of its secret, and its audit row."""
    database.one(
        """WITH mode AS (
               INSERT INTO database_mode (livemode) VALUES (%(livemode)s) ON CONFLICT DO NOTHING
           ), key AS (
               INSERT INTO api_keys (id, role, app_id, livemode, secret_sha256, expires_at,
                                     created_at)
               VALUES (%(id)s, %(role)s, nullif(%(app_id)s, ''), %(livemode)s, %(secret_sha256)s,
                       %(expires_at)s, %(now)s)
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'key.created', id, %(now)s FROM key""",
        {**vars(key), "actor": actor, "now": now},
    )


def revoke_key(database: Database, key_id: str, actor: str, now: datetime) -> bool:
    """Ends a key; whether there was a living one. Functions notice within a minute."""
    row = database.one(
        """WITH key AS (
               UPDATE api_keys SET revoked_at = %(now)s
               WHERE id = %(key_id)s AND revoked_at IS NULL
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'key.revoked', id, %(now)s FROM key RETURNING object_id""",
        {"key_id": key_id, "actor": actor, "now": now},
    )
    return row is not None


def insert_plan(
    database: Database, plan: Plan, prices: Sequence[Money], actor: str, now: datetime
) -> None:
    """A new plan with its prices, and its audit row."""
    database.one(
        """WITH plan AS (
               INSERT INTO plans (app_id, code, product, interval_unit, interval_count,
                                  trial_days, grace_days, created_at)
               VALUES (%(app_id)s, %(code)s, %(product)s, %(unit)s, %(count)s,
                       %(trial_days)s, %(grace_days)s, %(now)s)
               RETURNING app_id, code
           ), prices AS (
               INSERT INTO plan_prices (app_id, plan, currency, amount_minor)
               SELECT app_id, code, currency, amount_minor
               FROM plan, unnest(%(currencies)s::text[], %(amounts)s::bigint[])
                    AS price (currency, amount_minor)
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'plan.created', code, %(now)s FROM plan""",
        {
            "app_id": plan.app_id,
            "code": plan.code,
            "product": plan.product,
            "unit": plan.interval.unit,
            "count": plan.interval.count,
            "trial_days": plan.trial_days,
            "grace_days": plan.grace_days,
            "currencies": [price.currency for price in prices],
            "amounts": [price.amount_minor for price in prices],
            "actor": actor,
            "now": now,
        },
    )
