"""Idempotency keys as docs.stripe.com/api/idempotent_requests describes them."""

import hashlib
from urllib.parse import parse_qsl

from local.clock import Clock
from local.stripe.errors import Json, invalid_parameter, key_in_use, key_reused
from local.stripe.store import KeptAnswer, State

KEY_LENGTH_MAX = 255
KEPT_SECONDS = 24 * 3600


def fingerprint(path: str, form: str) -> str:
    """Equal for equal parameters of one endpoint, whatever their order."""
    pairs = sorted(parse_qsl(form, keep_blank_values=True))
    return hashlib.sha256(repr((path, pairs)).encode()).hexdigest()


class IdempotencyKeys:
    """Which keys are taken: by a request under way, or by an answer kept for a day."""

    def __init__(self, state: State, clock: Clock) -> None:
        self._state = state
        self._clock = clock
        self._under_way: set[str] = set()

    def claim(self, key: str, request: str) -> KeptAnswer | None:
        """The answer to replay, or None: then the key is taken until `release`.

        Raises ApiError: 400 for other parameters or too long a key, 409 while the key is in use.
        """
        if len(key) > KEY_LENGTH_MAX:
            message = f"Idempotency keys have at most {KEY_LENGTH_MAX} characters."
            raise invalid_parameter("Idempotency-Key", message)
        if key in self._under_way:
            raise key_in_use()
        kept = self._state.answers.get(key)
        if kept is not None and kept.expires_at > self._clock.time():
            if kept.fingerprint != request:
                raise key_reused()
            return kept
        self._under_way.add(key)
        return None

    def keep(self, key: str, request: str, request_id: str, status: int, body: Json) -> None:
        expires_at = self._clock.time() + KEPT_SECONDS
        self._state.answers[key] = KeptAnswer(request, request_id, status, body, expires_at)

    def release(self, key: str) -> None:
        self._under_way.discard(key)
