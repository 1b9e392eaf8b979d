"""The audit log: what happened to an object, and whether its chains are whole.

Rows are added to it by the statements that they tell of, and are linked at commit by the schema
(migrations/0015_audit_chain.sql). What is checked here is checked in batches: each is one statement
that sends back no more than its outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tollgate.domain.audit import AuditRow, BrokenLink, Head, Wrong
from tollgate.storage.database import Database


def list_of_object(database: Database, object_ids: Sequence[str]) -> list[AuditRow]:
    """What happened to these objects, oldest first."""
    rows = database.all(
        """SELECT at, actor, action, object_id, before, after FROM audit_log
           WHERE object_id = ANY(%(object_ids)s)
           ORDER BY id""",
        {"object_ids": list(object_ids)},
    )
    return [AuditRow(**row) for row in rows]


def list_chains(database: Database) -> list[tuple[str, int]]:
    """Every chain that has links, with the position of its end; each of them by a step of its own
    over the index."""
    rows = database.all(
        """WITH RECURSIVE chains AS (
               (SELECT chain FROM audit_links ORDER BY chain LIMIT 1)
               UNION ALL
               SELECT (SELECT l.chain FROM audit_links l WHERE l.chain > chains.chain
                       ORDER BY l.chain LIMIT 1)
               FROM chains WHERE chains.chain IS NOT NULL
           )
           SELECT chain, (SELECT max(position) FROM audit_links l
                          WHERE l.chain = chains.chain) AS end_at
           FROM chains WHERE chain IS NOT NULL""",
        {},
    )
    return [(row["chain"], row["end_at"]) for row in rows]


def find_last_id(database: Database) -> int | None:
    """The id of the newest row; None where there is none."""
    row = database.one("SELECT max(id) AS id FROM audit_log", {})
    return row["id"] if row else None


@dataclass(frozen=True)
class Checked:
    """How far a batch of links was looked at, and the first that is wrong, if one is.

    `seen` 0: there are no more links.
    """

    head: Head
    seen: int
    broken: BrokenLink | None


def check_links(database: Database, behind: Head, limit: int) -> Checked:
    """Compares up to `limit` links behind this one with their rows."""
    row = database.one(
        """WITH batch AS (
               SELECT position, audit_id, hash,
                      lag(position, 1, %(position)s::bigint) OVER places AS position_before,
                      lag(hash, 1, %(hash)s::bytea) OVER places AS hash_before
               FROM (SELECT * FROM audit_links
                     WHERE chain = %(chain)s AND position > %(position)s
                     ORDER BY position LIMIT %(limit)s) AS links
               WINDOW places AS (ORDER BY position)
           ), judged AS (
               SELECT batch.position, batch.audit_id, batch.hash,
                      CASE WHEN batch.position <> position_before + 1 THEN 'LINK_MISSING'
                           WHEN entry.id IS NULL THEN 'ROW_MISSING'
                           WHEN audit_hash(hash_before, batch.position, entry) <> batch.hash
                           THEN 'CHANGED'
                      END AS wrong,
                      position_before + 1 AS expected
               FROM batch LEFT JOIN audit_log entry ON entry.id = batch.audit_id
           ), last AS (
               SELECT position, hash FROM judged ORDER BY position DESC LIMIT 1
           ), broken AS (
               SELECT expected, audit_id, wrong FROM judged WHERE wrong IS NOT NULL
               ORDER BY position LIMIT 1
           )
           SELECT (SELECT count(*) FROM batch) AS seen, last.position, last.hash,
                  broken.expected, broken.audit_id, broken.wrong
           FROM last LEFT JOIN broken ON true""",
        {**vars(behind), "limit": limit},
    )
    if row is None:
        return Checked(behind, 0, None)
    head = Head(behind.chain, row["position"], bytes(row["hash"]))
    if row["wrong"] is None:
        return Checked(head, row["seen"], None)
    wrong = Wrong[row["wrong"]]
    audit_id = None if wrong is Wrong.LINK_MISSING else row["audit_id"]
    broken = BrokenLink(behind.chain, row["expected"], audit_id, wrong)
    return Checked(head, row["seen"], broken)


@dataclass(frozen=True)
class Searched:
    """Up to which row a batch was searched, None at the end; and the first of each chain in it
    that has no link."""

    last_id: int | None
    broken: list[BrokenLink]


def find_unlinked(database: Database, behind_id: int | None, limit: int) -> Searched:
    """Searches up to `limit` audit rows behind this one, or from the first, for such as no link
    names."""
    rows = database.all(
        """WITH batch AS (
               SELECT id, coalesce(app_id, '') AS chain FROM audit_log
               WHERE %(behind_id)s::bigint IS NULL OR id > %(behind_id)s
               ORDER BY id LIMIT %(limit)s
           )
           SELECT max(id) AS id, NULL AS chain FROM batch
           UNION ALL
           SELECT min(id), chain FROM batch
           WHERE NOT EXISTS (SELECT FROM audit_links l WHERE l.audit_id = batch.id)
           GROUP BY chain""",
        {"behind_id": behind_id, "limit": limit},
    )
    (last_id,) = (row["id"] for row in rows if row["chain"] is None)
    broken = [
        BrokenLink(row["chain"], None, row["id"], Wrong.NOT_LINKED)
        for row in rows
        if row["chain"] is not None
    ]
    return Searched(last_id, broken)


def is_in_chain(database: Database, head: Head) -> bool:
    """Whether the chain has this very link."""
    return (
        database.one(
            """SELECT 1 AS found FROM audit_links
               WHERE chain = %(chain)s AND position = %(position)s AND hash = %(hash)s""",
            vars(head),
        )
        is not None
    )
