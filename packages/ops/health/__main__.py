"""GET: whether this deployment can do its work."""

from tollgate.http.endpoint import ANYONE, endpoint
from tollgate.operations.health import check_health

main = endpoint(check_health, method="GET", roles=ANYONE, query=None)
