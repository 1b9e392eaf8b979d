"""GET ?client_id, status, psp, created_after, limit, cursor: payments, newest first."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.reading import PAYMENTS_QUERY, list_payments
from tollgate.schemas.payments import PaymentList

main = endpoint(GET(list_payments, query=PAYMENTS_QUERY, returns=PaymentList))
