"""`refund`: what waits for a PSP's people, or for ours."""

import argparse

from tollgate.commands.nouns import Nouns, by_operator, in_database, verbs_of
from tollgate.domain.errors import FieldError, InvalidFields
from tollgate.domain.ids import is_id
from tollgate.operations.context import Context
from tollgate.operations.refunds import settle_by_hand
from tollgate.schemas.refunds import RefundView
from tollgate.storage.refunds import list_pending


def add_to(nouns: Nouns) -> None:
    """Adds `refund list` and `refund settle`."""
    verbs = verbs_of(nouns, "refund")
    listed = verbs.add_parser("list", help="pending refunds, oldest first; a line of JSON each")
    listed.set_defaults(run=in_database(_list))
    settle = verbs.add_parser(
        "settle", help="tells what became of a refund at a PSP that can't tell it"
    )
    settle.add_argument("--id", required=True)
    end = settle.add_mutually_exclusive_group(required=True)
    end.add_argument("--done", action="store_true", help="the money went back")
    end.add_argument("--failed", action="store_true", help="it did not, and will not")
    settle.set_defaults(run=in_database(_settle))


def _list(context: Context, _: argparse.Namespace) -> str:
    found = list_pending(context.database)
    return "\n".join(RefundView.of(refund).model_dump_json() for refund in found)


def _settle(context: Context, arguments: argparse.Namespace) -> str:
    if not is_id("ref", arguments.id):
        raise InvalidFields(errors=(FieldError("--id", "This can't be a refund's id."),))
    actor = by_operator().caller.actor
    return settle_by_hand(context, arguments.id, actor, done=arguments.done).status
