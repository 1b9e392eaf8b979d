"""Subscriptions, and the dates that the check reads."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from tollgate.domain.errors import NotFound
from tollgate.domain.events import EventType
from tollgate.domain.page import Page
from tollgate.domain.payment import Method
from tollgate.domain.subscription import Dates, Language, Reason, RenewalWishes, Subscription
from tollgate.storage.database import Database, Row


def lock_client(database: Database, app_id: str, client_id: str, now: datetime) -> None:
    """Raises the version of the client's row, made if missing, and locks it to the
    transaction's end."""
    database.one(
        """INSERT INTO clients (app_id, client_id, created_at)
           VALUES (%(app_id)s, %(client_id)s, %(now)s)
           ON CONFLICT (app_id, client_id) DO UPDATE SET version = clients.version + 1""",
        {"app_id": app_id, "client_id": client_id, "now": now},
    )


COLUMNS: LiteralString = """
    id, app_id, client_id, product, plan, next_plan, next_plan_at, livemode, anchor_at,
    periods_since_anchor, trial_end, paid_through, grace_until, paused_at, resumes_at, cancel_at,
    ended_by, currency, renew_method, renew_hour, time_zone, language, created_at, updated_at"""


def find_live(database: Database, app_id: str, client_id: str, product: str) -> Subscription | None:
    """The client's live subscription to a product; call it under lock_client to change it."""
    row = database.one(
        "SELECT"
        + COLUMNS
        + """ FROM subscriptions
           WHERE app_id = %(app_id)s AND client_id = %(client_id)s AND product = %(product)s
             AND ended_at IS NULL""",
        {"app_id": app_id, "client_id": client_id, "product": product},
    )
    return subscription_of(row) if row else None


def get_subscription(database: Database, subscription_id: str) -> Subscription:
    """The tenant's subscription with this id, live or not. Raises NotFound."""
    row = database.one(
        "SELECT" + COLUMNS + " FROM subscriptions WHERE id = %(id)s", {"id": subscription_id}
    )
    if row is None:
        raise NotFound
    return subscription_of(row)


def list_subscriptions(
    database: Database, app_id: str | None, client_id: str | None, product: str | None, page: Page
) -> list[Subscription]:
    """The tenant's subscriptions, newest first, the ended ones too; None: all of them."""
    rows = database.all(
        "SELECT"
        + COLUMNS
        + """ FROM subscriptions
           WHERE (%(after)s = '' OR id < %(after)s)
             AND (%(app_id)s::text IS NULL OR app_id = %(app_id)s)
             AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s)
             AND (%(product)s::text IS NULL OR product = %(product)s)
           ORDER BY id DESC LIMIT %(limit)s""",
        {
            "after": page.after,
            "app_id": app_id,
            "client_id": client_id,
            "product": product,
            "limit": page.fetch,
        },
    )
    return [subscription_of(row) for row in rows]


def had_subscription(database: Database, app_id: str, client_id: str, product: str) -> bool:
    """Whether this client ever had one to this product: a trial is given once."""
    row = database.one(
        """SELECT 1 FROM subscriptions
           WHERE app_id = %(app_id)s AND client_id = %(client_id)s AND product = %(product)s
           LIMIT 1""",
        {"app_id": app_id, "client_id": client_id, "product": product},
    )
    return row is not None


def end_subscription(database: Database, subscription_id: str, actor: str, now: datetime) -> None:
    """Takes a subscription that is over out of the way of a new one, and its audit row."""
    database.one(
        """WITH ended AS (
               UPDATE subscriptions SET ended_at = %(now)s, updated_at = %(now)s
               WHERE id = %(id)s AND ended_at IS NULL
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, at)
           SELECT app_id, %(actor)s, 'subscription.ended', id, %(now)s FROM ended""",
        {"id": subscription_id, "actor": actor, "now": now},
    )


