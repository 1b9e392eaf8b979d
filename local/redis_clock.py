"""Redis keeps a clock of its own: when ours is moved, what lies there has to age as much."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import islice

from redis import Redis, RedisError

PAUSE_AFTER_ERROR_SECONDS = 10.0
_TIMEOUT_SECONDS = 2.0
_BATCH = 1_000
_COUNTED_CALLS = b"calls:"
"""Names of storage/admissions.py, whose values are instants on Redis's clock, in milliseconds."""


def age_redis(redis_url: str, seconds: float) -> None:
    """Takes so many seconds off the life of every key in this Redis database that has one.

    A key with no more left is gone. Raises RedisError.
    """
    client = Redis.from_url(
        redis_url,
        socket_timeout=_TIMEOUT_SECONDS,
        socket_connect_timeout=_TIMEOUT_SECONDS,
        protocol=2,
    )
    with closing(client):
        names = iter(set(client.scan_iter(count=_BATCH)))  # a scan may tell a name twice
        while batch := list(islice(names, _BATCH)):
            _age(client, batch, round(seconds * 1000))


def _age(client: Redis, names: Sequence[bytes], milliseconds: int) -> None:
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.pttl(name)
        for name, left in zip(names, pipeline.execute(), strict=True):
            if left < 0:  # it has no end, or came to it just now
                continue
            if name.startswith(_COUNTED_CALLS):
                pipeline.incrbyfloat(name, -milliseconds)
            pipeline.pexpire(name, max(left - milliseconds, 0))
        pipeline.execute()


class RedisClock:
    """Ages one Redis, or none; one that does not answer is left alone for a few real seconds."""

    def __init__(self, redis_url: str | None, log: Callable[[str], None]) -> None:
        self._url = redis_url
        self._log = log
        self._paused_until = 0.0

    def advance(self, seconds: float) -> None:
        """Blocks for a round trip or two. What can't be aged is logged: Redis holds no truth."""
        if self._url is None or not seconds or time.monotonic() < self._paused_until:
            return
        try:
            age_redis(self._url, seconds)
        except RedisError as error:
            self._paused_until = time.monotonic() + PAUSE_AFTER_ERROR_SECONDS
            self._log(f"clock: what Redis holds has not aged along: {type(error).__name__}")
