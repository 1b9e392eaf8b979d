"""GET ?client_id, status, psp, created_after, limit, cursor: payments, newest first."""

from tollgate.domain.page import PAGE_QUERY
from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.reading import list_payments
from tollgate.schemas.payments import PaymentList

_QUERY = ("client_id", "status", "psp", "created_after", *PAGE_QUERY)

main = endpoint(GET(list_payments, query=_QUERY, returns=PaymentList))
