"""Subscriptions that an app brings with it, by batches: few round trips, however far away."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.subscription import Subscription
from tollgate.storage.database import Database


@dataclass(frozen=True)
class Newcomer:
    """A subscription whose paid time was paid for elsewhere, and who subscribes, sealed."""

    subscription: Subscription
    customer: bytes | None


def find_mode(database: Database) -> bool | None:
    """Whether the database is one of live data; None before its first key."""
    row = database.one("SELECT livemode FROM database_mode", {})
    return bool(row["livemode"]) if row else None


def list_time_zones(database: Database) -> frozenset[str]:
    """Every time zone that the database can count hours in (IANA)."""
    rows = database.all("SELECT name FROM pg_timezone_names", {})
    return frozenset(row["name"] for row in rows)


def list_live(
    database: Database, app_id: str, client_ids: Sequence[str]
) -> frozenset[tuple[str, str]]:
    """The client and product of each live subscription of these clients."""
    rows = database.all(
        """SELECT client_id, product FROM subscriptions
           WHERE app_id = %(app_id)s AND client_id = ANY(%(ids)s) AND ended_at IS NULL""",
        {"app_id": app_id, "ids": list(client_ids)},
    )
    return frozenset((row["client_id"], row["product"]) for row in rows)


def lock_clients(database: Database, app_id: str, client_ids: Sequence[str], now: datetime) -> None:
    """What subscriptions.lock_client does, for many, always in one order."""
    database.one(
        """INSERT INTO clients (app_id, client_id, created_at)
           SELECT %(app_id)s, client_id, %(now)s
           FROM unnest(%(ids)s::text[]) AS client_id ORDER BY client_id
           ON CONFLICT (app_id, client_id) DO UPDATE SET version = clients.version + 1""",
        {"app_id": app_id, "ids": sorted(set(client_ids)), "now": now},
    )


def insert_newcomers(
    database: Database, newcomers: Sequence[Newcomer], actor: str, now: datetime
) -> None:
    """New subscriptions with their audit rows, and no event: their app knows its clients. The
    caller holds lock_clients."""
    database.one(
        """WITH told AS (
               SELECT * FROM jsonb_to_recordset(%(rows)s::jsonb) AS told (
                   id text, app_id text, client_id text, product text, plan text,
                   livemode boolean, anchor_at timestamptz, periods_since_anchor integer,
                   trial_end timestamptz, paid_through timestamptz, grace_until timestamptz,
                   currency text, renew_method text, renew_hour integer, time_zone text,
                   language text, customer text)
           ), saved AS (
               INSERT INTO subscriptions
                   (id, app_id, client_id, product, plan, livemode, anchor_at,
                    periods_since_anchor, trial_end, paid_through, imported_through, grace_until,
                    currency, renew_method, renew_hour, time_zone, language, customer,
                    created_at, updated_at)
               SELECT id, app_id, client_id, product, plan, livemode, anchor_at,
                      periods_since_anchor, trial_end, paid_through, paid_through, grace_until,
                      currency, renew_method, renew_hour, time_zone, language,
                      decode(customer, 'hex'), %(now)s, %(now)s
               FROM told
               RETURNING id, app_id, plan, trial_end, paid_through
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'subscription.imported', id,
                  jsonb_build_object('plan', plan, 'trial_end', trial_end,
                                     'paid_through', paid_through),
                  %(now)s
           FROM saved""",
        {"rows": json.dumps([_told(each) for each in newcomers]), "actor": actor, "now": now},
    )


def _told(newcomer: Newcomer) -> dict[str, object]:
    subscription = newcomer.subscription
    dates, wishes = subscription.dates, subscription.renewal
    return {
        "id": dates.subscription_id,
        "app_id": subscription.app_id,
        "client_id": subscription.client_id,
        "product": dates.product,
        "plan": dates.plan,
        "livemode": subscription.livemode,
        "anchor_at": _text(subscription.anchor_at),
        "periods_since_anchor": subscription.periods_since_anchor,
        "trial_end": _text(dates.trial_end),
        "paid_through": _text(dates.paid_through),
        "grace_until": _text(dates.grace_until),
        "currency": subscription.currency,
        "renew_method": wishes.method,
        "renew_hour": wishes.hour,
        "time_zone": wishes.time_zone,
        "language": wishes.language,
        "customer": newcomer.customer.hex() if newcomer.customer is not None else None,
    }


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant is not None else None
