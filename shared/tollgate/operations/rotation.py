"""Sealing stored fields anew with the current key, so that an old one can be thrown away.

Safe beside everything else that runs, twice at once, and killed at any point: a value is replaced
only if it is still what was read, and what is left is found again the next time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tollgate.crypto.fields import FieldCipher, Place
from tollgate.domain.errors import DecryptionFailed
from tollgate.operations.context import Context
from tollgate.operations.customers import field_cipher, open_told, seal_told
from tollgate.storage import sealed_fields
from tollgate.storage.sealed_fields import CUSTOMERS, Resealed, SealedColumn, SealedRow

BATCH = 500

Progress = Callable[[str], None]


def reseal_fields(context: Context, progress: Progress) -> list[str]:
    """Seals every field that another key sealed; the rows that can't be read, which stay."""
    cipher = field_cipher(context)
    # round after round until nothing is left: rows are written behind the cursor meanwhile
    while True:
        passes = [
            _reseal_column(context, cipher, column, progress)
            for column in sealed_fields.SEALED_COLUMNS
        ]
        if not any(passed.resealed for passed in passes):
            return [row for passed in passes for row in passed.unreadable]


@dataclass(frozen=True)
class _Pass:
    """What one look at all rows of a column did."""

    resealed: int
    unreadable: list[str]


def _reseal_column(
    context: Context, cipher: FieldCipher, column: SealedColumn, progress: Progress
) -> _Pass:
    current, after, done, unreadable = cipher.keyring.current_id, "", 0, list[str]()
    while True:
        rows = sealed_fields.list_sealed_otherwise(context.database, column, current, after, BATCH)
        if not rows:
            return _Pass(done, unreadable)
        resealed = []
        for row in rows:
            try:
                resealed.append(_resealed(cipher, column, row))
            except DecryptionFailed:
                unreadable.append(f"{column.table} {row.row_id}")
        sealed_fields.replace_sealed(context.database, column, resealed)
        after, done = rows[-1].row_id, done + len(resealed)
        progress(f"{column.table}.{column.column}: {done} sealed with {current}")


def _resealed(cipher: FieldCipher, column: SealedColumn, row: SealedRow) -> Resealed:
    if column is CUSTOMERS:
        told = open_told(cipher, row.row_id, row.app_id, row.sealed)
        customer = seal_told(cipher, row.row_id, row.app_id, told)
        return Resealed(row.row_id, row.sealed, customer.value, customer.email_index)
    place = Place(column.table, column.column, row.row_id, row.app_id)
    sealed = cipher.encrypt(place, cipher.decrypt(place, row.sealed))
    return Resealed(row.row_id, row.sealed, sealed, None)
