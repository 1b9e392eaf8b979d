"""`audit`: whether the audit log is as it was written."""

import argparse

from tollgate.commands.nouns import Failed, Nouns, in_database, tell, verbs_of
from tollgate.domain.audit import Head
from tollgate.operations.audit import verify_audit
from tollgate.operations.context import Context


def add_to(nouns: Nouns) -> None:
    """Adds `audit verify`."""
    verbs = verbs_of(nouns, "audit")
    verify = verbs.add_parser("verify", help="compares every row with its chain; prints the heads")
    verify.add_argument(
        "--head",
        type=_head,
        action="append",
        default=[],
        metavar="CHAIN=POSITION:HASH",
        help="one noted earlier, which must be in its chain",
    )
    verify.set_defaults(run=in_database(_verify))


def _verify(context: Context, arguments: argparse.Namespace) -> str:
    verified = verify_audit(context, tell, arguments.head)
    if verified.broken:
        raise Failed("\n".join(map(str, verified.broken)))
    return "\n".join(map(str, verified.heads))


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
