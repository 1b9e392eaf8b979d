"""Signed links to the pay page: whoever holds one may see and pay one bill, until it expires.

`<bill>~<expiry>~<key>~<signature>`: the expiry in Unix seconds, the id of the key that signed, and
128 bits of HMAC-SHA256 (RFC 2104) in base64url over all that stands before. Of characters that mean
nothing in an address (RFC 3986 §2.3).
"""

import base64
import hmac
import re
from datetime import datetime

from tollgate.domain.keyring import Keyring

_SIGNATURE_BYTES = 16
_LINK = re.compile(
    r"(bil_[0-9a-z]{1,64})~(\d{1,12})~([A-Za-z0-9_-]{1,16})~([A-Za-z0-9_-]{22})", re.ASCII
)


def sign_link(keyring: Keyring, bill_id: str, expires_at: datetime) -> str:
    """The link's last part, good until then."""
    text = f"{bill_id}~{int(expires_at.timestamp())}~{keyring.current_id}"
    return f"{text}~{_signature(keyring.current, text)}"


def bill_of_link(keyring: Keyring, link: str, now: datetime) -> str | None:
    """The bill that this link is for; None where it is none of ours or has expired."""
    read = _LINK.fullmatch(link)
    if read is None:
        return None
    bill_id, expires_at, key_id, signature = read.groups()
    key = keyring.keys.get(key_id)
    text = link.rpartition("~")[0]
    if key is None or not hmac.compare_digest(_signature(key, text), signature):
        return None
    return bill_id if now.timestamp() < int(expires_at) else None


def _signature(key: bytes, text: str) -> str:
    mac = hmac.digest(key, text.encode(), "sha256")[:_SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
