"""POST: starts a payment."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.payments import create_payment
from tollgate.schemas.payments import CreatePayment, PaymentView

main = endpoint(
    POST(create_payment, body=CreatePayment, returns=PaymentView, status=201, idempotent=True)
)
