"""The payments of a bill: the tries to pay it."""

from datetime import datetime

from tollgate.domain.bill import Bill
from tollgate.domain.payment import Payment
from tollgate.storage.database import Database
from tollgate.storage.payments import COLUMNS, payment_of


def find_newest(database: Database, bill_id: str) -> Payment | None:
    """The try to pay this bill that is open, else the last one: an id begins with its time."""
    row = database.one(
        "SELECT"
        + COLUMNS
        + """ FROM payments WHERE bill_id = %(bill_id)s
           ORDER BY status IN ('pending', 'requires_action', 'processing', 'authorized') DESC,
                    id DESC LIMIT 1""",
        {"bill_id": bill_id},
    )
    return payment_of(row) if row else None


def find_paid(database: Database, bill_id: str) -> Payment | None:
    """The payment that paid this bill, whatever became of its money since: of two the one whose
    money was not given back."""
    row = database.one(
        "SELECT"
        + COLUMNS
        + """ FROM payments
           WHERE bill_id = %(bill_id)s AND amount_captured_minor > 0
           ORDER BY status IN ('refunded', 'disputed'), id LIMIT 1""",
        {"bill_id": bill_id},
    )
    return payment_of(row) if row else None


def is_under_way(database: Database, bill: Bill, recently: datetime, now: datetime) -> bool:
    """Whether some payment of the client's may pay for the bill's product without us: whatever is
    asked beside it could be one too many. A page that is older than `recently` was left; one that a
    PSP never heard of is over with its time to pay, but what was charged off session may be paid
    until its PSP says."""
    row = database.one(
        """SELECT 1 FROM payments
           WHERE app_id = %(app_id)s AND client_id = %(client_id)s AND product = %(product)s
             AND (status = 'needs_review'
                  OR (status IN ('pending', 'processing', 'authorized')
                      AND (coalesce(psp_reference, saved_method_id) IS NOT NULL
                           OR expires_at > %(now)s))
                  OR (status = 'requires_action'
                      AND (created_at > %(recently)s OR bill_id = %(bill_id)s)))
           LIMIT 1""",
        {
            "app_id": bill.app_id,
            "client_id": bill.client_id,
            "product": bill.product,
            "bill_id": bill.id,
            "recently": recently,
            "now": now,
        },
    )
    return row is not None


def count_since(database: Database, bill_id: str, since: datetime) -> int:
    """How many payments of this bill its client started since then: from the timer's there is
    nowhere to come back to."""
    row = database.one(
        """SELECT count(*) AS started FROM payments
           WHERE bill_id = %(bill_id)s AND created_at > %(since)s AND return_url IS NOT NULL""",
        {"bill_id": bill_id, "since": since},
    )
    assert row is not None
    started: int = row["started"]
    return started
