"""The ledger, read: what moved at a PSP by our own books. It is written by triggers alone."""

from collections.abc import Sequence
from datetime import datetime

from tollgate.domain.ledger import Booked
from tollgate.domain.money import Money
from tollgate.domain.outcome import MovementKind
from tollgate.storage.database import Database, Row


def list_booked(database: Database, psp: str, since: datetime, until: datetime) -> list[Booked]:
    """What was first booked between these instants, in order."""
    found = _read(database, psp, since=since, until=until)
    return [item for item in found if since <= item.at < until]


def find_booked(database: Database, psp: str, references: Sequence[str]) -> list[Booked]:
    """What is booked, at any time, of these payments (by our ids) and of these refunds and disputes
    (by the PSP's)."""
    return _read(database, psp, references)


def _read(
    database: Database,
    psp: str,
    references: Sequence[str] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Booked]:
    """What captures, refunds and disputes come to in all, as the PSP would tell it today: one that
    was reversed is not there any more."""
    rows = database.all(
        """SELECT CASE split_part(l.kind, '_', 1)
                      WHEN 'refund' THEN 'refund' WHEN 'dispute' THEN 'dispute' ELSE 'capture'
                  END AS kind,
                  l.payment_id,
                  coalesce(r.psp_reference, d.psp_reference, l.payment_id) AS reference,
                  abs(sum(l.amount_minor))::bigint AS amount_minor, l.currency, min(l.at) AS at
           FROM ledger_entries l
           LEFT JOIN refunds r ON r.id = l.source_id
           LEFT JOIN disputes d ON d.id = l.source_id
           WHERE l.account = 'psp' AND l.kind <> 'fee' AND l.psp = %(psp)s
             AND l.payment_id IN (
                 SELECT payment_id FROM ledger_entries
                 WHERE psp = %(psp)s AND at >= %(since)s AND at < %(until)s
                 UNION SELECT unnest(%(references)s::text[])
                 UNION SELECT payment_id FROM refunds
                       WHERE psp = %(psp)s AND psp_reference = ANY(%(references)s)
                 UNION SELECT payment_id FROM disputes
                       WHERE psp = %(psp)s AND psp_reference = ANY(%(references)s))
           GROUP BY 1, 2, 3, l.currency, l.source_id HAVING sum(l.amount_minor) <> 0
           ORDER BY at, reference""",
        {"psp": psp, "references": list(references), "since": since, "until": until},
    )
    return [_booked(row) for row in rows]


def _booked(row: Row) -> Booked:
    return Booked(
        kind=MovementKind(row["kind"]),
        reference=row["reference"],
        payment_id=row["payment_id"],
        money=Money(row["amount_minor"], row["currency"]),
        at=row["at"],
    )
