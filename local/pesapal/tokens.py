"""Tokens: what the keys are exchanged for, for five minutes."""

import hmac
from datetime import UTC, datetime

from local.pesapal.errors import ApiError, Json, TokenRefused
from local.pesapal.requests import Keys
from local.pesapal.world import World

LIVES_SECONDS = 300


class Tokens:
    """Gives tokens for the right keys, and counts how often it was asked."""

    def __init__(self, world: World, consumer_key: str, consumer_secret: str) -> None:
        self._world = world
        self._keys = consumer_key, consumer_secret

    def issue(self, keys: Keys) -> Json:
        """A new token. Raises ApiError for wrong keys."""
        state, now = self._world.state, self._world.clock.time()
        state.token_requests += 1
        given = keys.consumer_key, keys.consumer_secret
        right = [
            hmac.compare_digest(one.encode(errors="replace"), other.encode())
            for one, other in zip(given, self._keys, strict=True)
        ]
        if not all(right):
            raise ApiError("", "invalid_consumer_key_or_secret_provided")
        for token in [token for token, end in state.tokens.items() if end <= now]:
            del state.tokens[token]
        token = self._world.ids.new("eyJ", 60)
        state.tokens[token] = now + LIVES_SECONDS
        return {
            "token": token,
            "expiryDate": _expiry(state.tokens[token]),
            "error": None,
            "status": "200",
            "message": "Request processed successfully",
        }

    def check(self, authorization: str) -> None:
        """Raises TokenRefused."""
        scheme, _, token = authorization.partition(" ")
        end = self._world.state.tokens.get(token, 0.0) if scheme == "Bearer" else 0.0
        if self._world.switches.take("refuse_token") or self._world.clock.time() >= end:
            raise TokenRefused


def _expiry(at: float) -> str:
    """With seven digits behind the point, as .NET writes it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
