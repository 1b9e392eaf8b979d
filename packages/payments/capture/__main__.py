"""POST /{payment_id}: takes the money of an authorized payment."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.captures import capture_payment
from tollgate.schemas.payments import CapturePayment, PaymentView

main = endpoint(
    POST(capture_payment, target="payment_id", body=CapturePayment, returns=PaymentView)
)
