"""GET /{subscription_id}: one subscription."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.subscriptions import get_subscription
from tollgate.schemas.subscriptions import SubscriptionView

main = endpoint(GET(get_subscription, target="subscription_id", returns=SubscriptionView))
