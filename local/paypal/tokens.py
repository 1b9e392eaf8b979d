"""POST /v1/oauth2/token: what the API wants to see with every request."""

import hmac
from base64 import b64decode
from urllib.parse import parse_qsl

from starlette.requests import Request

from local.paypal.errors import Json, no_token, of_oauth
from local.paypal.events import instant
from local.paypal.world import World

LIVES_SECONDS = 32_400


class Tokens:
    """Tokens for one client id and its secret."""

    def __init__(self, world: World, client_id: str, client_secret: str) -> None:
        self._world = world
        self._credentials = f"{client_id}:{client_secret}".encode()

    async def issue(self, request: Request) -> Json:
        """Raises ApiError."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic" or not hmac.compare_digest(_decoded(given), self._credentials):
            raise of_oauth(401, "invalid_client", "Client Authentication failed")
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        if form != {"grant_type": "client_credentials"}:
            raise of_oauth(400, "unsupported_grant_type", "Grant Type is NULL")
        state, now = self._world.state, self._world.clock.time()
        value = self._world.ids.new("A21AA", 92)
        state.tokens = {one: ends for one, ends in state.tokens.items() if ends > now}
        state.tokens[value] = now + LIVES_SECONDS
        state.token_requests += 1
        return {
            "scope": "https://uri.paypal.com/services/payments/payment",
            "access_token": value,
            "token_type": "Bearer",
            "app_id": "APP-80W284485P519543T",
            "expires_in": LIVES_SECONDS,
            "nonce": f"{instant(now)}{self._world.ids.new('', 43)}",
        }

    def check(self, request: Request) -> None:
        """Raises ApiError (401) for a missing, unknown or expired token."""
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not value:
            raise no_token()
        ends_at = self._world.state.tokens.get(value)
        if ends_at is None:
            raise of_oauth(401, "invalid_token", "Token signature verification failed")
        if ends_at <= self._world.clock.time():
            raise of_oauth(401, "invalid_token", "The token has expired")


def _decoded(given: str) -> bytes:
    try:
        return b64decode(given, validate=True)
    except ValueError:
        return b""
