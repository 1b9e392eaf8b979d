"""`subscription`: who subscribed to an app before it came here."""

import argparse
from pathlib import Path

from tollgate.commands.nouns import Failed, Nouns, by_operator, in_database, tell, verbs_of
from tollgate.domain.errors import FieldError, InvalidFields
from tollgate.domain.ids import is_id
from tollgate.operations.context import Context
from tollgate.operations.imports import Import, import_subscribers


def add_to(nouns: Nouns) -> None:
    """Adds `subscription import`."""
    verbs = verbs_of(nouns, "subscription")
    imported = verbs.add_parser("import", help="brings an app's subscribers in, from a CSV file")
    imported.add_argument("--app", required=True)
    imported.add_argument("--file", required=True, type=Path)
    imported.add_argument("--dry-run", action="store_true", help="writes nothing: what would be?")
    imported.set_defaults(run=in_database(_import))


def _import(context: Context, arguments: argparse.Namespace) -> str:
    if not is_id("app", arguments.app):
        raise InvalidFields(errors=(FieldError("--app", "This can't be an app's id."),))
    done = import_subscribers(
        context,
        arguments.app,
        arguments.file,
        actor=by_operator().caller.actor,
        progress=tell,
        dry_run=arguments.dry_run,
    )
    if done.wrong:
        raise Failed(f"Of {done.rows:,} rows {done.wrong:,} are wrong. Nothing was written.")
    return _told(done, arguments.dry_run)


def _told(done: Import, dry_run: bool) -> str:
    statuses = ", ".join(f"{count:,} {status}" for status, count in sorted(done.new.items()))
    would_be = " would be" if dry_run else ""
    new = f"{done.new.total():,}{would_be} imported" + (f" ({statuses})" if statuses else "")
    end = " Nothing was written." if dry_run else ""
    return f"{done.rows:,} rows: {new}, {done.already_there:,} already there.{end}"
