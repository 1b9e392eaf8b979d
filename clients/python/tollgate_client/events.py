"""Events that Tollgate posts to this app: are they Tollgate's? (Standard Webhooks 1.0.)"""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from tollgate_client.errors import EventRefused

_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def verify_event(
    secrets: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
    tolerance_seconds: float = 300,
) -> dict[str, Any]:
    """The event `{type, timestamp, data}` that this request brings, proven to be Tollgate's.

    secrets   `whsec_…`, or several of them while one replaces another
    headers   of the request, in any case of letters
    body      the raw bytes of the request, before anybody parses them
    now       seconds since 1970; the time of this call by default

    An event may be delivered more than once, each time with the same `webhook-id`.
    Raises EventRefused.
    """
    if not isinstance(body, bytes):
        raise TypeError("body is the raw bytes of the request")
    event_id, timestamp, signatures = _read_headers(headers)
    # no dot: it would let the border between the id and the timestamp be moved
    if not re.fullmatch(r"[!-\-/-~]{1,256}", event_id):
        _refuse("webhook-id is not an id")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        _refuse("webhook-timestamp is not a time")
    content = f"{event_id}.{timestamp}.".encode() + body
    if not _is_signed(secrets, content, signatures):
        _refuse("its signature is wrong")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance_seconds:
        _refuse("it is too old, or the clocks differ")
    return _read_body(body)


def _refuse(reason: str) -> NoReturn:
    raise EventRefused(f"The event is refused: {reason}.") from None


def _read_headers(headers: Mapping[str, str]) -> list[str]:
    """The three headers, each there once."""
    found: dict[str, list[str]] = {name: [] for name in _HEADERS}
    for name, value in headers.items():
        found.get(name.lower(), []).append(value)
    for name, values in found.items():
        if len(values) != 1:
            _refuse(f"it has no {name}" if not values else f"it has several {name}")
    return [found[name][0] for name in _HEADERS]


def _is_signed(secrets: str | Sequence[str], content: bytes, signatures: str) -> bool:
    """Whether any secret made any of the signatures; every pair is compared, in constant time."""
    given = [
        signature.removeprefix("v1,").encode("utf-8", "replace")
        for signature in signatures.split(" ")
        if signature.startswith("v1,")
    ]
    proven = False
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        key = _key(secret)
        if key:
            mac = base64.b64encode(hmac.digest(key, content, hashlib.sha256))
            for signature in given:
                proven |= hmac.compare_digest(mac, signature)
    return proven


def _key(secret: str) -> bytes:
    """The bytes of a secret; none when it is empty, and then it proves nothing."""
    prefix, _, encoded = secret.partition("_")
    if prefix != "whsec" and secret:
        _refuse("a secret does not begin with whsec_")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        _refuse("a secret is not base64")


def _read_body(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        _refuse("its body is not a JSON object")
    return event
