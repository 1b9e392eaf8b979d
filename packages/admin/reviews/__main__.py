"""GET: payments that wait for an operator's decision. POST /{payment_id} decides."""

from tollgate.domain.page import PAGE_QUERY
from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET, POST
from tollgate.operations.reviews import list_reviews, resolve_review
from tollgate.schemas.payments import PaymentView
from tollgate.schemas.reviews import ResolveReview, ReviewList

main = endpoint(
    GET(list_reviews, query=("app_id", *PAGE_QUERY), returns=ReviewList),
    POST(resolve_review, target="payment_id", body=ResolveReview, returns=PaymentView),
)
