"""GET /{payment_id}: one payment."""

from tollgate.http.endpoint import APP_OR_ADMIN, endpoint
from tollgate.operations.payments import get_payment
from tollgate.schemas.payments import PaymentView

main = endpoint(get_payment, method="GET", roles=APP_OR_ADMIN, target=True, returns=PaymentView.of)
