"""GET /{payment_id}: one payment, with what became of it."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.reading import get_payment
from tollgate.schemas.payment_details import PaymentDetailsView

main = endpoint(GET(get_payment, target="payment_id", returns=PaymentDetailsView))
