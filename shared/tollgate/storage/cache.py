"""Redis: speed, never truth. Whatever it does, the answers stay the same.

Every value is sealed with an HMAC over its name and content, and carries the instant it was read
from PostgreSQL: it is believed only if we wrote it, under this name, and for a minute from then.
An error, a timeout or a value that is not ours is a miss; after an error Redis is left alone for
a few seconds, so that a black hole costs one short wait and not one a call.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from tollgate.logs import log

if TYPE_CHECKING:
    from redis import Redis

BELIEVED_SECONDS = 60
TIMEOUT_SECONDS = 0.25
PAUSE_AFTER_ERROR_SECONDS = 5.0
NO_FIELDS: Mapping[str, str | int] = MappingProxyType({})

# Writes only what is at least as new: a slow reader can't put an old row over a newer one.
_SET_IF_NEWER = """
local held = tonumber(redis.call('HGET', KEYS[1], 'version') or '')
if held and held > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'value', ARGV[2], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""


class Cache:
    """Sealed values under names, for a minute; of a `url` that is empty, as where an operator's
    command has none, nothing is asked. `secret` is the deployment's own."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret
        self._client: Redis | None = None
        self._paused_until = 0.0

    def get(self, name: str) -> dict[str, Any] | None:
        """What was put under this name in the last minute, or None."""
        sealed = self._ask("HGET", name, "value")
        return self.unsealed(name, sealed) if isinstance(sealed, bytes) else None

    def put(
        self,
        name: str,
        value: dict[str, Any],
        *,
        read_at: float,
        version: int = 0,
        fields: Mapping[str, str | int] = NO_FIELDS,
    ) -> None:
        """Keeps a value that was read at `read_at` (Unix seconds), unless a newer one is there.

        `fields` lie beside it, not sealed, for scripts.
        """
        sealed = self._sealed(name, value, read_at)
        lifetime_ms = BELIEVED_SECONDS * 1000
        beside = [part for field in fields.items() for part in field]
        self._ask("EVAL", _SET_IF_NEWER, 1, name, version, sealed, lifetime_ms, *beside)

    def run(self, script: str, name: str, *arguments: str | bytes | int) -> object:
        """What a script answers about a name, in one round trip; None without Redis."""
        return self._ask("EVAL", script, 1, name, *arguments)

    def count(self, name: str) -> None:
        """Adds one to a counter."""
        self._ask("INCR", name)

    def is_up(self) -> bool:
        """Whether Redis answers."""
        return bool(self._ask("PING"))

    def close(self) -> None:
        """Closes the connection; the next call opens a new one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ask(self, *command: str | bytes | int) -> object:
        if not self._url or time.monotonic() < self._paused_until:
            return None
        import redis

        try:
            return self._connected().execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py leaves this one untyped
        except (redis.RedisError, OSError, ValueError) as error:
            # ValueError: what answers there does not speak Redis. No connection is used again.
            self.close()
            self._paused_until = time.monotonic() + PAUSE_AFTER_ERROR_SECONDS
            log("redis.unavailable", error=type(error).__name__)
            return None

    def _connected(self) -> "Redis":
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        if self._client is None:
            self._client = Redis.from_url(
                self._url,
                socket_timeout=TIMEOUT_SECONDS,
                socket_connect_timeout=TIMEOUT_SECONDS,
                # one more try, because a container thaws with a dead socket
                retry=Retry(NoBackoff(), 1),
                protocol=2,
            )
        return self._client

    def _seal(self, name: str, body: bytes) -> bytes:
        return hmac.digest(self._secret, name.encode() + b"\0" + body, hashlib.sha256)

    def _sealed(self, name: str, value: dict[str, Any], read_at: float) -> bytes:
        body = json.dumps({"at": read_at, "value": value}, separators=(",", ":")).encode()
        return self._seal(name, body) + body

    def unsealed(self, name: str, sealed: bytes) -> dict[str, Any] | None:
        """The value, if we put it under this name in the last minute."""
        seal, body = sealed[:32], sealed[32:]
        if not hmac.compare_digest(seal, self._seal(name, body)):
            return None
        content: dict[str, Any] = json.loads(body)
        age_seconds = time.time() - content["at"]
        value: dict[str, Any] = content["value"]
        return value if 0 <= age_seconds <= BELIEVED_SECONDS else None
