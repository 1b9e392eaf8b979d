"""GET: this API, described for programs (OpenAPI 3.1)."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.description import describe_api

main = endpoint(GET(describe_api, query=None))
