"""Whether the audit log is as it was written: every link of every chain, compared with its row.

A chain shows what was changed and what was taken out of it, but not that its end was cut off, or
that everything from a place on was written anew. For that there are heads: noted down outside of
the database, they must be found in the chain later on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tollgate.domain.audit import BrokenLink, Head, Wrong, name_of
from tollgate.operations.context import Context
from tollgate.storage import audit

BATCH = 10_000

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """The last link of each chain, and of each broken one the first place that is wrong."""

    heads: list[Head]
    broken: list[BrokenLink]


def verify_audit(
    context: Context, progress: Progress, expected_heads: Sequence[Head] = ()
) -> Verified:
    """Looks at the whole audit log, of every app, as it is now; it may go on being written."""
    heads, found = list[Head](), list[BrokenLink]()
    for chain, end in audit.list_chains(context.database):
        head, broken = _follow(context, chain, end, progress)
        heads.append(head)
        found += [broken] if broken else []
    found += _unlinked(context, progress)
    found += [
        BrokenLink(head.chain, head.position, None, Wrong.NOT_AS_NOTED)
        for head in expected_heads
        if not audit.is_in_chain(context.database, head)
    ]
    first = {broken.chain: broken for broken in reversed(found)}
    return Verified(heads, [first[chain] for chain in sorted(first)])


def _follow(
    context: Context, chain: str, end: int, progress: Progress
) -> tuple[Head, BrokenLink | None]:
    """Goes along a chain to this position, or to the first link that is wrong."""
    head = Head(chain)
    while head.position < end:  # and not after who writes as fast as this reads
        checked = audit.check_links(context.database, head, BATCH)
        if checked.broken or not checked.seen:
            return head, checked.broken
        head = checked.head
        progress(f"{name_of(chain)}: {head.position} links are whole")
    return head, None


def _unlinked(context: Context, progress: Progress) -> Iterator[BrokenLink]:
    """The rows that no chain knows of, in the order of their ids."""
    last_id, end = None, audit.find_last_id(context.database)
    while end is not None and (last_id is None or last_id < end):
        searched = audit.find_unlinked(context.database, last_id, BATCH)
        yield from searched.broken
        if searched.last_id is None:
            return
        last_id = searched.last_id
        progress(f"rows up to {last_id}: looked for in the chains")
