"""GET: whether this deployment can do its work."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.health import check_health

main = endpoint(GET(check_health, query=None))
