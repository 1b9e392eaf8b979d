"""POST: an access token for the holder of a key (OAuth 2.0 client credentials)."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.tokens import issue_token
from tollgate.schemas.tokens import RequestToken

main = endpoint(
    POST(issue_token, body=RequestToken, form=True, documented="tollgate.schemas.tokens:TokenView")
)
