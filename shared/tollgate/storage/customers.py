"""Who pays, sealed, in the row of the payment."""

from collections.abc import Sequence
from dataclasses import dataclass

from tollgate.storage.database import Database


@dataclass(frozen=True)
class CustomerOfPayment:
    """A payment's id, whose it is, and who paid it."""

    payment_id: str
    app_id: str
    sealed: bytes


def list_by_email(
    database: Database, app_id: str, email_indexes: Sequence[bytes]
) -> Sequence[CustomerOfPayment]:
    """The payments whose customer has this email, by its index under every key; oldest first."""
    rows = database.all(
        """SELECT id AS payment_id, app_id, customer AS sealed FROM payments
           WHERE app_id = %(app_id)s AND customer_email_index = ANY(%(indexes)s)
           ORDER BY id""",
        {"app_id": app_id, "indexes": list(email_indexes)},
    )
    return [CustomerOfPayment(**{**row, "sealed": bytes(row["sealed"])}) for row in rows]


def find_customer(database: Database, payment_id: str) -> bytes | None:
    """Who pays this payment, sealed; None where the app told nothing."""
    row = database.one(
        "SELECT customer FROM payments WHERE id = %(payment_id)s", {"payment_id": payment_id}
    )
    return bytes(row["customer"]) if row and row["customer"] is not None else None
