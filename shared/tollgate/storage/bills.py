"""Bills: what is asked of clients, and when it is asked again."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import LiteralString

from tollgate.domain.bill import Bill, BillKind, BillStatus
from tollgate.domain.errors import NotFound
from tollgate.domain.instants import rfc3339
from tollgate.domain.money import Money
from tollgate.domain.subscription import Subscription
from tollgate.storage.database import Database, Row
from tollgate.storage.subscriptions import COLUMNS as SUBSCRIPTION_COLUMNS
from tollgate.storage.subscriptions import subscription_of

LEASE_SECONDS = 120
"""Longer than whoever sees to a bill may take: after that it is due again."""

_COLUMNS: LiteralString = """
    id, app_id, client_id, subscription_id, kind, due_at, plan, product, amount_minor, price_minor,
    currency, livemode, status, is_charged, opened_at, closes_at, next_step_at,
    updated_at"""


def claim_unbilled(database: Database, now: datetime, limit: int) -> list[Subscription]:
    """The subscriptions whose next bill opens by now, locked to the transaction's end."""
    rows = database.all(
        "SELECT"
        + SUBSCRIPTION_COLUMNS
        + """ FROM subscriptions WHERE bill_opens_at <= %(now)s
           ORDER BY bill_opens_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED""",
        {"now": now, "limit": limit},
    )
    return [subscription_of(row) for row in rows]


def postpone_bills(
    database: Database, subscription_ids: Sequence[str], until: datetime | None
) -> None:
    """The next bills of these subscriptions open then; None: when their dates change."""
    database.one(
        "UPDATE subscriptions SET bill_opens_at = %(until)s WHERE id = ANY(%(ids)s)",
        {"ids": list(subscription_ids), "until": until},
    )


def renew_after(database: Database, subscription_id: str, instant: datetime) -> None:
    """The bill for the next period, if one is wanted, opens in its time, but not before that: until
    then another one is asked for."""
    database.one(
        """UPDATE subscriptions s
           SET bill_opens_at = greatest(subscription_bill_opens_at(s), %(instant)s)
           WHERE id = %(id)s AND subscription_bill_opens_at(s) IS NOT NULL""",
        {"id": subscription_id, "instant": instant},
    )


def open_bills(database: Database, bills: Sequence[Bill], actor: str) -> Mapping[str, Bill]:
    """Opens these bills in the place of those that are open, one for each subscription; how they
    stand, by subscription. One that was given up is open again, as asked for now; one that is paid
    is left out. The caller holds the subscriptions.
    """
    opened = [_written(bill) for bill in bills]
    if not bills:
        return {}
    database.one(
        """WITH closed AS (
               UPDATE bills SET status = 'void', next_step_at = NULL, updated_at = %(now)s
               WHERE status = 'open' AND subscription_id = ANY(%(ids)s)
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'bill.void', id, %(now)s FROM closed""",
        {
            "ids": [bill.subscription_id for bill in bills],
            "actor": actor,
            "now": bills[0].opened_at,
        },
    )
    rows = database.all(
        """WITH saved AS (
               INSERT INTO bills
                   (id, app_id, client_id, subscription_id, kind, due_at, plan, product,
                    amount_minor, price_minor, currency, livemode, status, opened_at, closes_at,
                    next_step_at, is_charged, updated_at)
               SELECT id, app_id, client_id, subscription_id, kind, due_at, plan, product,
                      amount_minor, price_minor, currency, livemode, 'open', opened_at, closes_at,
                      next_step_at, is_charged, opened_at
               FROM jsonb_to_recordset(%(opened)s::jsonb) AS opened (
                   id text, app_id text, client_id text, subscription_id text, kind text,
                   due_at timestamptz, plan text, product text, amount_minor bigint,
                   price_minor bigint, currency text, livemode boolean, opened_at timestamptz,
                   closes_at timestamptz, next_step_at timestamptz, is_charged boolean)
               ON CONFLICT ON CONSTRAINT one_bill_for_one_period DO UPDATE
               SET status = 'open', plan = excluded.plan, amount_minor = excluded.amount_minor,
                   price_minor = excluded.price_minor, currency = excluded.currency,
                   opened_at = excluded.opened_at, closes_at = excluded.closes_at,
                   next_step_at = excluded.next_step_at,
                   is_charged = bills.is_charged AND excluded.is_charged,
                   updated_at = excluded.updated_at
               WHERE bills.status = 'void'
               RETURNING *
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
               SELECT app_id, %(actor)s, 'bill.opened', id,
                      jsonb_build_object('subscription_id', subscription_id, 'due_at', due_at,
                                         'amount', amount_minor, 'currency', currency),
                      opened_at
               FROM saved
           )
           SELECT * FROM saved""",
        {"opened": json.dumps(opened), "actor": actor},
    )
    return {row["subscription_id"]: _bill(row) for row in rows}


def get_bill(database: Database, bill_id: str) -> Bill:
    """The tenant's bill with this id. Raises NotFound."""
    row = database.one("SELECT" + _COLUMNS + " FROM bills WHERE id = %(id)s", {"id": bill_id})
    if row is None:
        raise NotFound
    return _bill(row)


