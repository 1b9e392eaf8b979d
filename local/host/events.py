"""From an HTTP request to the event a function is called with."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from local.host.problems import Refusal
from local.host.project import Function, Web

# application/… types that the gateway takes for text; application/json is not one (see body_of).
TEXT_TYPES = frozenset(
    {"application/x-www-form-urlencoded", "application/xml", "application/javascript"}
)
TEXT_ENDINGS = ("+json", "+xml")


@dataclass(frozen=True)
class Request:
    """One HTTP request for a function; `path` (as sent, percent-encoded) follows its name."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    request_id: str

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def event_of(function: Function, request: Request) -> dict[str, Any]:
    """The event by the function's web mode. Raises Refusal for what the platform refuses."""
    if function.web is Web.RAW:
        return {**function.parameters, "http": _raw(request)}
    http = {"headers": request.headers, "method": request.method, "path": request.path}
    given = dict(parse_qsl(request.query, keep_blank_values=True)) | _parsed_body(request)
    if given.keys() & ({"http"} | function.parameters.keys()):
        raise Refusal(400, "invalid_request", "Request defines parameters that are not allowed.")
    return {**function.parameters, **given, "http": http}


def _raw(request: Request) -> dict[str, Any]:
    body, is_base64 = body_of(request)
    return {
        "body": body,
        "headers": request.headers,
        "isBase64Encoded": is_base64,
        "method": request.method,
        "path": request.path,
        "queryString": request.query,
    }


def body_of(request: Request) -> tuple[str, bool]:
    """The body as text and whether that is base64: for binary types, JSON and untyped bodies."""
    kind = request.media_type
    if not request.body:
        return "", False
    if kind.startswith(("text/", "multipart/")) or kind in TEXT_TYPES:
        return request.body.decode(errors="replace"), False
    if kind.endswith(TEXT_ENDINGS):
        return request.body.decode(errors="replace"), False
    return base64.b64encode(request.body).decode(), True


def _parsed_body(request: Request) -> dict[str, Any]:
    kind = request.media_type
    if not request.body:
        return {}
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if kind != "application/json" and not kind.endswith("+json"):
        return {"__ow_body": body_of(request)[0]}
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise Refusal(400, "invalid_request", "The request's body is not JSON.") from error
    return value if isinstance(value, dict) else {"__ow_body": value}
