"""API keys: `tg_<mode>_<id>_<secret>`. The id is public, the secret is known by its hash only."""

import hashlib
import re
from dataclasses import dataclass, field

from tollgate.domain.ids import RandomBytes

_KEY = re.compile(r"tg_(test|live)_([0-9a-z]{16})_([0-9a-f]{64})")


@dataclass(frozen=True)
class PresentedKey:
    """An API key as somebody sent it: not believed yet."""

    key_id: str
    livemode: bool
    secret_sha256: bytes = field(repr=False)


def read_key(text: str) -> PresentedKey | None:
    """The key that this text is; None when it is no key at all."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    mode, key_id, secret = match.groups()
    return PresentedKey(key_id, mode == "live", hash_secret(secret))


def hash_secret(secret: str) -> bytes:
    """What is kept of a secret. It is 256 random bits: that needs no slow hash."""
    return hashlib.sha256(secret.encode()).digest()


def new_key(livemode: bool, random_bytes: RandomBytes) -> tuple[str, PresentedKey]:
    """A new key: the text that its holder keeps, and what we keep."""
    mode, secret = "live" if livemode else "test", random_bytes(32).hex()
    text = f"tg_{mode}_{random_bytes(8).hex()}_{secret}"
    presented = read_key(text)
    assert presented is not None
    return text, presented
