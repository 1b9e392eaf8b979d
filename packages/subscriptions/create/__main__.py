"""POST: a subscription, or the live one moved to another plan."""

from tollgate.http.endpoint import APP, endpoint
from tollgate.operations.subscriptions import create_subscription
from tollgate.schemas.subscriptions import CreateSubscription, SubscriptionView

main = endpoint(
    create_subscription,
    method="POST",
    roles=APP,
    body=CreateSubscription,
    returns=SubscriptionView.of,
    status=201,
)
