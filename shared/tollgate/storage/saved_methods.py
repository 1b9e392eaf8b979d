"""What clients paid with and let their apps keep."""

from collections.abc import Sequence
from datetime import datetime

from tollgate.domain.order import SavedMethod
from tollgate.domain.payment import Payment
from tollgate.storage.database import Database


def insert_saved_method(
    database: Database, saved_id: str, payment: Payment, saved: SavedMethod, now: datetime
) -> None:
    """Keeps what this payment was paid with; kept before, it is the newest again."""
    database.one(
        """INSERT INTO saved_methods (id, app_id, client_id, psp, customer_reference,
                                      method_reference, payment_id, created_at)
           VALUES (%(id)s, %(app_id)s, %(client_id)s, %(psp)s, %(customer_reference)s,
                   %(method_reference)s, %(payment_id)s, %(now)s)
           ON CONFLICT (app_id, client_id, psp, method_reference)
           DO UPDATE SET created_at = excluded.created_at""",
        {
            "id": saved_id,
            "app_id": payment.app_id,
            "client_id": payment.client_id,
            "psp": payment.psp,
            "customer_reference": saved.customer_reference,
            "method_reference": saved.method_reference,
            "payment_id": payment.id,
            "now": now,
        },
    )


def list_newest(database: Database, app_id: str, client_id: str) -> Sequence[tuple[str, str]]:
    """What this client last let the app keep at each PSP: (PSP, id)."""
    rows = database.all(
        """SELECT DISTINCT ON (psp) psp, id FROM saved_methods
           WHERE app_id = %(app_id)s AND client_id = %(client_id)s
           ORDER BY psp, created_at DESC, id DESC""",
        {"app_id": app_id, "client_id": client_id},
    )
    return [(row["psp"], row["id"]) for row in rows]


def list_refused(database: Database, app_id: str, client_id: str) -> frozenset[str]:
    """The ids of those of this client that a PSP said of, since they were kept, that charging them
    again will never do."""
    rows = database.all(
        """SELECT s.id FROM saved_methods s JOIN payments p ON p.saved_method_id = s.id
           WHERE s.app_id = %(app_id)s AND s.client_id = %(client_id)s
             AND p.app_id = %(app_id)s AND p.client_id = %(client_id)s
             AND p.created_at > s.created_at AND p.failure ->> 'advice' = 'never'""",
        {"app_id": app_id, "client_id": client_id},
    )
    return frozenset(row["id"] for row in rows)


def get_saved_method(database: Database, saved_id: str) -> SavedMethod:
    """The PSP's names of what was kept."""
    row = database.one(
        """SELECT customer_reference, method_reference FROM saved_methods WHERE id = %(id)s""",
        {"id": saved_id},
    )
    assert row is not None
    return SavedMethod(**row)
