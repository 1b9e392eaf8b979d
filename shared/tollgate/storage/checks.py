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
        # materialized: as a subquery of the UPDATE it may be run for each row, past its limit
        """WITH due AS MATERIALIZED (
               SELECT id, next_check_at AS due_at FROM payments
               WHERE next_check_at <= %(now)s
               ORDER BY next_check_at LIMIT %(limit)s
               FOR UPDATE SKIP LOCKED
           ), claimed AS (
               UPDATE payments
               SET checks = payments.checks + 1,
                   next_check_at = %(now)s + make_interval(secs => least(
                       %(shortest)s * power(2, least(payments.checks, 30)), %(longest)s))
               FROM due WHERE payments.id = due.id
               RETURNING payments.id, due_at
           )
           SELECT id FROM claimed ORDER BY due_at, id""",
        {
            "now": now,
            "limit": limit,
            "shortest": SHORTEST_PAUSE_SECONDS,
            "longest": LONGEST_PAUSE_SECONDS,
        },
    )
    return [row["id"] for row in rows]


def check_at(database: Database, payment_id: str, at: datetime) -> None:
    """Somebody looks at this payment then, or earlier where that was planned."""
    database.one(
        """UPDATE payments SET next_check_at = least(next_check_at, %(at)s), checks = 0
           WHERE id = %(payment_id)s""",
        {"payment_id": payment_id, "at": at},
    )


def end_checks(
    database: Database, payment_id: str, version: int, *, until: datetime | None = None
) -> bool:
    """Nothing about this payment is open, if it still stands as it was claimed and read, or nothing
    that must be looked at before `until`; whether nobody looks at it any more.

    A refund that is asked for meanwhile holds the row, and is not seen by the subquery of who waits
    for it; that it begins the checks anew is.
    """
    database.one(
        """UPDATE payments SET next_check_at = %(until)s
           WHERE id = %(payment_id)s AND version = %(version)s AND checks > 0
             AND NOT EXISTS (SELECT FROM refunds
                             WHERE refunds.payment_id = payments.id AND refunds.status = 'pending')
        """,
        {"payment_id": payment_id, "version": version, "until": until},
    )
    left = database.one(
        "SELECT id FROM payments WHERE id = %(payment_id)s AND next_check_at IS NOT NULL",
        {"payment_id": payment_id},
    )
    return left is None


def count_due(database: Database, now: datetime) -> int:
    """How many wait to be looked at."""
    row = database.one(
        "SELECT count(*) AS due FROM payments WHERE next_check_at <= %(now)s", {"now": now}
    )
    assert row is not None
    due: int = row["due"]
    return due
