"""Encryption at rest of single fields: personal data, and what a PSP told us.

A sealed value is AES-256-GCM (NIST SP 800-38D), bound to the place it was sealed for: moved to
another row, column, app or table, it can't be opened. Who must be able to find a row by its sealed
email stores a blind index beside it, a keyed hash.

`cryptography` is imported where it is used, so that a function that meets no sealed field does not
pay for it at its cold start.
"""

import hmac
import unicodedata
from dataclasses import dataclass

from tollgate.domain.errors import DecryptionFailed
from tollgate.domain.ids import RandomBytes
from tollgate.domain.keyring import KEY_BYTES, Keyring

FORMAT_VERSION = 1
NONCE_BYTES = 12
TAG_BYTES = 16
INDEX_BYTES = 16

ENCRYPTION = b"tollgate fields: encryption 1"
BLIND_INDEX = b"tollgate fields: blind index 1"


@dataclass(frozen=True)
class Place:
    """Where a sealed value lies, and nowhere else."""

    table: str
    column: str
    row_id: str
    app_id: str


@dataclass(frozen=True)
class IndexedColumn:
    """The column of sealed emails that an index is for. Apps don't share an index."""

    table: str
    column: str
    app_id: str


@dataclass(frozen=True)
class FieldCipher:
    """Seals and opens fields, and makes the indexes by which sealed emails are found."""

    keyring: Keyring
    random_bytes: RandomBytes

    def encrypt(self, place: Place, plaintext: bytes) -> bytes:
        """The sealed value: version, length of the key's id, its id, nonce, ciphertext and tag."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id = self.keyring.current_id
        nonce = self.random_bytes(NONCE_BYTES)
        cipher = AESGCM(_subkey(self.keyring.current, ENCRYPTION))
        header = bytes((FORMAT_VERSION, len(key_id))) + key_id.encode("ascii")
        return header + nonce + cipher.encrypt(nonce, plaintext, _bound_to(key_id, place))

    def decrypt(self, place: Place, sealed: bytes) -> bytes:
        """What was sealed for this place. Raises DecryptionFailed."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id, nonce, ciphertext = _parts(sealed)
        key = self.keyring.keys.get(key_id)
        if key is None:
            raise DecryptionFailed
        cipher = AESGCM(_subkey(key, ENCRYPTION))
        try:
            return cipher.decrypt(nonce, ciphertext, _bound_to(key_id, place))
        except InvalidTag:
            raise DecryptionFailed from None

    def blind_index(self, column: IndexedColumn, email: str) -> bytes:
        """The 16 bytes to store beside the sealed email, made with the current key."""
        return _blind_index(self.keyring.current, column, email)

    def blind_indexes(self, column: IndexedColumn, email: str) -> list[bytes]:
        """The indexes to look an email up by: one for each key, the current one's first."""
        return [_blind_index(key, column, email) for key in self.keyring.keys.values()]


def key_id_of(sealed: bytes) -> str:
    """The id of the key that sealed this, so that what an old key sealed can be sealed anew.

    Raises DecryptionFailed when this is no sealed value.
    """
    return _parts(sealed)[0]


def normalize_email(email: str) -> str:
    """One form for all spellings of an address that people take for the same.

    Blanks around it, case and the composition of accents don't count (Unicode, definition D145).
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", email.strip()).casefold())


def _blind_index(key: bytes, column: IndexedColumn, email: str) -> bytes:
    hashed = _joined(column.table, column.column, column.app_id, normalize_email(email))
    return hmac.digest(_subkey(key, BLIND_INDEX), hashed, "sha256")[:INDEX_BYTES]


def _parts(sealed: bytes) -> tuple[str, bytes, bytes]:
    """The key's id, the nonce, and the ciphertext with its tag."""
    if len(sealed) < 2 or sealed[0] != FORMAT_VERSION:
        raise DecryptionFailed
    nonce_at = 2 + sealed[1]
    ciphertext_at = nonce_at + NONCE_BYTES
    key_id = sealed[2:nonce_at]
    if len(sealed) < ciphertext_at + TAG_BYTES or not key_id.isascii():
        raise DecryptionFailed
    return key_id.decode("ascii"), sealed[nonce_at:ciphertext_at], sealed[ciphertext_at:]


def _bound_to(key_id: str, place: Place) -> bytes:
    """The additional data of a sealed value: it is authentic only with exactly these."""
    return _joined(
        str(FORMAT_VERSION), key_id, place.table, place.column, place.row_id, place.app_id
    )


def _joined(*parts: str) -> bytes:
    """The parts, each after its length in four bytes: no two lists of parts look the same."""
    # a lone surrogate is a text too, and an error about it would carry the text
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def _subkey(key: bytes, purpose: bytes) -> bytes:
    """A key for one purpose (HKDF, RFC 5869); the ring's own key is used for nothing else."""
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(key)
