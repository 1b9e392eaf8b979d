"""Access tokens: what a key's holder gives to something that should not hold the key itself.

OAuth 2.0 client credentials (RFC 6749 §4.4). The token is refused as soon as its key is.
"""

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from tollgate.domain.credentials import read_key
from tollgate.domain.errors import (
    CredentialsRefused,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from tollgate.domain.permissions import scopes_of
from tollgate.domain.principal import Principal, Role
from tollgate.operations.admission import Proof, admit
from tollgate.operations.context import Call, Context, Reply
from tollgate.settings import needed

if TYPE_CHECKING:
    from tollgate.schemas.tokens import RequestToken

GRANT_TYPE = "client_credentials"


def issue_token(context: Context, call: "Call[RequestToken]") -> Reply:
    """A token of the key's own role; with `subject`, of that client of the key's app.

    Raises InvalidRequest, UnsupportedGrantType, InvalidClient, UnauthorizedClient, InvalidScope,
    TooManyRequests.
    """
    from tollgate.crypto.access_tokens import LIFETIME_SECONDS, AccessToken, mint

    request = call.content
    if not request.grant_type:
        raise InvalidRequest
    if request.grant_type != GRANT_TYPE:
        raise UnsupportedGrantType
    try:
        admission = admit(context, _proof(call))
    except CredentialsRefused:
        raise InvalidClient from None
    holder = admission.principal
    role, subject = _subject(holder, request.subject)
    scopes = _scopes(holder, role, request.scope)
    token = mint(
        context.settings.access_token_keys,
        AccessToken(holder.key_id, role, subject, scopes),
        issuer=context.settings.public_url,
        now=context.now(),
        random_bytes=context.random_bytes,
    )
    value = {
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": LIFETIME_SECONDS,
        "scope": " ".join(sorted(scopes)),
    }
    return Reply(200, value, principal=holder, allowance=admission.allowance)


def list_public_keys(context: Context, _call: Call[None]) -> Reply:
    """The keys that verify entitlements (RFC 7517). They may be kept for five minutes."""
    from tollgate.crypto.entitlements import jwks

    keyring = needed(context.settings.entitlement_keys, "ENTITLEMENT_KEYS")
    return Reply(200, jwks(keyring), headers={"cache-control": "public, max-age=300"})


def _proof(call: "Call[RequestToken]") -> Proof:
    """The key, from the Authorization header or from the body, and only one of them."""
    authorization, request = call.headers.get("authorization"), call.content
    if authorization:
        if request.client_id is not None or request.client_secret is not None:
            raise InvalidRequest("Send the key once: in the header, or in the body.")
        client_id, client_secret = _basic(authorization)
    else:
        client_id, client_secret = request.client_id or "", request.client_secret or ""
    key = read_key(client_secret)
    if key is None or key.key_id != client_id:
        raise InvalidClient
    return Proof(key.key_id, key.livemode, key.secret_sha256)


def _basic(authorization: str) -> tuple[str, str]:
    """RFC 6749 §2.3.1: both parts are form-encoded before they are joined."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise InvalidClient
        client_id, _, secret = (
            base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        )
    except (binascii.Error, ValueError):
        raise InvalidClient from None
    return unquote_plus(client_id), unquote_plus(secret)


def _subject(holder: Principal, client_id: str | None) -> tuple[Role, str]:
    if client_id is None:
        return holder.role, holder.app_id or holder.role
    if holder.role is not Role.APP:
        raise UnauthorizedClient
    return Role.CLIENT, client_id


def _scopes(holder: Principal, role: Role, wanted: str | None) -> frozenset[str]:
    """What the token may be used for: what was asked, or all that the key and the role allow."""
    allowed = holder.scopes & scopes_of(role)
    scopes = allowed if wanted is None else frozenset(wanted.split())
    if not scopes or not scopes <= allowed:
        raise InvalidScope
    return scopes
