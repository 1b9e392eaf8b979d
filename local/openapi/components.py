"""What many operations share: problems, headers, and how to authenticate."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

from tollgate.domain import errors

SECURITY_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key, or an access token of `auth/token`.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "The id in the middle of an API key, and the whole key as the password.",
    },
}

HEADERS: dict[str, Any] = {
    name: {"description": description, "schema": {"type": kind}}
    for name, kind, description in (
        ("X-Request-Id", "string", "The id under which the call is found in the logs."),
        ("RateLimit-Limit", "integer", "How many calls a minute the key or its app has."),
        ("RateLimit-Remaining", "integer", "How many calls can be made at once now."),
        ("RateLimit-Reset", "integer", "Seconds until all of them can be made again."),
        ("Retry-After", "integer", "Seconds to wait before the call is made again."),
        (
            "Idempotency-Replayed",
            "boolean",
            "Sent, and true, where this is the first answer again.",
        ),
        ("WWW-Authenticate", "string", "How to authenticate."),
        ("Location", "string", "Where to go on."),
    )
}
RATE_LIMIT = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "Why a call was refused or did not succeed (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The name of the status."},
        "status": {"type": "integer", "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What is wrong, and what to do."},
        "code": {"type": "string", "description": "What to act on. New codes may be added."},
        "request_id": {"type": "string", "description": "What the logs know the call by."},
        "errors": {
            "type": "array",
            "description": "Each refused field: where it is and what is wrong, never its value.",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "error": {"type": "string", "description": "Of auth/token: the error of OAuth 2.0."},
        "error_description": {"type": "string", "description": "Of auth/token: as `detail`."},
    },
}

PROBLEM_CONTENT: dict[str, Any] = {
    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
}

PROBLEMS: dict[int, type[errors.TollgateError]] = {
    400: errors.BadRequest,
    401: errors.Unauthenticated,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    413: errors.ContentTooLarge,
    422: errors.Unprocessable,
    429: errors.TooManyRequests,
    503: errors.Unavailable,
}
_HEADERS_OF = {
    401: ("WWW-Authenticate",),
    403: RATE_LIMIT,
    404: RATE_LIMIT,
    409: (*RATE_LIMIT, "Retry-After"),
    422: RATE_LIMIT,
    429: (*RATE_LIMIT, "Retry-After"),
    503: ("Retry-After",),
}


def problem_responses() -> dict[str, Any]:
    """The responses that tell a problem, by the name of their parent error."""
    return {
        parent.__name__: {
            "description": _told(parent),
            "headers": header_refs("X-Request-Id", *_HEADERS_OF.get(status, ())),
            "content": PROBLEM_CONTENT,
        }
        for status, parent in PROBLEMS.items()
    }


def problem_refs(statuses: set[int]) -> dict[str, Any]:
    """References to the problems of these statuses."""
    return {
        str(status): {"$ref": f"#/components/responses/{PROBLEMS[status].__name__}"}
        for status in sorted(statuses)
    }


def header_refs(*names: str) -> dict[str, Any]:
    """References to these headers."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _told(parent: type[errors.TollgateError]) -> str:
    codes = "".join(f"\n- `{code}`: {says}" for code, says in sorted(_codes(parent)))
    return f"The `code` tells which:\n{codes}"


def _codes(parent: type[errors.TollgateError]) -> Iterator[tuple[str, str]]:
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", parent.__name__).lower()
    yield snake, inspect.cleandoc(parent.__doc__ or "")
    for kind in parent.__subclasses__():
        yield from _codes(kind)
