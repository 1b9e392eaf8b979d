"""Idempotency: a request with a key is answered once, and that answer is repeated for ever after.

The claim of a key, the payment it makes and the answer that is stored lie in the same rows and
transactions as the payment itself; see storage/idempotency.py.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tollgate.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused

LOCK_SECONDS = 30
"""How long a claim's holder may be believed alive: longer than any call of a function lasts."""

KEPT_DAYS = 7
"""How long an answer is kept. The payment's or refund's own row holds the key for ever."""


@dataclass(frozen=True)
class Claim:
    """A request that wants its key. `request_sha256` is over the raw bytes of the body."""

    app_id: str
    key: str
    request_sha256: bytes


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it was, and will be, sent: byte for byte."""

    status: int
    body: bytes
    replayed: bool = False


@dataclass(frozen=True)
class Held:
    """A key that somebody claimed before. `refund_id` is set where it made a refund.

    The key's row is removed after a while; `locked_until` is None then, and what it made stays.
    """

    request_sha256: bytes
    payment_id: str
    refund_id: str | None
    locked_until: datetime | None
    answer: StoredAnswer | None

    @property
    def is_removed(self) -> bool:
        """Whether the answer is forgotten, though not what it was about."""
        return self.locked_until is None


def answer_of(held: Held, claim: Claim, now: datetime) -> StoredAnswer | None:
    """The answer to repeat; None when there is none any more, or not yet and the holder is dead.

    Raises IdempotencyKeyReused for another body, IdempotencyKeyInUse while the holder may live.
    """
    if held.request_sha256 != claim.request_sha256:
        raise IdempotencyKeyReused
    # a lock that ends much later than any can was written by a wrong clock, and bars nobody; "much"
    # leaves room for the clocks of two living callers to differ
    longest = now + timedelta(seconds=2 * LOCK_SECONDS)
    if held.answer is None and held.locked_until and now < held.locked_until <= longest:
        raise IdempotencyKeyInUse
    return held.answer
