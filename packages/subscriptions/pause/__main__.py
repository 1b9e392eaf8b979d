"""PUT /{subscription_id}: stands it still, until a date or until it is resumed."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import PUT
from tollgate.operations.subscriptions import pause_subscription
from tollgate.schemas.subscriptions import PauseSubscription, SubscriptionView

main = endpoint(
    PUT(
        pause_subscription,
        target="subscription_id",
        body=PauseSubscription,
        body_optional=True,
        returns=SubscriptionView,
    )
)
