"""The tokens by which PSPs know us: fetched by one container, used by all until they end.

They lie in Redis encrypted, under a key of their own made of the deployment's cache secret. Without
Redis each container fetches its own.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tollgate.crypto.fields import FieldCipher, Place
from tollgate.domain.errors import DecryptionFailed
from tollgate.domain.ids import RandomBytes
from tollgate.domain.keyring import Keyring
from tollgate.domain.psp_token import Token
from tollgate.storage.cache import Cache

USED_FOR = 0.9
"""Of its life: a request that takes a token along may be long on its way."""
FETCH_SECONDS = 6
"""How long the one that fetches has the turn: longer than a PSP is waited for. Should it die, the
turn is another's then."""
PATIENCE_SECONDS = 8
"""How long the others wait: long enough for a second one to fetch where the first has died."""
_POLL_SECONDS = 0.05

_GET = "return redis.call('GET', KEYS[1])"
_PUT = "return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])"
_LOCK = "return redis.call('SET', KEYS[1] .. ':fetching', ARGV[1], 'NX', 'PX', ARGV[2])"
# only its own turn: one that was slow, or lost patience, does not end another's
_UNLOCK = """
local turn = KEYS[1] .. ':fetching'
if redis.call('GET', turn) == ARGV[1] then return redis.call('DEL', turn) end
return 0
"""


@dataclass(frozen=True)
class _Held:
    value: str = field(repr=False)
    until: float


@dataclass(frozen=True)
class SharedTokens:
    """The Tokens of psp/protocol.py. `secret` is the deployment's cache secret."""

    cache: Cache
    secret: bytes = field(repr=False)
    now: Callable[[], datetime]
    random_bytes: RandomBytes
    _own: dict[str, _Held] = field(default_factory=dict, repr=False)

    def get(self, name: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        """See Tokens.get."""
        held = self._own.get(name)
        if held is None or not self._serves(held, refused):
            held = self._shared(name, refused) or self._fetch_alone(name, fetch, refused)
            self._own[name] = held
        return held.value

    def _fetch_alone(self, name: str, fetch: Callable[[], Token], refused: str | None) -> _Held:
        """Fetched by whoever is first; the others get what it got, or lose patience."""
        gives_up_at, turn = time.monotonic() + PATIENCE_SECONDS, self.random_bytes(8).hex()
        while self._is_being_fetched(name, turn) and time.monotonic() < gives_up_at:
            time.sleep(_POLL_SECONDS)
            held = self._shared(name, refused)
            if held is not None:
                return held
        try:
            held = self._shared(name, refused)  # put there between our look and our turn
            if held is not None:
                return held
            token = fetch()
            held = _Held(token.value, self.now().timestamp() + token.lives_seconds * USED_FOR)
            self._share(name, held, token.lives_seconds)
        finally:
            self.cache.run(_UNLOCK, _key(name), turn)
        return held

    def _is_being_fetched(self, name: str, turn: str) -> bool:
        """Whether somebody else has the turn; if not, it is ours. False without Redis."""
        lock = self.cache.run(_LOCK, _key(name), turn, FETCH_SECONDS * 1000)
        return lock is None and self.cache.is_up()

    def _serves(self, held: _Held, refused: str | None) -> bool:
        return held.value != refused and self.now().timestamp() < held.until

    def _shared(self, name: str, refused: str | None) -> _Held | None:
        sealed = self.cache.run(_GET, _key(name))
        if not isinstance(sealed, bytes):
            return None
        try:
            held = _Held(**json.loads(self._cipher.decrypt(_place(name), sealed)))
        except DecryptionFailed:
            return None  # of another deployment, or somebody's who can write there
        return held if self._serves(held, refused) else None

    def _share(self, name: str, held: _Held, lives_seconds: float) -> None:
        content = json.dumps({"value": held.value, "until": held.until}).encode()
        sealed = self._cipher.encrypt(_place(name), content)
        # Redis takes no life of nothing
        self.cache.run(_PUT, _key(name), sealed, max(1, int(lives_seconds * 1000)))

    @property
    def _cipher(self) -> FieldCipher:
        key = hmac.digest(self.secret, b"tollgate PSP tokens", hashlib.sha256)
        return FieldCipher(Keyring({"cache": key}), self.random_bytes)


def _key(name: str) -> str:
    return f"psp_token:{name}"


def _place(name: str) -> Place:
    return Place("redis", "psp_token", name, "")
