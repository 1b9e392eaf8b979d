"""`plan`: what an app sells."""

import argparse

from tollgate.commands.nouns import Nouns, by_operator, in_database, verbs_of
from tollgate.domain.billing import Unit
from tollgate.domain.money import EXPONENTS
from tollgate.operations import plans
from tollgate.operations.context import Context
from tollgate.schemas.plans import CreatePlan, IntervalFields, PriceFields


def add_to(nouns: Nouns) -> None:
    """Adds `plan create`."""
    verbs = verbs_of(nouns, "plan")
    create = verbs.add_parser("create", help="a new plan of an app; prints its code")
    create.add_argument("--app", required=True)
    create.add_argument("--code", required=True)
    create.add_argument("--product", required=True)
    create.add_argument("--every", default="month", choices=[unit.value for unit in Unit])
    create.add_argument("--count", type=int, default=1)
    create.add_argument("--trial-days", type=int, default=0)
    create.add_argument("--grace-days", type=int, default=0)
    create.add_argument("--price", type=_price, action="append", required=True)
    create.set_defaults(run=in_database(_create))


def _create(context: Context, arguments: argparse.Namespace) -> str:
    body = CreatePlan(
        app_id=arguments.app,
        code=arguments.code,
        product=arguments.product,
        interval=IntervalFields(unit=Unit(arguments.every), count=arguments.count),
        trial_days=arguments.trial_days,
        grace_days=arguments.grace_days,
        prices=arguments.price,
    )
    return plans.create_plan(context, by_operator(body=body)).plan.code


def _price(text: str) -> PriceFields:
    currency, _, amount = text.partition("=")
    if currency not in EXPONENTS or not amount.isascii() or not amount.isdigit():
        raise argparse.ArgumentTypeError("a price is CURRENCY=MINOR_UNITS, such as KES=150000")
    return PriceFields(amount=int(amount), currency=currency)