def save_subscription(
    database: Database,
    subscription: Subscription,
    *,
    event_id: str,
    event_type: EventType | None,
    event_data: str,
    actor: str,
) -> None:
    """Inserts or updates a subscription with its event, if any, and its audit row, in one
    statement.

    The caller holds lock_client, so nobody else writes this row.
    """
    dates = subscription.dates
    database.one(
        """WITH saved AS (
               INSERT INTO subscriptions
                   (id, app_id, client_id, product, plan, next_plan, next_plan_at, livemode,
                    anchor_at, periods_since_anchor, trial_end, paid_through, grace_until,
                    paused_at, resumes_at, cancel_at, ended_by, currency, renew_method,
                    renew_hour, time_zone, language, created_at, updated_at)
               VALUES (%(id)s, %(app_id)s, %(client_id)s, %(product)s, %(plan)s, %(next_plan)s,
                       %(next_plan_at)s, %(livemode)s, %(anchor_at)s,
                       %(periods_since_anchor)s, %(trial_end)s, %(paid_through)s,
                       %(grace_until)s, %(paused_at)s, %(resumes_at)s, %(cancel_at)s,
                       %(ended_by)s, %(currency)s, %(renew_method)s, %(renew_hour)s,
                       %(time_zone)s, %(language)s, %(created_at)s, %(updated_at)s)
               ON CONFLICT (id) DO UPDATE
               SET plan = excluded.plan, next_plan = excluded.next_plan,
                   next_plan_at = excluded.next_plan_at,
                   anchor_at = excluded.anchor_at,
                   periods_since_anchor = excluded.periods_since_anchor,
                   trial_end = excluded.trial_end, paid_through = excluded.paid_through,
                   grace_until = excluded.grace_until, paused_at = excluded.paused_at,
                   resumes_at = excluded.resumes_at, cancel_at = excluded.cancel_at,
                   ended_by = excluded.ended_by, currency = excluded.currency,
                   renew_method = excluded.renew_method, renew_hour = excluded.renew_hour,
                   time_zone = excluded.time_zone, language = excluded.language,
                   updated_at = excluded.updated_at,
                   version = subscriptions.version + 1
               RETURNING id, app_id, version
           ), event AS (
               INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
               SELECT %(event_id)s, app_id, %(event_type)s, id, version,
                      %(event_data)s::jsonb, %(updated_at)s
               FROM saved WHERE %(event_type)s::text IS NOT NULL
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, coalesce(%(event_type)s, 'subscription.changed'), id,
                  jsonb_build_object('plan', %(plan)s::text, 'next_plan', %(next_plan)s::text,
                                     'paid_through', %(paid_through)s::timestamptz,
                                     'paused_at', %(paused_at)s::timestamptz,
                                     'resumes_at', %(resumes_at)s::timestamptz,
                                     'cancel_at', %(cancel_at)s::timestamptz),
                  %(updated_at)s
           FROM saved""",
        {
            "id": dates.subscription_id,
            "app_id": subscription.app_id,
            "client_id": subscription.client_id,
            "product": dates.product,
            "plan": dates.plan,
            "next_plan": dates.next_plan,
            "next_plan_at": dates.next_plan_at,
            "livemode": subscription.livemode,
            "anchor_at": subscription.anchor_at,
            "periods_since_anchor": subscription.periods_since_anchor,
            "trial_end": dates.trial_end,
            "paid_through": dates.paid_through,
            "grace_until": dates.grace_until,
            "paused_at": dates.paused_at,
            "resumes_at": dates.resumes_at,
            "cancel_at": dates.cancel_at,
            "ended_by": dates.ended_by,
            "currency": subscription.currency,
            "renew_method": subscription.renewal.method,
            "renew_hour": subscription.renewal.hour,
            "time_zone": subscription.renewal.time_zone,
            "language": subscription.renewal.language,
            "created_at": subscription.created_at,
            "updated_at": subscription.updated_at,
            "event_id": event_id,
            "event_type": event_type,
            "event_data": event_data,
            "actor": actor,
        },
    )


@dataclass(frozen=True)
class Announcement:
    """What an app is told of a subscription; `data` is JSON text."""

    subscription_id: str
    event_id: str
    event_type: EventType
    data: str


def tell(database: Database, announcements: Sequence[Announcement], now: datetime) -> None:
    """Writes these events, one for a subscription, in the transaction of what they tell of."""
    database.one(
        """WITH told AS (
               SELECT * FROM unnest(%(ids)s::text[], %(event_ids)s::text[], %(types)s::text[],
                                    %(data)s::jsonb[]) AS t (id, event_id, type, data)
           ), counted AS (
               UPDATE subscriptions s SET version = version + 1
               FROM told WHERE s.id = told.id
               RETURNING s.id, s.app_id, s.version, told.event_id, told.type, told.data
           )
           INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
           SELECT event_id, app_id, type, id, version, data, %(now)s FROM counted""",
        {
            "ids": [item.subscription_id for item in announcements],
            "event_ids": [item.event_id for item in announcements],
            "types": [item.event_type for item in announcements],
            "data": [item.data for item in announcements],
            "now": now,
        },
    )


