"""`invariants`: whether what must hold in the database does."""

import argparse

from tollgate.commands.nouns import Failed, Nouns, in_database
from tollgate.operations.context import Context
from tollgate.operations.invariants import check_invariants


def add_to(nouns: Nouns) -> None:
    """Adds `invariants`."""
    check = nouns.add_parser("invariants", help="names whoever breaks a rule of the database")
    check.set_defaults(run=in_database(_check))


def _check(context: Context, _arguments: argparse.Namespace) -> str:
    findings = check_invariants(context)
    told = "\n".join(map(str, findings))
    if not all(finding.holds for finding in findings):
        raise Failed(told)
    return told
