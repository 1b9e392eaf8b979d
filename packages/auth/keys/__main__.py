"""GET: the public keys that verify entitlements (JWKS)."""

from tollgate.http.endpoint import endpoint
from tollgate.http.route import GET
from tollgate.operations.tokens import list_public_keys

main = endpoint(GET(list_public_keys, documented="tollgate.schemas.tokens:PublicKeysView"))
