"""The reconciliation report: our ledger beside the PSP's own books, for a range of time."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from tollgate.domain.errors import UnsupportedByPsp
from tollgate.domain.ledger import Booked, Comparison, Key, key_of
from tollgate.domain.outcome import Movement
from tollgate.operations.context import Context
from tollgate.storage import ledger

HEARD_LATE = timedelta(days=7)
"""How long after it happened we may have heard of something and booked it."""
_BATCH = 500

Progress = Callable[[str], None]


def compare_books(
    context: Context, psp: str, since: datetime, until: datetime, progress: Progress
) -> Comparison:
    """Compares what moved at this PSP from `since` up to `until`, by its books and by ours.

    Everything that it tells must be booked here, whenever that was; everything that was booked here
    in that time must be in its books, in that time or shortly before. Raises PspUnavailable,
    UnsupportedByPsp.
    """
    if not context.psp(psp).capabilities.books:
        raise UnsupportedByPsp(f"{psp} has no books that can be read: take its statement.")
    compared, told, seen = Comparison(), set[Key](), 0
    for batch in _batches(context.psp(psp).list_movements(since - HEARD_LATE, until)):
        booked = _booked(context, psp, batch)
        for movement in batch:
            key = key_of(movement)
            told.add(key)
            if movement.at >= since:
                compared.compare(movement, booked.get(key))
        seen += len(batch)
        progress(f"{seen:,} movements at {psp} compared")
    here = ledger.list_booked(context.database, psp, since, until)
    compared.add_missing_there(item for item in here if (item.kind, item.reference) not in told)
    return compared


def _booked(context: Context, psp: str, batch: list[Movement]) -> dict[Key, Booked]:
    references = [key_of(movement)[1] for movement in batch]
    found = ledger.find_booked(context.database, psp, references)
    return {(item.kind, item.reference): item for item in found}


def _batches(movements: Iterable[Movement]) -> Iterator[list[Movement]]:
    rest = iter(movements)
    while batch := list(islice(rest, _BATCH)):
        yield batch
