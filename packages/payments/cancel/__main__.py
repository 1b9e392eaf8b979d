"""POST /{payment_id}: ends a payment that has not been paid."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.captures import cancel_payment
from tollgate.schemas.payments import PaymentView

main = endpoint(POST(cancel_payment, target="payment_id", returns=PaymentView))
