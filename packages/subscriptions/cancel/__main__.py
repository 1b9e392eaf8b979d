"""PUT /{subscription_id}: ends it with its period, now, or not after all."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import PUT
from tollgate.operations.subscriptions import cancel_subscription
from tollgate.schemas.subscriptions import CancelSubscription, SubscriptionView

main = endpoint(
    PUT(
        cancel_subscription,
        target="subscription_id",
        body=CancelSubscription,
        body_optional=True,
        returns=SubscriptionView,
    )
)
