"""GET /{payment_id}: one payment."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.payments import get_payment
from tollgate.schemas.payments import PaymentView

main = endpoint(GET(get_payment, target="payment_id", returns=PaymentView))
