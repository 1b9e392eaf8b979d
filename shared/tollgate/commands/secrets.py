"""`secret`: keys of the rings that sign and seal, and their rotation."""

import argparse
import re
import secrets

from tollgate.commands.nouns import Nouns, in_database, tell, verbs_of
from tollgate.domain.errors import DecryptionFailed
from tollgate.domain.keyring import KEY_BYTES, KEY_ID_PATTERN
from tollgate.operations.context import Context
from tollgate.operations.rotation import reseal_fields


def add_to(nouns: Nouns) -> None:
    """Adds `secret new`, which comes before there is a database, and `secret reseal`."""
    verbs = verbs_of(nouns, "secret")
    new = verbs.add_parser("new", help="a key for ACCESS_TOKEN_KEYS, ENTITLEMENT_KEYS, FIELD_KEYS")
    new.add_argument("--id", required=True, type=_ring_id, help="what it goes by, such as 2026a")
    new.set_defaults(run=_new)
    reseal = verbs.add_parser("reseal", help="seals stored fields with the first of FIELD_KEYS")
    reseal.set_defaults(run=in_database(_reseal))


def _new(arguments: argparse.Namespace) -> str:
    return f"{arguments.id}:{secrets.token_urlsafe(KEY_BYTES)}"


def _reseal(context: Context, _arguments: argparse.Namespace) -> str:
    unreadable = reseal_fields(context, tell)
    if unreadable:
        raise DecryptionFailed("\n".join(("These can't be read, and stay:", *unreadable)))
    return (
        "Every field is sealed with the first of FIELD_KEYS. Once no function of an earlier "
        "deployment runs any more, do this again, and the others can go."
    )


def _ring_id(text: str) -> str:
    if not re.fullmatch(KEY_ID_PATTERN, text):
        raise argparse.ArgumentTypeError("an id is 1 to 16 letters, digits, - and _")
    return text
