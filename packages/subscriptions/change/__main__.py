"""PUT /{subscription_id}: puts it on another plan."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import PUT
from tollgate.operations.plan_changes import change_subscription
from tollgate.schemas.subscriptions import ChangeSubscription, SubscriptionView

main = endpoint(
    PUT(
        change_subscription,
        target="subscription_id",
        body=ChangeSubscription,
        returns=SubscriptionView,
    )
)
