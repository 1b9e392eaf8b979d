"""Which payments reconcile looks at, and when."""

from datetime import datetime

from tollgate.domain.checks import LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS
from tollgate.storage.database import Database


def claim_due(database: Database, now: datetime, limit: int) -> list[str]:
    """Claims the payments that are due, longest due first; their ids.

    The claim is the next check itself: later, and twice as far with each that settled nothing. So
    whoever dies with it delays the payment and no more, and two callers never share one.
    """
    rows = database.all(
        """UPDATE payments
           SET checks = checks + 1,
               next_check_at = %(now)s + make_interval(secs => least(
                   %(shortest)s * power(2, least(checks, 30)), %(longest)s))
           WHERE id IN (SELECT id FROM payments WHERE next_check_at <= %(now)s
                        ORDER BY next_check_at LIMIT %(limit)s
                        FOR UPDATE SKIP LOCKED)
           RETURNING id""",
        {
            "now": now,
            "limit": limit,
            "shortest": SHORTEST_PAUSE_SECONDS,
            "longest": LONGEST_PAUSE_SECONDS,
        },
    )
    return [row["id"] for row in rows]


def stop_checking(database: Database, payment_id: str, version: int) -> None:
    """Nothing about this payment is open, if it still stands as it was read."""
    database.one(
        """UPDATE payments SET next_check_at = NULL
           WHERE id = %(payment_id)s AND version = %(version)s
             AND NOT EXISTS (SELECT FROM refunds
                             WHERE refunds.payment_id = payments.id AND refunds.status = 'pending')
        """,
        {"payment_id": payment_id, "version": version},
    )


def count_due(database: Database, now: datetime) -> int:
    """How many wait to be looked at."""
    row = database.one(
        "SELECT count(*) AS due FROM payments WHERE next_check_at <= %(now)s", {"now": now}
    )
    assert row is not None
    due: int = row["due"]
    return due
