"""The operator's command: makes apps, plans and keys in the database that DATABASE_URL names.

    python -m tollgate app create --name "Shop" --currency KES --origin https://shop.example
    python -m tollgate plan create --app app_… --code monthly --product pro --price KES=150000
    python -m tollgate key create --app app_…
    python -m tollgate key create --admin           the first one opens admin/apps, keys and plans
    python -m tollgate key revoke --id 0123456789abcdef
    python -m tollgate customer find --app app_… --email somebody@example.com
    python -m tollgate secret new --id 2026a        a key for one of the rings below
    python -m tollgate secret reseal                seals stored fields with the newest key

TOLLGATE_MODE (test or live) is the mode that keys are made for. Every change is audited.

ACCESS_TOKEN_KEYS, ENTITLEMENT_KEYS and FIELD_KEYS are rings: "2026b:…,2026a:…". To replace a key,
add the new one behind the old one and deploy; put it in front and deploy; for FIELD_KEYS, reseal;
take the old one away once nothing needs it (tokens: ten minutes, entitlements: fifteen).
"""

import argparse
import contextlib
import getpass
import json
import re
import secrets
import sys
from typing import Any

from pydantic import ValidationError

from tollgate.domain.billing import Unit
from tollgate.domain.errors import (
    ConstraintViolated,
    DecryptionFailed,
    FieldError,
    NotFound,
    TollgateError,
)
from tollgate.domain.keyring import KEY_BYTES, KEY_ID_PATTERN
from tollgate.domain.money import EXPONENTS
from tollgate.domain.principal import EVERY_TENANT, Role
from tollgate.operations import api_keys, apps, plans
from tollgate.operations.context import Call, Context
from tollgate.operations.customers import find_customers
from tollgate.operations.rotation import reseal_fields
from tollgate.psp import REGISTRY
from tollgate.schemas.api_keys import CreateKey
from tollgate.schemas.apps import CreateApp
from tollgate.schemas.plans import CreatePlan, IntervalFields, PriceFields
from tollgate.settings import Settings


def main() -> int:
    """Runs one command; prints what it made. 0, or 1 with the reason on standard error."""
    arguments = _parser().parse_args()
    if arguments.run is _new_secret:  # needs no database, and comes before there is one
        print(_new_secret(arguments.id))
        return 0
    try:
        context = Context.open(Settings.of_operator()).within(EVERY_TENANT)
        with contextlib.closing(context.database):
            print(arguments.run(context, arguments))
    except ConstraintViolated as error:
        print(f"{error.detail} (The rule: {error.constraint}.)", file=sys.stderr)
        return 1
    except TollgateError as error:
        print(error.detail, *map(_told, error.errors), sep="\n", file=sys.stderr)
        return 1
    except ValidationError as error:
        for item in error.errors(include_url=False, include_context=False, include_input=False):
            print(*item["loc"], item["msg"], file=sys.stderr)
        return 1
    return 0


def _told(field: FieldError) -> str:
    return f"{field.path}: {field.message}"


def _by_operator(**fields: Any) -> Call[Any]:
    return Call.by_operator(getpass.getuser(), **fields)


def _create_app(context: Context, arguments: argparse.Namespace) -> str:
    body = CreateApp(
        name=arguments.name,
        default_currency=arguments.currency,
        default_psp=arguments.psp,
        return_origins=arguments.origin,
    )
    return apps.create_app(context, _by_operator(body=body)).id


def _create_plan(context: Context, arguments: argparse.Namespace) -> str:
    body = CreatePlan(
        app_id=arguments.app,
        code=arguments.code,
        product=arguments.product,
        interval=IntervalFields(unit=Unit(arguments.every), count=arguments.count),
        trial_days=arguments.trial_days,
        grace_days=arguments.grace_days,
        prices=arguments.price,
    )
    return plans.create_plan(context, _by_operator(body=body)).plan.code


def _create_key(context: Context, arguments: argparse.Namespace) -> str:
    role = Role.ADMIN if arguments.admin else Role.APP
    body = CreateKey(role=role, app_id=arguments.app, name=arguments.name)
    return api_keys.create_key(context, _by_operator(body=body)).text


def _revoke_key(context: Context, arguments: argparse.Namespace) -> str:
    try:
        api_keys.revoke_key(context, _by_operator(target=arguments.id))
    except NotFound:
        raise NotFound("There is no living key with this id: nothing was revoked.") from None
    return "revoked"


def _find_customer(context: Context, arguments: argparse.Namespace) -> str:
    found = find_customers(context, arguments.app, arguments.email)
    return "\n".join(json.dumps({"payment_id": key, **told}) for key, told in found.items())


def _reseal(context: Context, _arguments: argparse.Namespace) -> str:
    unreadable = reseal_fields(context, lambda line: print(line, file=sys.stderr))
    if unreadable:
        raise DecryptionFailed("\n".join(("These can't be read, and stay:", *unreadable)))
    return (
        "Every field is sealed with the first of FIELD_KEYS. Once no function of an earlier "
        "deployment runs any more, do this again, and the others can go."
    )


def _new_secret(key_id: str) -> str:
    return f"{key_id}:{secrets.token_urlsafe(KEY_BYTES)}"


def _price(text: str) -> PriceFields:
    currency, _, amount = text.partition("=")
    if currency not in EXPONENTS or not amount.isascii() or not amount.isdigit():
        raise argparse.ArgumentTypeError("a price is CURRENCY=MINOR_UNITS, such as KES=150000")
    return PriceFields(amount=int(amount), currency=currency)


def _ring_id(text: str) -> str:
    if not re.fullmatch(KEY_ID_PATTERN, text):
        raise argparse.ArgumentTypeError("an id is 1 to 16 letters, digits, - and _")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tollgate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    nouns = parser.add_subparsers(required=True, metavar="app | plan | key | customer | secret")
    _add_app(nouns.add_parser("app").add_subparsers(required=True))
    _add_plan(nouns.add_parser("plan").add_subparsers(required=True))
    _add_key(nouns.add_parser("key").add_subparsers(required=True))
    _add_customer(nouns.add_parser("customer").add_subparsers(required=True))
    _add_secret(nouns.add_parser("secret").add_subparsers(required=True))
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
    create.add_argument("--name", default="default", help="what it is for: two may live at a time")
    create.set_defaults(run=_create_key)
    revoke = verbs.add_parser("revoke", help="ends a key")
    revoke.add_argument("--id", required=True, help="the part after tg_test_")
    revoke.set_defaults(run=_revoke_key)


def _add_customer(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    find = verbs.add_parser("find", help="what an app's payments hold of a person; prints JSON")
    find.add_argument("--app", required=True)
    find.add_argument("--email", required=True)
    find.set_defaults(run=_find_customer)


def _add_secret(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = verbs.add_parser("new", help="a key for ACCESS_TOKEN_KEYS, ENTITLEMENT_KEYS, FIELD_KEYS")
    new.add_argument("--id", required=True, type=_ring_id, help="what it goes by, such as 2026a")
    new.set_defaults(run=_new_secret)
    reseal = verbs.add_parser("reseal", help="seals stored fields with the first of FIELD_KEYS")
    reseal.set_defaults(run=_reseal)


if __name__ == "__main__":
    sys.exit(main())
