"""POST /{payment_id}: gives a paid payment back, wholly or in part."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.refunds import refund_payment
from tollgate.schemas.refunds import CreateRefund, RefundView

main = endpoint(
    POST(
        refund_payment,
        target="payment_id",
        body=CreateRefund,
        returns=RefundView,
        status=201,
        idempotent=True,
    )
)
