"""From a function's result to the HTTP response, by the extension its name was called with."""

import base64
import binascii
import http
import json
import re
from collections.abc import Iterator
from typing import Any

from starlette.responses import Response

from local.host.problems import Refusal

EXTENSIONS = (".http", ".json", ".html", ".svg", ".text")
BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)")
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
TEXT_TYPES = ("application/javascript", "application/xml", "application/x-www-form-urlencoded")
STATUSES = frozenset(status.value for status in http.HTTPStatus if status.value >= 200)
# The server says these itself.
FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


def response_of(result: Any, extension: str) -> Response:
    """Shapes the result. Raises Refusal (400) when it is not fit for the extension."""
    if extension == ".http":
        return _http(result)
    if extension == ".json":
        if not isinstance(result, dict | list):
            raise _unfit("application/json")
        return _plain(_json(result), "application/json")
    return _media(result, extension)


def split_extension(name: str) -> tuple[str, str]:
    """`create.json` -> (`create`, `.json`); a name without one answers as `.http`."""
    for extension in EXTENSIONS:
        if name.endswith(extension):
            return name.removesuffix(extension), extension
    return name, ".http"


def _http(result: Any) -> Response:
    if not isinstance(result, dict):
        raise _unfit("message/http")
    headers = list(_headers(result.get("headers")))
    kinds = [value for name, value in headers if name == "content-type"]
    kind = kinds[0] if kinds else None
    body = result.get("body")
    status = _status(result.get("statusCode"), default=204 if body in (None, "") else 200)
    if body in (None, ""):
        if kind is not None and _is_json(kind):
            raise _mismatch()
        content, kind = b"", None
    elif isinstance(body, str):
        kind = kind or "text/html"
        content = _text(body, kind)
    else:
        kind = kind or "application/json"
        if not _is_json(kind):
            raise _mismatch()
        content = _json(body)
    if status in (204, 304):
        content, kind = b"", None
    return _response(status, headers, content, kind)


def _headers(value: Any) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, dict):
        raise _unfit("message/http")
    for name, items in value.items():
        for item in items if isinstance(items, list) else [items]:
            if isinstance(item, bool | int | float):
                text = json.dumps(item)
            elif isinstance(item, str):
                text = item
            else:
                raise _unfit("message/http")
            if not HEADER_NAME.fullmatch(name) or not _fits_header(text):
                raise _unfit("message/http")
            yield name.lower(), text


def _fits_header(text: str) -> bool:
    return all(" " <= character <= "\xff" and character != "\x7f" for character in text)


def _status(value: Any, default: int) -> int:
    if value is None:
        return default
    try:
        status = int(value)
    except (TypeError, ValueError):
        raise _unfit("message/http") from None
    if isinstance(value, bool) or status not in STATUSES or status != float(value):
        raise _unfit("message/http")
    return status


def _text(body: str, kind: str) -> bytes:
    """JSON that looks like base64 is decoded, and binary types must be base64."""
    if _is_json(kind):
        looks_like_base64 = BASE64.fullmatch(body.strip()) is not None
        content = base64.b64decode(body.strip()) if looks_like_base64 else body.encode()
        try:
            json.loads(content)
        except ValueError:
            raise _mismatch() from None
        return content
    if _is_text(kind):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error:
        raise _mismatch() from None


def _response(
    status: int, headers: list[tuple[str, str]], content: bytes, kind: str | None
) -> Response:
    response = Response(content, status_code=status)
    if kind is not None:
        needs_charset = kind.startswith("text/") and "charset" not in kind.lower()
        response.headers["content-type"] = f"{kind}; charset=UTF-8" if needs_charset else kind
    for name, value in headers:
        if name not in FRAMING and name != "content-type":
            response.headers.append(name, value)
    return response


def _media(result: Any, extension: str) -> Response:
    """.html, .svg and .text: the result's `body`, or its member of that name."""
    member = extension.removeprefix(".")
    value = result.get("body", result.get(member)) if isinstance(result, dict) else result
    if extension == ".text":
        if isinstance(result, dict) and not {"body", "text"} & result.keys():
            raise Refusal(404, "not_found", "The result has no such property.")
        text = value if isinstance(value, str) else json.dumps(value)
        return _plain(text.encode(), "text/plain; charset=UTF-8")
    kind = "text/html; charset=UTF-8" if extension == ".html" else "image/svg+xml"
    if not isinstance(value, str):
        raise _unfit(kind.split(";", maxsplit=1)[0])
    return _plain(value.encode(), kind)


def _plain(content: bytes, kind: str) -> Response:
    return Response(content, headers={"content-type": kind})


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _media_type(kind: str) -> str:
    return kind.split(";", maxsplit=1)[0].strip().lower()


def _is_json(kind: str) -> bool:
    media_type = _media_type(kind)
    return media_type == "application/json" or media_type.endswith("+json")


def _is_text(kind: str) -> bool:
    media_type = _media_type(kind)
    return media_type.startswith("text/") or media_type in TEXT_TYPES or media_type.endswith("+xml")


def _unfit(kind: str) -> Refusal:
    return Refusal(400, "invalid_response", f"Response is not valid '{kind}'.")


def _mismatch() -> Refusal:
    return Refusal(400, "invalid_response", "The response's body does not fit its content-type.")
