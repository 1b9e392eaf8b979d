"""GET ?client_id, product, limit, cursor: subscriptions, newest first."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.subscriptions import SUBSCRIPTIONS_QUERY, list_subscriptions
from tollgate.schemas.subscriptions import SubscriptionList

main = endpoint(GET(list_subscriptions, query=SUBSCRIPTIONS_QUERY, returns=SubscriptionList))
