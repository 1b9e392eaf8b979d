"""Every sealed column, for the rotation of their keys: rows that another key sealed, in batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from tollgate.storage.database import Database


@dataclass(frozen=True)
class SealedRow:
    """A sealed value, and the row that it is bound to."""

    row_id: str
    app_id: str
    sealed: bytes


@dataclass(frozen=True)
class Resealed:
    """What takes a value's place, if it still is what it was."""

    row_id: str
    was: bytes
    sealed: bytes
    email_index: bytes | None


@dataclass(frozen=True)
class SealedColumn:
    """A sealed column and its two statements."""

    table: str
    column: str
    select: LiteralString
    update: LiteralString


CUSTOMERS = SealedColumn(
    "payments",
    "customer",
    """SELECT id AS row_id, app_id, customer AS sealed FROM payments
       WHERE id > %(after)s
         AND substr(customer, 3, get_byte(customer, 1)) <> %(key_id)s
       ORDER BY id LIMIT %(limit)s""",
    """UPDATE payments SET customer = new.sealed, customer_email_index = new.email_index
       FROM unnest(%(row_ids)s::text[], %(was)s::bytea[], %(sealed)s::bytea[],
                   %(email_indexes)s::bytea[]) AS new (row_id, was, sealed, email_index)
       WHERE id = new.row_id AND customer = new.was""",
)

SUBSCRIBERS = SealedColumn(
    "subscriptions",
    "customer",
    """SELECT id AS row_id, app_id, customer AS sealed FROM subscriptions
       WHERE id > %(after)s
         AND substr(customer, 3, get_byte(customer, 1)) <> %(key_id)s
       ORDER BY id LIMIT %(limit)s""",
    """UPDATE subscriptions SET customer = new.sealed
       FROM unnest(%(row_ids)s::text[], %(was)s::bytea[], %(sealed)s::bytea[])
            AS new (row_id, was, sealed)
       WHERE id = new.row_id AND customer = new.was""",
)

PAYLOADS = SealedColumn(
    "inbox",
    "payload",
    """SELECT psp || ':' || event_id AS row_id, app_id, payload AS sealed FROM inbox
       WHERE (psp, event_id) > (split_part(%(after)s, ':', 1),
                                substr(%(after)s, strpos(%(after)s, ':') + 1))
         AND substr(payload, 3, get_byte(payload, 1)) <> %(key_id)s
       ORDER BY psp, event_id LIMIT %(limit)s""",
    """UPDATE inbox SET payload = new.sealed
       FROM unnest(%(row_ids)s::text[], %(was)s::bytea[], %(sealed)s::bytea[])
            AS new (row_id, was, sealed)
       WHERE psp = split_part(new.row_id, ':', 1)
         AND event_id = substr(new.row_id, strpos(new.row_id, ':') + 1)
         AND payload = new.was""",
)

SEALED_COLUMNS = (CUSTOMERS, SUBSCRIBERS, PAYLOADS)


def list_sealed_otherwise(
    database: Database, column: SealedColumn, key_id: str, after: str, limit: int
) -> Sequence[SealedRow]:
    """Rows behind `after` whose value was sealed with another key than this one, in order."""
    parameters = {"after": after, "key_id": key_id.encode(), "limit": limit}
    rows = database.all(column.select, parameters)
    return [SealedRow(**{**row, "sealed": bytes(row["sealed"])}) for row in rows]


def replace_sealed(database: Database, column: SealedColumn, resealed: Sequence[Resealed]) -> None:
    """Writes the new values over those that nobody changed meanwhile, in one commit."""
    database.one(
        column.update,
        {
            "row_ids": [row.row_id for row in resealed],
            "was": [row.was for row in resealed],
            "sealed": [row.sealed for row in resealed],
            "email_indexes": [row.email_index for row in resealed],
        },
    )
