"""`payment`: what became of payments, and what waits for a decision."""

import argparse
import json
from collections.abc import Iterator

from tollgate.commands.nouns import Nouns, by_operator, in_database, verbs_of
from tollgate.domain.errors import FieldError, InvalidFields
from tollgate.domain.ids import is_id
from tollgate.domain.page import MAX_LIMIT
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.principal import Tenant
from tollgate.operations.context import Context
from tollgate.operations.reading import list_payments
from tollgate.operations.reviews import resolve_review
from tollgate.schemas.payments import PaymentView
from tollgate.schemas.reviews import ResolveReview


def add_to(nouns: Nouns) -> None:
    """Adds `payment list` and `payment resolve`."""
    verbs = verbs_of(nouns, "payment")
    listed = verbs.add_parser("list", help="payments, newest first; prints a line of JSON each")
    listed.add_argument("--status", choices=[status.value for status in PaymentStatus])
    listed.add_argument("--app")
    listed.set_defaults(run=in_database(_list))
    resolve = verbs.add_parser("resolve", help="decides about a payment in review")
    resolve.add_argument("--id", required=True)
    resolution = resolve.add_mutually_exclusive_group(required=True)
    for word, meaning in (("accept", "it is paid"), ("reject", "it is not, and is canceled")):
        resolution.add_argument(
            f"--{word}", dest="resolution", action="store_const", const=word, help=meaning
        )
    resolve.add_argument("--note", required=True, help="why: it is kept in the audit log")
    resolve.set_defaults(run=in_database(_resolve))


def _list(context: Context, arguments: argparse.Namespace) -> str:
    if arguments.app is not None:
        if not is_id("app", arguments.app):
            raise InvalidFields(errors=(FieldError("--app", "This can't be an app's id."),))
        context = context.within(Tenant(arguments.app))
    query = {"status": arguments.status} if arguments.status else {}
    return "\n".join(map(_line, _every(context, query)))


def _every(context: Context, query: dict[str, str]) -> Iterator[Payment]:
    """All payments that this query finds, page after page."""
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        call = by_operator(query={**query, **cursor, "limit": str(MAX_LIMIT)})
        page = list_payments(context, call)
        yield from page.items
        cursor = {"cursor": page.next_cursor} if page.next_cursor is not None else None


def _line(payment: Payment) -> str:
    """The payment as its app sees it, with whose it is and what the PSP said of one in review."""
    view = PaymentView.of(payment).model_dump(mode="json")
    return json.dumps({"app_id": payment.app_id, **view, "said": payment.review})


def _resolve(context: Context, arguments: argparse.Namespace) -> str:
    body = ResolveReview(resolution=arguments.resolution, note=arguments.note)
    return resolve_review(context, by_operator(target=arguments.id, body=body)).status
