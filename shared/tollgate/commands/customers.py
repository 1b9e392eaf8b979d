"""`customer`: who pays."""

import argparse
import json

from tollgate.commands.nouns import Nouns, in_database, verbs_of
from tollgate.operations.context import Context
from tollgate.operations.customers import find_customers


def add_to(nouns: Nouns) -> None:
    """Adds `customer find`."""
    verbs = verbs_of(nouns, "customer")
    find = verbs.add_parser("find", help="what an app's payments hold of a person; prints JSON")
    find.add_argument("--app", required=True)
    find.add_argument("--email", required=True)
    find.set_defaults(run=in_database(_find))


def _find(context: Context, arguments: argparse.Namespace) -> str:
    found = find_customers(context, arguments.app, arguments.email)
    return "\n".join(json.dumps({"payment_id": key, **told}) for key, told in found.items())
