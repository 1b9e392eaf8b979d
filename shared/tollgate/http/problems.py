"""Errors as RFC 9457 problem documents."""

import json
from typing import Any

from tollgate.domain.errors import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    Forbidden,
    InternalError,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    MethodNotAllowed,
    NotFound,
    TollgateError,
    TooManyRequests,
    Unauthenticated,
    UnauthorizedClient,
    Unavailable,
    Unprocessable,
    UnsupportedGrantType,
)

_STATUS: tuple[tuple[type[TollgateError], int, str], ...] = (
    (BadRequest, 400, "Bad Request"),
    (Unauthenticated, 401, "Unauthorized"),
    (Forbidden, 403, "Forbidden"),
    (NotFound, 404, "Not Found"),
    (MethodNotAllowed, 405, "Method Not Allowed"),
    (Conflict, 409, "Conflict"),
    (ContentTooLarge, 413, "Content Too Large"),
    (Unprocessable, 422, "Unprocessable Content"),
    (TooManyRequests, 429, "Too Many Requests"),
    (InternalError, 500, "Internal Server Error"),
    (Unavailable, 503, "Service Unavailable"),
)

OAUTH_ERRORS = (
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    UnauthorizedClient,
    UnsupportedGrantType,
)
"""Their codes are those of OAuth 2.0."""

_RETRY_AFTER_SECONDS = {409: 2, 503: 5}


def problem(error: TollgateError, request_id: str) -> dict[str, Any]:
    """The platform's answer (`statusCode`, `headers`, `body`) that tells this error."""
    status, title = next(
        (status, title) for kind, status, title in _STATUS if isinstance(error, kind)
    )
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    if isinstance(error, OAUTH_ERRORS):  # RFC 6749 §5.2, beside what every problem says
        document["error"] = error.code
        document["error_description"] = error.detail
    if error.errors:
        document["errors"] = [{"path": item.path, "message": item.message} for item in error.errors]
    headers = {
        "content-type": "application/problem+json",
        "cache-control": "no-store",
        "x-request-id": request_id,
    }
    if isinstance(error, MethodNotAllowed):
        headers["allow"] = ", ".join(error.allowed)
    if isinstance(error, Unauthenticated):
        scheme = "Basic" if isinstance(error, InvalidClient) else "Bearer"
        headers["www-authenticate"] = f'{scheme} realm="tollgate"'
    if status in _RETRY_AFTER_SECONDS:
        headers["retry-after"] = str(_RETRY_AFTER_SECONDS[status])
    return {"statusCode": status, "headers": headers, "body": json.dumps(document)}
