"""Secret keys by id, so that they can be replaced while both the old and the new one count."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

KEY_BYTES = 32
KEY_ID_PATTERN = r"[A-Za-z0-9_-]{1,16}"


@dataclass(frozen=True)
class Keyring:
    """Keys of 32 bytes by their ids: the first signs or encrypts, all of them verify or decrypt.

    Rotation: add the new key behind the old one and deploy, so that everyone knows it; put it in
    front and deploy; take the old one away when nothing needs it any more.
    """

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Keyring":
        """Reads `2026b:<base64url of 32 bytes>,2026a:<…>`, the current key first.

        Raises ValueError, without a word of the keys.
        """
        keys: dict[str, bytes] = {}
        for item in text.split(","):
            key_id, _, encoded = item.strip().partition(":")
            if not re.fullmatch(KEY_ID_PATTERN, key_id) or key_id in keys:
                raise ValueError("a key's id is 1 to 16 letters and digits, each id once")
            keys[key_id] = _decoded(encoded)
        return cls(keys)

    @property
    def current_id(self) -> str:
        """The id of the key that signs or encrypts."""
        return next(iter(self.keys))

    @property
    def current(self) -> bytes:
        """The key that signs or encrypts."""
        return self.keys[self.current_id]


def _decoded(encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes in base64url")
    return key
