"""The PSPs' other names of payments, by which their events speak of them."""

from tollgate.domain.payment import Payment
from tollgate.storage.database import Database


def insert_references(database: Database, payment: Payment, references: tuple[str, ...]) -> None:
    """Names by which the PSP may speak of this payment from now on."""
    database.one(
        """INSERT INTO psp_references (psp, reference, app_id, payment_id)
           SELECT %(psp)s, unnest(%(references)s::text[]), %(app_id)s, %(payment_id)s
           ON CONFLICT DO NOTHING""",
        {
            "psp": payment.psp,
            "references": list(references),
            "app_id": payment.app_id,
            "payment_id": payment.id,
        },
    )


def find_payment_id(database: Database, psp: str, references: tuple[str, ...]) -> str | None:
    """The payment that this PSP calls by one of these names, the one that `fetch` takes too."""
    row = database.one(
        """SELECT id FROM payments
           WHERE psp = %(psp)s AND psp_reference = ANY (%(references)s::text[])
           UNION ALL
           SELECT payment_id FROM psp_references
           WHERE psp = %(psp)s AND reference = ANY (%(references)s::text[])
           LIMIT 1""",
        {"psp": psp, "references": list(references)},
    )
    return row["id"] if row else None
