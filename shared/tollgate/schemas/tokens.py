"""Access tokens (RFC 6749 §4.4) and the public keys of entitlements (RFC 7517)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from tollgate.schemas.fields import AnswerModel, ClientId

Text = Annotated[str, StringConstraints(max_length=512)]


class RequestToken(BaseModel):
    """A request for a token, as a form or as JSON. What it does not know it ignores, as OAuth says.

    The key goes in the Authorization header (Basic) or here: `client_id` is the id in its middle,
    `client_secret` the whole key. `subject` is a client's id: the token is that client's, to read.
    """

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    grant_type: Text = ""
    client_id: Text | None = None
    client_secret: Text | None = None
    scope: Text | None = None
    subject: ClientId | None = None


class TokenView(AnswerModel):
    """A token, for `expires_in` seconds and what `scope` names."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class PublicKeyView(AnswerModel):
    """An Ed25519 key (RFC 8037); `x` is its public part in base64url."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    kid: str
    use: Literal["sig"]
    alg: Literal["EdDSA"]
    x: str


class PublicKeysView(AnswerModel):
    """Every key that an entitlement may be signed with now."""

    keys: list[PublicKeyView]
