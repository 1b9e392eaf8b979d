"""Who may ask: the merchant's token, and its signature under each request.

Sources: Jenga's guides on authentication and on generating signatures.
"""

import base64
import binascii
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from local.jenga.errors import SIGNATURE_INVALID, SIGNATURE_MISSING, UNAUTHORIZED, ApiError
from local.jenga.world import World

TOKEN_SECONDS = 15 * 60


@dataclass(frozen=True)
class Merchant:
    """The one merchant there is. `public_key` is the PEM that it gave Jenga."""

    code: str
    api_key: str
    consumer_secret: str
    public_key: str


class Access:
    """Gives tokens, and checks what is asked under them."""

    def __init__(self, world: World, merchant: Merchant) -> None:
        key = load_pem_public_key(merchant.public_key.encode())
        if not isinstance(key, RSAPublicKey):
            raise ValueError("Jenga takes RSA keys only")
        self._key = key
        self._world = world
        self.merchant = merchant

    def new_token(self, api_key: str, merchant_code: str, secret: str) -> dict[str, str]:
        """The answer to a merchant that is who it says. Raises ApiError."""
        self._world.state.token_requests += 1
        given = (api_key, merchant_code, secret)
        known = (self.merchant.api_key, self.merchant.code, self.merchant.consumer_secret)
        if not hmac.compare_digest("\n".join(given).encode(), "\n".join(known).encode()):
            raise ApiError(401, UNAUTHORIZED, "Invalid credentials")
        now = self._world.clock.time()
        token = self._world.ids.new("eyJ.", 40)
        self._world.state.tokens[token] = now + TOKEN_SECONDS
        return {
            "accessToken": token,
            "refreshToken": self._world.ids.new("", 40),
            "expiresIn": _instant(now + TOKEN_SECONDS),
            "issuedAt": _instant(now),
            "tokenType": "Bearer",
        }

    def check_bearer(self, authorization: str) -> None:
        """Raises ApiError."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer" or not self.is_living(token):
            raise ApiError(401, str(UNAUTHORIZED), "Unauthorized")

    def is_living(self, token: str) -> bool:
        return self._world.clock.time() < self._world.state.tokens.get(token, 0)

    def check_signature(self, signature: str, *fields: str) -> None:
        """Whether the merchant signed these fields, joined by nothing. Raises ApiError."""
        if not signature:
            raise ApiError(400, SIGNATURE_MISSING, "Missing signature")
        try:
            raw = base64.b64decode(signature, validate=True)
            self._key.verify(raw, "".join(fields).encode(), PKCS1v15(), SHA256())
        except (binascii.Error, InvalidSignature, ValueError):
            raise ApiError(400, SIGNATURE_INVALID, "Invalid signature") from None


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
