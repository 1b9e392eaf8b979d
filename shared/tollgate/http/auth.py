"""Who calls: API keys, `tg_<mode>_<id>_<secret>`."""

import hashlib
import hmac
import re

from tollgate.domain.errors import CredentialsMissing, CredentialsRefused
from tollgate.domain.principal import ApiKey, Principal
from tollgate.operations.context import Context
from tollgate.operations.keys import find_key

_KEY = re.compile(r"tg_(test|live)_([0-9a-z]{16})_([0-9a-f]{64})")


def authenticate(context: Context, authorization: str | None) -> Principal:
    """The caller that an Authorization header proves.

    Raises CredentialsMissing, and CredentialsRefused alike for every reason to refuse.
    """
    if not authorization:
        raise CredentialsMissing
    scheme, _, token = authorization.partition(" ")
    match = _KEY.fullmatch(token.strip())
    if scheme.lower() != "bearer" or match is None:
        raise CredentialsRefused
    mode, key_id, secret = match.groups()
    key = find_key(context, key_id)
    given = hashlib.sha256(secret.encode()).digest()
    # the comparison itself tells nothing of whether the id is known
    known = key.secret_sha256 if key else bytes(32)
    proven = hmac.compare_digest(given, known)
    if not proven or key is None or not _is_valid(key, mode == "live", context):
        raise CredentialsRefused
    return Principal(key.role, key.app_id, key.id)


def _is_valid(key: ApiKey, live: bool, context: Context) -> bool:
    return (
        key.livemode == live == context.settings.livemode
        and key.revoked_at is None
        and (key.expires_at is None or context.now() < key.expires_at)
    )
