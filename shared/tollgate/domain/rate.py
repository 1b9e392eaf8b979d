"""How often a key or an app may call: a bucket that holds a minute's calls and refills evenly."""

from dataclasses import dataclass

WINDOW_SECONDS = 60
CLIENT_CALLS_PER_MINUTE = 60
"""A client's token is in a client's hands: it gets a small part of what its app may call."""


@dataclass(frozen=True)
class Allowance:
    """What a bucket said of one call.

    `reset_seconds` until it is full again; `retry_after_seconds` until the next call, when refused.
    """

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0
