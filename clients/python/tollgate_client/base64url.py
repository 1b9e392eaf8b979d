"""Base64url without padding (RFC 4648, 5; RFC 7515, 2), in the one spelling that counts."""

import base64


def decode(text: str) -> bytes:
    """Raises ValueError for anything but what encoding these very bytes gives.

    So there is no second spelling of a token: no padding, no foreign characters that a lenient
    decoder skips, no unused bits in the last character.
    """
    encoded = text.encode("ascii")
    decoded = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != encoded:
        raise ValueError("not canonical base64url")
    return decoded
