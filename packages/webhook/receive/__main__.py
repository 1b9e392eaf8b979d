"""POST /{psp}: what a PSP has to tell."""

from tollgate.http.endpoint import ANYONE, endpoint
from tollgate.operations.webhooks import receive_event

main = endpoint(
    receive_event,
    method="POST",
    roles=ANYONE,
    target=True,
    query=None,
    max_body_bytes=1024 * 1024,
)
