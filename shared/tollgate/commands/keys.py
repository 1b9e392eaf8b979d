"""`key`: API keys of apps and of operators."""

import argparse

from tollgate.commands.nouns import Nouns, by_operator, in_database, verbs_of
from tollgate.domain.errors import NotFound
from tollgate.domain.principal import Role
from tollgate.operations import api_keys
from tollgate.operations.context import Context
from tollgate.schemas.api_keys import CreateKey


def add_to(nouns: Nouns) -> None:
    """Adds `key create` and `key revoke`."""
    verbs = verbs_of(nouns, "key")
    create = verbs.add_parser("create", help="a new key; prints it this one time")
    whose = create.add_mutually_exclusive_group(required=True)
    whose.add_argument("--app")
    whose.add_argument("--admin", action="store_true")
    create.add_argument("--name", default="default", help="what it is for: two may live at a time")
    create.set_defaults(run=in_database(_create))
    revoke = verbs.add_parser("revoke", help="ends a key")
    revoke.add_argument("--id", required=True, help="the part after tg_test_")
    revoke.set_defaults(run=in_database(_revoke))


def _create(context: Context, arguments: argparse.Namespace) -> str:
    role = Role.ADMIN if arguments.admin else Role.APP
    body = CreateKey(role=role, app_id=arguments.app, name=arguments.name)
    return api_keys.create_key(context, by_operator(body=body)).text


def _revoke(context: Context, arguments: argparse.Namespace) -> str:
    try:
        api_keys.revoke_key(context, by_operator(target=arguments.id))
    except NotFound:
        raise NotFound("There is no living key with this id: nothing was revoked.") from None
    return "revoked"
