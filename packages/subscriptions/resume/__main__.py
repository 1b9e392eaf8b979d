"""PUT /{subscription_id}: lets a paused subscription go on where it stood."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import PUT
from tollgate.operations.subscriptions import resume_subscription
from tollgate.schemas.subscriptions import SubscriptionView

main = endpoint(PUT(resume_subscription, target="subscription_id", returns=SubscriptionView))
