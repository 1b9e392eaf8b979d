"""The operator's command, on the database that DATABASE_URL names (the login that owns its tables).

    python -m tollgate app create --name "Shop" --currency KES --origin https://shop.example
    python -m tollgate plan create --app app_… --code monthly --product pro --price KES=150000
    python -m tollgate key create --app app_…
    python -m tollgate key create --admin           the first one opens admin/apps, keys and plans
    python -m tollgate key revoke --id 0123456789abcdef
    python -m tollgate subscription import --app app_… --file subscribers.csv [--dry-run]
    python -m tollgate payment list --status needs_review [--app app_…]      what awaits a decision
    python -m tollgate payment resolve --id pay_… --accept --note "Seen in the PSP's pages"
    python -m tollgate refund list                  what waits for somebody to give money back
    python -m tollgate refund settle --id ref_… --done | --failed
    python -m tollgate customer find --app app_… --email somebody@example.com
    python -m tollgate secret new --id 2026a        a key for one of the rings below
    python -m tollgate secret reseal                seals stored fields with the newest key
    python -m tollgate ledger report --psp stripe --from 2026-11-01 --to 2026-12-01 [--json]
    python -m tollgate pesapal register-ipn --url https://…/webhook/receive/pesapal
    python -m tollgate pesapal list-ipns            the addresses that Pesapal may tell of payments
    python -m tollgate invariants                   does all that must hold in the database?
    python -m tollgate audit verify                 is the audit log whole? Prints its chains' heads
    python -m tollgate audit verify --head app_…=12:9f2c…       and is this one still in its chain?

TOLLGATE_MODE (test or live) is the mode that keys are made for. Every change is audited.

ACCESS_TOKEN_KEYS, ENTITLEMENT_KEYS and FIELD_KEYS are rings: "2026b:…,2026a:…". To replace a key,
add the new one behind the old one and deploy; put it in front and deploy; for FIELD_KEYS, reseal;
take the old one away once nothing needs it (tokens: ten minutes, entitlements: fifteen).

A chain can't show that its end was cut off: note the heads somewhere that whoever writes to the
database can't write to, and give them to the next `audit verify`.
"""

import argparse
import sys

from pydantic import ValidationError

from tollgate.commands import (
    apps,
    audit,
    customers,
    invariants,
    keys,
    ledger,
    payments,
    pesapal,
    plans,
    refunds,
    secrets,
    subscriptions,
)
from tollgate.commands.nouns import Failed
from tollgate.domain.errors import ConstraintViolated, FieldError, TollgateError

NOUNS = (
    apps,
    plans,
    keys,
    subscriptions,
    payments,
    refunds,
    customers,
    secrets,
    ledger,
    audit,
    invariants,
    pesapal,
)


def main() -> int:
    """Runs one command; prints what it made. 0, or 1 with the reason on standard error."""
    arguments = _parser().parse_args()
    try:
        print(arguments.run(arguments))
    except Failed as failure:
        print(failure, file=sys.stderr)
        return 1
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tollgate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    nouns = parser.add_subparsers(required=True)
    for noun in NOUNS:
        noun.add_to(nouns)
    nouns.metavar = " | ".join(nouns.choices)
    return parser
