"""Refunds: the row, and what is written in the same statement with each change of it."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import LiteralString

from tollgate.domain.errors import NotFound
from tollgate.domain.events import EventType
from tollgate.domain.idempotency import LOCK_SECONDS, Claim
from tollgate.domain.money import Money
from tollgate.domain.payment import Failure
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.storage.database import Database, Row

_COLUMNS: LiteralString = """
    id, app_id, payment_id, psp, psp_reference, amount_minor, currency, status, reason, failure,
    version, created_at, updated_at"""


def insert_claimed(
    database: Database, refund: Refund, claim: Claim, *, actor: str, now: datetime
) -> bool:
    """The refund, the claim of its key and its audit row, in one statement; the payment's next
    check, too: should its holder die, reconcile looks at it when the claim ends.

    False when the key was claimed before; then nothing was written. Raises ConstraintViolated
    `refunds_within_captured`. The caller holds the payment's row.
    """
    row = database.one(
        """WITH claim AS (
               INSERT INTO idempotency_keys
                   (app_id, key, request_sha256, payment_id, refund_id, locked_until, created_at)
               SELECT %(app_id)s, %(key)s, %(request_sha256)s, %(payment_id)s, %(id)s,
                      %(locked_until)s, %(now)s
               WHERE NOT EXISTS (SELECT FROM payments
                                 WHERE app_id = %(app_id)s AND idempotency_key = %(key)s)
               ON CONFLICT DO NOTHING
               RETURNING app_id, key
           ), refund AS (
               INSERT INTO refunds
                   (id, app_id, payment_id, psp, amount_minor, currency, status, reason,
                    idempotency_key, request_sha256, created_at, updated_at)
               SELECT %(id)s, app_id, %(payment_id)s, %(psp)s, %(amount_minor)s, %(currency)s,
                      'pending', %(reason)s, key, %(request_sha256)s, %(now)s, %(now)s
               FROM claim
               RETURNING id, app_id, payment_id
           ), checked AS (
               UPDATE payments
               SET next_check_at = least(next_check_at, %(locked_until)s), checks = 0
               FROM refund WHERE payments.id = refund.payment_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'refund.created', id, %(audit_after)s::jsonb, %(now)s
           FROM refund
           RETURNING object_id""",
        {
            "id": refund.id,
            "app_id": refund.app_id,
            "payment_id": refund.payment_id,
            "psp": refund.psp,
            "amount_minor": refund.money.amount_minor,
            "currency": refund.money.currency,
            "reason": refund.reason,
            "key": claim.key,
            "request_sha256": claim.request_sha256,
            "locked_until": now + timedelta(seconds=LOCK_SECONDS),
            "actor": actor,
            "audit_after": json.dumps(_audited(refund)),
            "now": now,
        },
    )
    return row is not None


def get_refund(database: Database, refund_id: str) -> Refund:
    """The tenant's refund with this id. Raises NotFound."""
    row = database.one(
        "SELECT" + _COLUMNS + " FROM refunds WHERE id = %(refund_id)s", {"refund_id": refund_id}
    )
    if row is None:
        raise NotFound
    return _refund(row)


def list_of_payment(database: Database, payment_id: str) -> tuple[Refund, ...]:
    """All refunds of a payment, oldest first."""
    rows = database.all(
        "SELECT" + _COLUMNS + " FROM refunds WHERE payment_id = %(payment_id)s ORDER BY id",
        {"payment_id": payment_id},
    )
    return tuple(_refund(row) for row in rows)


def list_pending(database: Database) -> list[Refund]:
    """The tenant's refunds of which nobody has said what became of them, oldest first."""
    rows = database.all(
        "SELECT" + _COLUMNS + " FROM refunds WHERE status = 'pending' ORDER BY id", {}
    )
    return [_refund(row) for row in rows]


def save_refund(
    database: Database,
    refund: Refund,
    *,
    event_id: str,
    event_type: EventType | None,
    event_data: str,
    actor: str,
) -> None:
    """Inserts or updates a refund with its event (JSON text `event_data`) and its audit row, in one
    statement. The caller holds the payment's row, so nobody else writes this one."""
    database.one(
        """WITH saved AS (
               INSERT INTO refunds
                   (id, app_id, payment_id, psp, psp_reference, amount_minor, currency, status,
                    reason, failure, created_at, updated_at)
               VALUES (%(id)s, %(app_id)s, %(payment_id)s, %(psp)s, %(psp_reference)s,
                       %(amount_minor)s, %(currency)s, %(status)s, %(reason)s, %(failure)s::jsonb,
                       %(created_at)s, %(updated_at)s)
               ON CONFLICT (id) DO UPDATE
               SET psp_reference = excluded.psp_reference, status = excluded.status,
                   failure = excluded.failure, updated_at = excluded.updated_at,
                   version = refunds.version + 1
               RETURNING id, app_id, version
           ), event AS (
               INSERT INTO outbox (id, app_id, type, aggregate_id, sequence, data, created_at)
               SELECT %(event_id)s, app_id, %(event_type)s, id, version, %(event_data)s::jsonb,
                      %(updated_at)s
               FROM saved WHERE %(event_type)s::text IS NOT NULL
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'refund.' || %(status)s, id, %(audit_after)s::jsonb,
                  %(updated_at)s
           FROM saved""",
        {
            "id": refund.id,
            "app_id": refund.app_id,
            "payment_id": refund.payment_id,
            "psp": refund.psp,
            "psp_reference": refund.psp_reference,
            "amount_minor": refund.money.amount_minor,
            "currency": refund.money.currency,
            "status": refund.status,
            "reason": refund.reason,
            "failure": json.dumps(asdict(refund.failure)) if refund.failure else None,
            "created_at": refund.created_at,
            "updated_at": refund.updated_at,
            "event_id": event_id,
            "event_type": event_type,
            "event_data": event_data,
            "actor": actor,
            "audit_after": json.dumps(_audited(refund)),
        },
    )


def _audited(refund: Refund) -> dict[str, object]:
    return {
        "payment_id": refund.payment_id,
        "status": refund.status,
        "amount": refund.money.amount_minor,
        "currency": refund.money.currency,
    }


def _refund(row: Row) -> Refund:
    money = Money(row.pop("amount_minor"), row.pop("currency"))
    failure = row.pop("failure")
    return Refund(
        **{**row, "status": RefundStatus(row["status"])},
        money=money,
        failure=Failure(**failure) if failure else None,
    )
