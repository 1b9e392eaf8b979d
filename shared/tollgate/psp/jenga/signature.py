"""Jenga's `Signature`: RSA PKCS#1 v1.5 with SHA-256 over fields joined by nothing, in base64.

Which fields, in which order, is another list for each API; each is beside what it signs.
Source: Jenga's guide on generating signatures.
"""

import base64
import binascii
from functools import cached_property
from typing import TYPE_CHECKING

from tollgate.domain.errors import Misconfigured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SETTING = "JENGA_PRIVATE_KEY"


class Signer:
    """Signs with the merchant's private key, given as the base64 of its PEM, read at first use."""

    def __init__(self, private_key: str) -> None:
        self._private_key = private_key

    def sign(self, *fields: str) -> str:
        """The signature of these fields. Raises Misconfigured where the key can't be read."""
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature = self._key.sign("".join(fields).encode(), PKCS1v15(), SHA256())
        return base64.b64encode(signature).decode()

    @cached_property
    def _key(self) -> "RSAPrivateKey":
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            pem = base64.b64decode(self._private_key, validate=True)
            # a test for primes would cost each new container 140 ms, and the key is our own
            key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
        except (binascii.Error, UnsupportedAlgorithm, TypeError, ValueError):
            raise _unreadable() from None
        if not isinstance(key, RSAPrivateKey):
            raise _unreadable()
        return key


def _unreadable() -> Misconfigured:
    return Misconfigured(f"The setting {SETTING} must be the base64 of an RSA key's PEM.")