def find_open(database: Database, subscription_id: str) -> Bill | None:
    """What is asked for this subscription just now."""
    row = database.one(
        "SELECT" + _COLUMNS + " FROM bills WHERE subscription_id = %(id)s AND status = 'open'",
        {"id": subscription_id},
    )
    return _bill(row) if row else None


def list_open(database: Database, subscription_ids: Sequence[str]) -> Mapping[str, Bill]:
    """The same for several subscriptions, by their ids."""
    rows = database.all(
        "SELECT"
        + _COLUMNS
        + " FROM bills WHERE subscription_id = ANY(%(ids)s) AND status = 'open'",
        {"ids": list(subscription_ids)},
    )
    return {row["subscription_id"]: _bill(row) for row in rows}


def close_bill(
    database: Database, bill_id: str, status: BillStatus, actor: str, now: datetime
) -> None:
    """Marks a bill as paid or void, with its audit row; one that is paid stays so."""
    database.one(
        """WITH closed AS (
               UPDATE bills SET status = %(status)s, next_step_at = NULL, updated_at = %(now)s
               WHERE id = %(id)s AND status <> %(status)s AND status <> 'paid'
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'bill.' || %(status)s, id, %(now)s FROM closed""",
        {"id": bill_id, "status": status, "actor": actor, "now": now},
    )


def claim_due(database: Database, now: datetime, limit: int) -> list[Bill]:
    """Claims the open bills that somebody must see to, longest due first, for a while."""
    rows = database.all(
        """WITH due AS MATERIALIZED (
               SELECT id, next_step_at AS due_since FROM bills WHERE next_step_at <= %(now)s
               ORDER BY next_step_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
           ), claimed AS (
               UPDATE bills SET next_step_at = %(until)s FROM due WHERE bills.id = due.id
               RETURNING bills.*, due_since
           )
           SELECT * FROM claimed ORDER BY due_since, id""",
        {"now": now, "until": now + timedelta(seconds=LEASE_SECONDS), "limit": limit},
    )
    return [_bill(row) for row in rows]


def plan_step(
    database: Database,
    bill: Bill,
    at: datetime,
    now: datetime,
    *,
    is_charged: bool | None = None,
) -> None:
    """Somebody sees to this bill then, if it is still open."""
    database.one(
        """UPDATE bills
           SET next_step_at = %(at)s, updated_at = %(now)s,
               is_charged = coalesce(%(is_charged)s, is_charged)
           WHERE id = %(id)s AND status = 'open'""",
        {"id": bill.id, "at": at, "now": now, "is_charged": is_charged},
    )


def local_hours(
    database: Database, days: Sequence[datetime], hour: int, time_zone: str
) -> Sequence[datetime]:
    """The instants of this hour on the days that it is there then."""
    rows = database.all(
        """SELECT (date_trunc('day', day AT TIME ZONE %(zone)s) + make_interval(hours => %(hour)s))
                  AT TIME ZONE %(zone)s AS at
           FROM unnest(%(days)s::timestamptz[]) AS day""",
        {"days": list(days), "hour": hour, "zone": time_zone},
    )
    return [row["at"] for row in rows]


def local_date(database: Database, instant: datetime, time_zone: str) -> date:
    """Which day it is there."""
    row = database.one(
        "SELECT (%(instant)s AT TIME ZONE %(zone)s)::date AS day",
        {"instant": instant, "zone": time_zone},
    )
    assert row is not None
    day: date = row["day"]
    return day


def count_due(database: Database, now: datetime) -> int:
    """How many bills wait to be seen to, or to be opened."""
    row = database.one(
        """SELECT (SELECT count(*) FROM bills WHERE next_step_at <= %(now)s)
                + (SELECT count(*) FROM subscriptions WHERE bill_opens_at <= %(now)s) AS due""",
        {"now": now},
    )
    assert row is not None
    due: int = row["due"]
    return due


def _written(bill: Bill) -> dict[str, object]:
    return {
        "id": bill.id,
        "app_id": bill.app_id,
        "client_id": bill.client_id,
        "subscription_id": bill.subscription_id,
        "kind": bill.kind,
        "due_at": rfc3339(bill.due_at),
        "plan": bill.plan,
        "product": bill.product,
        "amount_minor": bill.money.amount_minor,
        "price_minor": bill.price.amount_minor,
        "currency": bill.money.currency,
        "livemode": bill.livemode,
        "opened_at": rfc3339(bill.opened_at),
        "closes_at": rfc3339(bill.closes_at),
        "next_step_at": rfc3339(bill.next_step_at) if bill.next_step_at else None,
        "is_charged": bill.is_charged,
    }


def _bill(row: Row) -> Bill:
    return Bill(
        id=row["id"],
        app_id=row["app_id"],
        client_id=row["client_id"],
        subscription_id=row["subscription_id"],
        kind=BillKind(row["kind"]),
        due_at=row["due_at"],
        plan=row["plan"],
        product=row["product"],
        money=Money(row["amount_minor"], row["currency"]),
        price=Money(row["price_minor"], row["currency"]),
        livemode=row["livemode"],
        opened_at=row["opened_at"],
        closes_at=row["closes_at"],
        updated_at=row["updated_at"],
        status=BillStatus(row["status"]),
        is_charged=row["is_charged"],
        next_step_at=row["next_step_at"],
    )
