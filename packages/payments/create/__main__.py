"""POST: starts a payment."""

from tollgate.http.endpoint import APP, endpoint
from tollgate.operations.payments import create_payment
from tollgate.schemas.payments import CreatePayment, PaymentView

main = endpoint(
    create_payment,
    method="POST",
    roles=APP,
    body=CreatePayment,
    returns=PaymentView.of,
    status=201,
    idempotent=True,
)
