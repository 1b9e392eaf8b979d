"""GET /{client_id}: has this client paid?"""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.access import check_access

main = endpoint(
    GET(
        check_access,
        target="client_id",
        query=("product",),
        reads_ahead="access",
        documented="tollgate.schemas.subscriptions:CheckView",
    )
)
