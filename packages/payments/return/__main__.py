"""GET /{payment_id}: where a PSP sends the browser of the client back to."""

from tollgate.http.endpoint import ANYONE, endpoint
from tollgate.operations.returns import return_client

main = endpoint(return_client, method="GET", roles=ANYONE, target=True, query=None)