@dataclass(frozen=True)
class ClientDates:
    """The dates of a client's live subscriptions, as of the client's `version`.

    `read_at` is in Unix seconds, from before they were read.
    """

    version: int
    dates: tuple[Dates, ...]
    read_at: float


def read_access(database: Database, app_id: str, client_id: str) -> ClientDates:
    """What decides this client's access: one round trip. Version 0 for an unknown client."""
    read_at = time.time()
    rows = database.all(
        """SELECT c.version, s.id, s.product, s.plan, s.next_plan, s.next_plan_at,
                  s.trial_end, s.paid_through,
                  s.grace_until, s.paused_at, s.resumes_at, s.cancel_at, s.ended_by
           FROM clients c
           LEFT JOIN subscriptions s
             ON s.app_id = c.app_id AND s.client_id = c.client_id AND s.ended_at IS NULL
           WHERE c.app_id = %(app_id)s AND c.client_id = %(client_id)s""",
        {"app_id": app_id, "client_id": client_id},
    )
    version = rows[0]["version"] if rows else 0
    dates = tuple(_dates(row) for row in rows if row["id"] is not None)
    return ClientDates(version, dates, read_at)


@dataclass(frozen=True)
class UnderWay:
    """Payments of a client that may still succeed."""

    to_ask: str | None
    """The one that the PSP knows and was least recently asked about."""
    pay_url: str | None
    """Where the client can pay the newest that can be paid on a page."""


def find_under_way(
    database: Database, app_id: str, client_id: str, product: str | None, now: datetime
) -> UnderWay | None:
    """The payments under way for plans of this product (of any, when None).

    One that the PSP may not have heard of is under way until the time to pay it is over; one that
    it knows, until it says so.
    """
    rows = database.all(
        """SELECT id, psp_reference IS NOT NULL AS is_known,
                  CASE WHEN expires_at > %(now)s AND next_action ->> 'type' = 'redirect'
                       THEN next_action ->> 'url' END AS pay_url
           FROM payments
           WHERE app_id = %(app_id)s AND client_id = %(client_id)s
             AND status IN ('pending', 'requires_action', 'processing', 'authorized')
             AND product IS NOT NULL
             AND (psp_reference IS NOT NULL OR expires_at > %(now)s)
             AND (%(product)s::text IS NULL OR product = %(product)s)
           ORDER BY psp_reference IS NULL, asked_at NULLS FIRST, created_at DESC LIMIT 20""",
        {"app_id": app_id, "client_id": client_id, "product": product, "now": now},
    )
    if not rows:
        return None
    # an id begins with its time
    newest_first = sorted(rows, key=lambda row: str(row["id"]), reverse=True)
    return UnderWay(
        to_ask=next((row["id"] for row in rows if row["is_known"]), None),
        pay_url=next((row["pay_url"] for row in newest_first if row["pay_url"]), None),
    )


def subscription_of(row: Row) -> Subscription:
    """The subscription that these columns make."""
    return Subscription(
        app_id=row["app_id"],
        client_id=row["client_id"],
        dates=_dates(row),
        livemode=row["livemode"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        anchor_at=row["anchor_at"],
        periods_since_anchor=row["periods_since_anchor"],
        currency=row["currency"],
        renewal=RenewalWishes(
            method=Method(row["renew_method"]) if row["renew_method"] else None,
            hour=row["renew_hour"],
            time_zone=row["time_zone"],
            language=Language(row["language"]),
        ),
    )


def _dates(row: Row) -> Dates:
    return Dates(
        subscription_id=row["id"],
        product=row["product"],
        plan=row["plan"],
        trial_end=row["trial_end"],
        paid_through=row["paid_through"],
        grace_until=row["grace_until"],
        paused_at=row["paused_at"],
        resumes_at=row["resumes_at"],
        cancel_at=row["cancel_at"],
        next_plan=row["next_plan"],
        next_plan_at=row["next_plan_at"],
        ended_by=Reason(row["ended_by"]) if row["ended_by"] else None,
    )
