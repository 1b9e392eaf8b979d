"""The operator's command: makes apps, plans and keys in the database that DATABASE_URL names.

    python -m tollgate app create --name "Shop" --currency KES --origin https://shop.example
    python -m tollgate plan create --app app_… --code monthly --product pro --price KES=150000
    python -m tollgate key create --app app_…
    python -m tollgate key create --admin
    python -m tollgate key revoke --id 0123456789abcdef

TOLLGATE_MODE (test or live) is the mode that keys are made for. Every change is audited.
"""

import argparse
import getpass
import sys

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.errors import ConstraintViolated, NotFound, TollgateError
from tollgate.domain.money import EXPONENTS, Money
from tollgate.domain.principal import Role
from tollgate.domain.subscription import Plan
from tollgate.operations import admin
from tollgate.operations.context import real_time
from tollgate.psp import REGISTRY
from tollgate.settings import OperatorSettings
from tollgate.storage.database import Database


def main() -> int:
    """Runs one command; prints what it made. 0, or 1 with the reason on standard error."""
    arguments = _parser().parse_args()
    try:
        settings = OperatorSettings.from_environment()
        operator = admin.Operator(
            Database(settings.database_url),
            livemode=settings.livemode,
            now=real_time(),
            actor=f"operator:{getpass.getuser()}",
        )
        print(arguments.run(operator, arguments))
    except ConstraintViolated as error:
        print(f"{error.detail} (The rule: {error.constraint}.)", file=sys.stderr)
        return 1
    except TollgateError as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


def _create_app(operator: admin.Operator, arguments: argparse.Namespace) -> str:
    return admin.create_app(
        operator,
        arguments.name,
        default_currency=arguments.currency,
        default_psp=arguments.psp,
        return_origins=arguments.origin,
    ).id


def _create_plan(operator: admin.Operator, arguments: argparse.Namespace) -> str:
    plan = Plan(
        app_id=arguments.app,
        code=arguments.code,
        product=arguments.product,
        interval=Interval(Unit(arguments.every), arguments.count),
        trial_days=arguments.trial_days,
        grace_days=arguments.grace_days,
    )
    admin.create_plan(operator, plan, arguments.price)
    return plan.code


def _create_key(operator: admin.Operator, arguments: argparse.Namespace) -> str:
    if arguments.admin:
        return admin.create_key(operator, Role.ADMIN)
    return admin.create_key(operator, Role.APP, arguments.app)


def _revoke_key(operator: admin.Operator, arguments: argparse.Namespace) -> str:
    if not admin.revoke_key(operator, arguments.id):
        raise NotFound("There is no living key with this id: nothing was revoked.")
    return "revoked"


def _price(text: str) -> Money:
    currency, _, amount = text.partition("=")
    if currency not in EXPONENTS or not amount.isascii() or not amount.isdigit():
        raise argparse.ArgumentTypeError("a price is CURRENCY=MINOR_UNITS, such as KES=150000")
    return Money(int(amount), currency)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tollgate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    nouns = parser.add_subparsers(required=True, metavar="app | plan | key")
    _add_app(nouns.add_parser("app").add_subparsers(required=True))
    _add_plan(nouns.add_parser("plan").add_subparsers(required=True))
    _add_key(nouns.add_parser("key").add_subparsers(required=True))
    return parser


def _add_app(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="a new tenant; prints its id")
    create.add_argument("--name", required=True)
    create.add_argument("--currency", required=True, choices=sorted(EXPONENTS), metavar="KES")
    create.add_argument("--psp", default="stripe", choices=sorted(REGISTRY))
    create.add_argument("--origin", action="append", default=[], help="of its return URLs")
    create.set_defaults(run=_create_app)


def _add_plan(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="a new plan of an app; prints its code")
    create.add_argument("--app", required=True)
    create.add_argument("--code", required=True)
    create.add_argument("--product", required=True)
    create.add_argument("--every", default="month", choices=[unit.value for unit in Unit])
    create.add_argument("--count", type=int, default=1)
    create.add_argument("--trial-days", type=int, default=0)
    create.add_argument("--grace-days", type=int, default=0)
    create.add_argument("--price", type=_price, action="append", required=True)
    create.set_defaults(run=_create_plan)


def _add_key(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    create = verbs.add_parser("create", help="a new key; prints it this one time")
    whose = create.add_mutually_exclusive_group(required=True)
    whose.add_argument("--app")
    whose.add_argument("--admin", action="store_true")
    create.set_defaults(run=_create_key)
    revoke = verbs.add_parser("revoke", help="ends a key")
    revoke.add_argument("--id", required=True, help="the part after tg_test_")
    revoke.set_defaults(run=_revoke_key)


if __name__ == "__main__":
    sys.exit(main())
