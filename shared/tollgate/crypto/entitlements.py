"""Signed entitlements, which an app can verify offline: JWS compact (RFC 7515), EdDSA (RFC 8037).

By `cryptography` directly: the check signs one for each answer, and Ed25519 costs its cold start
24 ms where PyJWT would cost 180. Even that is paid at the first signature only.
"""

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from tollgate.domain.keyring import Keyring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def sign(keyring: Keyring, claims: Mapping[str, object]) -> str:
    """These claims in compact form, signed with the current key; a key is an Ed25519 seed.

    Raises ValueError or TypeError for what JSON cannot hold.
    """
    header = {"alg": "EdDSA", "typ": "entitlement+jwt", "kid": keyring.current_id}
    signing_input = f"{_encoded(_json(header))}.{_encoded(_json(claims))}"
    return f"{signing_input}.{_encoded(signature(keyring.current, signing_input.encode()))}"


def jwks(keyring: Keyring) -> dict[str, list[dict[str, str]]]:
    """The public half of every key of the ring, as a JWK set (RFC 7517, RFC 8037 §2)."""
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "kid": key_id,
                "use": "sig",
                "alg": "EdDSA",
                "x": _encoded(_private_key(seed).public_key().public_bytes_raw()),
            }
            for key_id, seed in keyring.keys.items()
        ]
    }


def signature(seed: bytes, message: bytes) -> bytes:
    """64 bytes of Ed25519 (RFC 8032 §5.1); the seed is 32 bytes."""
    return _private_key(seed).sign(message)


@cache  # making one costs as much as signing with it, and a ring has few
def _private_key(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
