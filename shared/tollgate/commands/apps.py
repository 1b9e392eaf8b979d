"""`app`: tenants."""

import argparse

from tollgate.commands.nouns import Nouns, by_operator, in_database, verbs_of
from tollgate.domain.money import EXPONENTS
from tollgate.operations import apps
from tollgate.operations.context import Context
from tollgate.psp import REGISTRY
from tollgate.schemas.apps import CreateApp


def add_to(nouns: Nouns) -> None:
    """Adds `app create`."""
    create = verbs_of(nouns, "app").add_parser("create", help="a new tenant; prints its id")
    create.add_argument("--name", required=True)
    create.add_argument("--currency", required=True, choices=sorted(EXPONENTS), metavar="KES")
    create.add_argument("--psp", default="stripe", choices=sorted(REGISTRY))
    create.add_argument("--origin", action="append", default=[], help="of its return URLs")
    create.set_defaults(run=in_database(_create))


def _create(context: Context, arguments: argparse.Namespace) -> str:
    body = CreateApp(
        name=arguments.name,
        default_currency=arguments.currency,
        default_psp=arguments.psp,
        return_origins=arguments.origin,
    )
    return apps.create_app(context, by_operator(body=body)).id
