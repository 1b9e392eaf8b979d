"""Disputes: the row, and its audit row in the same statement."""

import json

from tollgate.domain.dispute import Dispute, DisputeStatus
from tollgate.domain.money import Money
from tollgate.storage.database import Database, Row


def list_of_payment(database: Database, payment_id: str) -> tuple[Dispute, ...]:
    """All disputes of a payment, oldest first."""
    rows = database.all(
        """SELECT id, app_id, payment_id, psp, psp_reference, amount_minor, currency, status,
                  version, created_at, updated_at
           FROM disputes WHERE payment_id = %(payment_id)s ORDER BY id""",
        {"payment_id": payment_id},
    )
    return tuple(_dispute(row) for row in rows)


def save_dispute(database: Database, dispute: Dispute, *, actor: str) -> None:
    """Inserts or updates a dispute and writes its audit row, in one statement. The caller holds
    the payment's row, so nobody else writes this one."""
    database.one(
        """WITH saved AS (
               INSERT INTO disputes
                   (id, app_id, payment_id, psp, psp_reference, amount_minor, currency, status,
                    created_at, updated_at)
               VALUES (%(id)s, %(app_id)s, %(payment_id)s, %(psp)s, %(psp_reference)s,
                       %(amount_minor)s, %(currency)s, %(status)s, %(created_at)s, %(updated_at)s)
               ON CONFLICT (id) DO UPDATE
               SET status = excluded.status, updated_at = excluded.updated_at,
                   version = disputes.version + 1
               RETURNING id, app_id
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'dispute.' || %(status)s, id, %(audit_after)s::jsonb,
                  %(updated_at)s
           FROM saved""",
        {
            "id": dispute.id,
            "app_id": dispute.app_id,
            "payment_id": dispute.payment_id,
            "psp": dispute.psp,
            "psp_reference": dispute.psp_reference,
            "amount_minor": dispute.money.amount_minor,
            "currency": dispute.money.currency,
            "status": dispute.status,
            "created_at": dispute.created_at,
            "updated_at": dispute.updated_at,
            "actor": actor,
            "audit_after": json.dumps(
                {
                    "payment_id": dispute.payment_id,
                    "status": dispute.status,
                    "amount": dispute.money.amount_minor,
                    "currency": dispute.money.currency,
                }
            ),
        },
    )


def _dispute(row: Row) -> Dispute:
    money = Money(row.pop("amount_minor"), row.pop("currency"))
    return Dispute(**{**row, "status": DisputeStatus(row["status"])}, money=money)
