"""POST: a subscription, or the live one moved to another plan."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.subscriptions import create_subscription
from tollgate.schemas.subscriptions import CreateSubscription, SubscriptionView

main = endpoint(
    POST(create_subscription, body=CreateSubscription, returns=SubscriptionView, status=201)
)
