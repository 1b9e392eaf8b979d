"""GET /{payment_id}: where a PSP sends the browser of the client back to."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.returns import return_client

main = endpoint(GET(return_client, target="payment_id", query=None))
