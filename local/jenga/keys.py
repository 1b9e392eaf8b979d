"""The key that a merchant signs with, for local runs."""

import base64

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)


def new_private_key() -> str:
    """The base64 of a new key's PEM, as JENGA_PRIVATE_KEY wants it: RSA with 2048 bits."""
    key = generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(pem).decode()


def public_key_of(private_key: str) -> str:
    """The PEM that a merchant gives Jenga. Raises ValueError for what is no such key."""
    key = load_pem_private_key(base64.b64decode(private_key, validate=True), password=None)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()
