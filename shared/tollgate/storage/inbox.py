"""What PSPs told us: each event once."""

from datetime import datetime

from tollgate.domain.outcome import Hint
from tollgate.storage.database import Database


def row_id(psp: str, event_id: str) -> str:
    """What an event goes by where one name is needed."""
    return f"{psp}:{event_id}"


def insert_event(
    database: Database,
    app_id: str,
    psp: str,
    event_id: str,
    hint: Hint,
    *,
    payload: bytes,
    now: datetime,
) -> bool:
    """Records an event with what was sent, sealed; whether it still is to be processed.

    False only when it was processed before. A second delivery while the first is being worked on
    is True for both: settling twice is harmless, losing an event between the two is not.
    """
    row = database.one(
        """INSERT INTO inbox (psp, event_id, app_id, type, payment_id, psp_reference, payload,
                              received_at)
           VALUES (%(psp)s, %(event_id)s, %(app_id)s, %(type)s, %(payment_id)s,
                   %(psp_reference)s, %(payload)s, %(now)s)
           ON CONFLICT (psp, event_id) DO UPDATE SET received_at = inbox.received_at
           RETURNING processed_at""",
        {
            "psp": psp,
            "event_id": event_id,
            "app_id": app_id,
            "payload": payload,
            "type": hint.type,
            "payment_id": hint.payment_id,
            "psp_reference": hint.psp_reference,
            "now": now,
        },
    )
    assert row is not None
    return row["processed_at"] is None


def mark_processed(database: Database, psp: str, event_id: str, now: datetime) -> None:
    """The event had its effect, or has none."""
    database.one(
        """UPDATE inbox SET processed_at = %(now)s
           WHERE psp = %(psp)s AND event_id = %(event_id)s AND processed_at IS NULL""",
        {"psp": psp, "event_id": event_id, "now": now},
    )
