"""POST /{psp}, GET /{psp}/{token}: what a PSP has to tell."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET, POST
from tollgate.operations.webhooks import receive_event, receive_notification

main = endpoint(
    POST(receive_event, target="psp", query=None, max_body_bytes=1024 * 1024),
    GET(receive_notification, target="psp", query=None),
)
