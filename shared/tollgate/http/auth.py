"""What an Authorization header brings: an API key, or an access token that we signed."""

from tollgate.domain.credentials import read_key
from tollgate.domain.errors import CredentialsMissing, CredentialsRefused
from tollgate.domain.principal import Role
from tollgate.operations.admission import Proof
from tollgate.operations.context import Context


def read_proof(context: Context, authorization: str | None) -> Proof:
    """Nobody is asked: what is no key and no token of ours ends here.

    Raises CredentialsMissing, and CredentialsRefused alike for every reason to refuse.
    """
    if not authorization:
        raise CredentialsMissing
    scheme, _, text = authorization.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer":
        raise CredentialsRefused
    key = read_key(text)
    if key is not None:
        return Proof(key.key_id, key.livemode, key.secret_sha256)
    return _read_token(context, text)


def _read_token(context: Context, text: str) -> Proof:
    from tollgate.crypto.access_tokens import TokenRefused, verify

    settings = context.settings
    try:
        token = verify(
            settings.access_token_keys, text, issuer=settings.public_url, now=context.now()
        )
    except TokenRefused:
        raise CredentialsRefused from None
    return Proof(
        token.key_id,
        settings.livemode,
        is_signed=True,
        role=token.role,
        client_id=token.subject if token.role is Role.CLIENT else "",
        scopes=token.scopes,
    )
