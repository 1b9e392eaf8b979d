"""A raw web event of the platform, read: bytes as they were sent, names in lower case.

The shape of the event: docs.digitalocean.com/products/functions, parameters and responses.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.errors import BadRequest, MalformedBody

_MAX_QUERY_FIELDS = 50


@dataclass(frozen=True)
class Request:
    """One HTTP request. `target` is the one path segment behind the function's name, or ""."""

    method: str
    target: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_json(self) -> bool:
        """Whether the body says that it is JSON."""
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        return media_type == "application/json" or media_type.endswith("+json")


def read_request(event: Mapping[str, Any]) -> Request:
    """Reads `event["http"]` of a function with `web: raw`. Raises BadRequest, MalformedBody."""
    http = event.get("http")
    if not isinstance(http, Mapping):
        raise BadRequest("This function answers web requests only.")
    return Request(
        method=str(http.get("method", "")).upper(),
        target=_target(str(http.get("path", ""))),
        query=_query(str(http.get("queryString", ""))),
        headers={
            str(name).lower(): str(value) for name, value in (http.get("headers") or {}).items()
        },
        body=_body(http),
    )


def request_id(event: Mapping[str, Any], activation: object) -> str:
    """The id under which this call is found in the logs: the platform's, or the caller's."""
    http = event.get("http")
    headers = http.get("headers") if isinstance(http, Mapping) else None
    given = headers.get("x-request-id") if isinstance(headers, Mapping) else None
    for candidate in (given, getattr(activation, "activation_id", None)):
        if (
            isinstance(candidate, str)
            and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", candidate)
            and not has_card_number(candidate)
        ):
            return candidate
    return "unknown"


def _target(path: str) -> str:
    try:
        target = unquote(path.removeprefix("/"), errors="strict")
        target.encode()  # a lone surrogate is no character
    except UnicodeError:
        raise BadRequest("The path is not UTF-8.") from None
    return target


def _query(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_QUERY_FIELDS
        )
        text.encode()
    except ValueError:
        raise BadRequest("The query can't be read.") from None
    return dict(pairs)


def _body(http: Mapping[str, Any]) -> bytes:
    body = http.get("body") or ""
    try:
        if http.get("isBase64Encoded"):
            return base64.b64decode(body, validate=True)
        return str(body).encode()
    except (binascii.Error, ValueError):
        raise MalformedBody from None
