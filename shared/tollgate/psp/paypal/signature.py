"""PayPal's webhook signature, checked here rather than by asking PayPal about each.

SHA-256 with RSA over `<transmission id>|<transmission time>|<our webhook's id>|<CRC-32 of the raw
body>`. The CRC is weak; but whoever finds another body of the same one still tells us no more than
to look. PayPal sends an event again for three days, perhaps with its first time: so no time is too
old, and an event counts once by its id.
Source: developer.paypal.com (webhooks, verify signatures).
"""

import base64
import zlib
from datetime import datetime

from tollgate.domain.callback import Callback
from tollgate.domain.errors import SignatureRefused
from tollgate.psp.paypal.certificates import Certificates

ALGORITHM = "SHA256withRSA"
HEADER_LENGTH_MAX = 2048


def verify(callback: Callback, webhook_id: str, certificates: Certificates, now: datetime) -> bool:
    """Checks that PayPal sent this, to our webhook; whether its live mode did.

    Raises SignatureRefused; PspUnavailable where PayPal's certificate can't be read just now.
    """
    address = _header(callback, "cert-url")
    livemode = certificates.is_live(address)
    if _header(callback, "auth-algo") != ALGORITHM:
        raise SignatureRefused
    signed_parts = (
        _header(callback, "transmission-id"),
        _header(callback, "transmission-time"),
        webhook_id,
        str(zlib.crc32(callback.body)),
    )
    try:
        signature = base64.b64decode(_header(callback, "transmission-sig"), validate=True)
    except ValueError:
        raise SignatureRefused from None
    _check(certificates, address, now, signature, "|".join(signed_parts).encode())
    return livemode


def _header(callback: Callback, name: str) -> str:
    value = callback.headers.get(f"paypal-{name}", "")
    if not 0 < len(value) <= HEADER_LENGTH_MAX or not value.isascii():
        raise SignatureRefused
    return value


def _check(
    certificates: Certificates, address: str, now: datetime, signature: bytes, message: bytes
) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        certificates.key(address, now).verify(signature, message, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise SignatureRefused from None
