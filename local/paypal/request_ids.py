"""PayPal-Request-Id: the same request again does nothing again (developer.paypal.com, idempotency).

What was done is shown as it stands by then. What was refused may be tried again under the same id.
What PayPal does with an id that comes with another body is not documented; here that is refused, so
that it shows.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager

from local.paypal.errors import Json, in_progress, invalid
from local.paypal.specification import Problem
from local.paypal.store import Done
from local.paypal.world import World

LENGTH_MAX = 108


class RequestIds:
    """Which ids are taken: by a request under way, or by one that was done."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._under_way: set[str] = set()

    @contextmanager
    def claimed(self, request_id: str) -> Iterator[None]:
        """Raises ApiError: 400 for too long an id, 409 while the same one is under way."""
        if len(request_id) > LENGTH_MAX:
            description = f"A PayPal-Request-Id has at most {LENGTH_MAX} characters."
            raise invalid([Problem("/", "INVALID_STRING_LENGTH", description)])
        if request_id in self._under_way or self._world.switches.take("in_progress"):
            raise in_progress()
        self._under_way.add(request_id)
        try:
            yield
        finally:
            self._under_way.discard(request_id)

    def done(self, request_id: str, path: str, asked: Json) -> str | None:
        """What this request did before; None where it is new. Raises ApiError (400)."""
        done = self._world.state.done.get(request_id)
        if done is None or done.expires_at <= self._world.clock.time():
            return None
        if done.fingerprint != _fingerprint(path, asked):
            description = "This PayPal-Request-Id was used for another request."
            raise invalid([Problem("/", "INVALID_PARAMETER_VALUE", description)])
        return done.subject

    def keep(
        self, request_id: str, path: str, asked: Json, subject: str, kept_seconds: float
    ) -> None:
        expires_at = self._world.clock.time() + kept_seconds
        self._world.state.done[request_id] = Done(_fingerprint(path, asked), subject, expires_at)


def _fingerprint(path: str, asked: Json) -> str:
    return hashlib.sha256(f"{path}\n{json.dumps(asked, sort_keys=True)}".encode()).hexdigest()
