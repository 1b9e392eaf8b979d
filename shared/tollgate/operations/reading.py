"""Reading payments: one with all that became of it, or many."""

from tollgate.domain.errors import FieldError, InvalidFields
from tollgate.domain.ids import is_client_id
from tollgate.domain.instants import is_within_reach, read_rfc3339
from tollgate.domain.page import PAGE_QUERY, Listing, listing, read_page
from tollgate.domain.payment import Payment, PaymentStatus
from tollgate.domain.timeline import PaymentDetails
from tollgate.operations.context import Call, Context
from tollgate.operations.settlement import ask_psp
from tollgate.psp import REGISTRY
from tollgate.storage import audit, disputes, payments, refunds
from tollgate.storage.payments import PaymentFilter

PAYMENTS_QUERY = ("client_id", "status", "psp", "created_after", *PAGE_QUERY)
"""The query fields of the list."""


def get_payment(context: Context, call: Call[None]) -> PaymentDetails:
    """One payment that the caller may see, with what became of it. Raises NotFound."""
    payment = ask_psp(context, payments.get_payment(context.database, call.target))
    refunded = refunds.list_of_payment(context.database, payment.id)
    disputed = disputes.list_of_payment(context.database, payment.id)
    objects = [payment.id, *(r.id for r in refunded), *(d.id for d in disputed)]
    timeline = audit.list_of_object(context.database, objects)
    return PaymentDetails(payment, refunded, disputed, tuple(timeline))


def list_payments(context: Context, call: Call[None]) -> Listing[Payment]:
    """The payments that the caller may see, newest first. Raises InvalidFields."""
    page = read_page(call.query)
    found = payments.list_payments(context.database, _filter(call), page)
    return listing(page, found, lambda payment: payment.id)


def _filter(call: Call[None]) -> PaymentFilter:
    """What a list shows, by its query. Raises InvalidFields, which names each wrong field."""
    query = call.query
    status, created_after = query.get("status"), query.get("created_after")
    errors = []
    if "client_id" in query and not is_client_id(query["client_id"]):
        errors.append(FieldError("client_id", "This can't be a client's id."))
    if status is not None and status not in set(PaymentStatus):
        errors.append(FieldError("status", f"One of {', '.join(PaymentStatus)}."))
    if "psp" in query and query["psp"] not in REGISTRY:
        errors.append(FieldError("psp", f"One of {', '.join(REGISTRY)}."))
    instant = read_rfc3339(created_after) if created_after is not None else None
    if created_after is not None and (instant is None or not is_within_reach(instant)):
        errors.append(FieldError("created_after", "An instant such as 2027-01-31T09:00:00Z."))
    if errors:
        raise InvalidFields(errors=tuple(errors))
    return PaymentFilter(
        app_id=call.caller.app_id or None,  # of all, for an operator
        client_id=query.get("client_id"),
        status=PaymentStatus(status) if status is not None else None,
        psp=query.get("psp"),
        created_after=instant,
    )
