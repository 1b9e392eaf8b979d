"""POST /{psp}: what a PSP has to tell."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.webhooks import receive_event

main = endpoint(POST(receive_event, target="psp", query=None, max_body_bytes=1024 * 1024))
