"""Subscriptions that turn by the clock alone: their told status follows, a thousand at a time.

Nobody's access waits for this: it follows from the dates. This is what apps hear of it.
"""

from datetime import datetime

from tollgate.domain.ids import RandomBytes, new_id
from tollgate.domain.subscription import Subscription
from tollgate.storage.database import Database
from tollgate.storage.subscriptions import COLUMNS, subscription_of

_ACTOR = "renew"


def move_due(database: Database, now: datetime, random_bytes: RandomBytes, limit: int) -> int:
    """Moves the statuses of subscriptions that turned by now, with the events and one audit row for
    each app; how many were looked at.

    One statement: it may be run twice, at once, or be killed, and each turn is told once. A row
    from before there was a status gets its own untold.
    """
    row = database.one(
        """WITH due AS MATERIALIZED (
               SELECT id, status AS was, subscription_status(s, %(now)s) AS becomes
               FROM subscriptions s
               WHERE turns_at <= %(now)s AND (resumes_at IS NULL OR resumes_at > %(now)s)
               ORDER BY turns_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
           ), turning AS (
               SELECT *, CASE
                   WHEN was IS NULL OR was = becomes THEN NULL
                   WHEN becomes = 'past_due' THEN 'subscription.past_due'
                   WHEN becomes IN ('expired', 'canceled')
                        AND was NOT IN ('expired', 'canceled', 'incomplete')
                   THEN 'subscription.expired'
               END AS type
               FROM due
           ), moved AS (
               UPDATE subscriptions s
               SET status = becomes,
                   turns_at = subscription_turns_at(s, %(now)s),
                   bill_opens_at = CASE
                       WHEN was IS NULL AND NOT EXISTS (
                           SELECT FROM bills WHERE subscription_id = s.id AND status = 'open')
                       THEN subscription_bill_opens_at(s)
                       ELSE s.bill_opens_at END,
                   version = version + (type IS NOT NULL)::int
               FROM turning WHERE s.id = turning.id
               RETURNING s.id, s.app_id, s.client_id, s.product, s.plan, s.next_plan,
                         s.next_plan_at, s.paid_through, s.version, s.status, was, type
           ), turned AS (
               SELECT * FROM moved WHERE was <> status
           ), told AS (
               INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
               SELECT %(id_begins)s || lpad(to_hex(row_number() OVER ()), 6, '0'),
                      app_id, type, id, version,
                      jsonb_build_object(
                          'subscription_id', id, 'client_id', client_id, 'product', product,
                          'status', status, 'plan', plan, 'next_plan', next_plan,
                          'next_plan_at', next_plan_at, 'paid_through', paid_through),
                      %(now)s
               FROM turned WHERE type IS NOT NULL
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
               SELECT app_id, %(actor)s, 'subscriptions.turned', min(id),
                      jsonb_object_agg(id, status), %(now)s
               FROM turned GROUP BY app_id
           )
           SELECT count(*) AS looked_at FROM moved""",
        {
            "now": now,
            "limit": limit,
            "id_begins": new_id("evt", now, random_bytes)[:-6],
            "actor": _ACTOR,
        },
    )
    assert row is not None
    looked_at: int = row["looked_at"]
    return looked_at


def list_resuming(database: Database, now: datetime, limit: int) -> list[Subscription]:
    """Paused subscriptions that resume by now, longest due first."""
    rows = database.all(
        "SELECT"
        + COLUMNS
        + """ FROM subscriptions
           WHERE turns_at <= %(now)s AND resumes_at <= %(now)s
           ORDER BY turns_at LIMIT %(limit)s""",
        {"now": now, "limit": limit},
    )
    return [subscription_of(row) for row in rows]


def count_due(database: Database, now: datetime) -> int:
    """How many subscriptions have turned and were not told of."""
    row = database.one(
        "SELECT count(*) AS due FROM subscriptions WHERE turns_at <= %(now)s", {"now": now}
    )
    assert row is not None
    due: int = row["due"]
    return due
