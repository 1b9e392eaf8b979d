"""Everything that can go wrong.

    TollgateError
    ├── ConnectionFailed        no answer: the network, or a timeout
    ├── UnexpectedAnswer        an answer that is not Tollgate's
    ├── EntitlementRefused      offline verification said no
    ├── EventRefused            an event's signature is not Tollgate's
    └── ApiError                a problem document (RFC 9457)
        ├── Invalid          400, 413, 422   `errors` names the fields
        ├── Unauthenticated  401
        ├── Forbidden        403
        ├── NotFound         404
        ├── Conflict         409
        ├── RateLimited      429             `retry_after` in seconds
        └── Unavailable      503             `retry_after` in seconds

No message holds an API key, a token or a secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class TollgateError(Exception):
    """Something went wrong between this app and Tollgate."""

    @property
    def retryable(self) -> bool:
        """Whether the same request may be sent again as it is, in the hope of another answer."""
        return False


class ConnectionFailed(TollgateError):
    """No answer came. What was asked may have been done."""

    @property
    def retryable(self) -> bool:
        return True


class UnexpectedAnswer(TollgateError):
    """The answer is not one of Tollgate's. What was asked may have been done."""


class EntitlementRefused(TollgateError):
    """An entitlement gives no access; the text says why, without any of its data."""


class EventRefused(TollgateError):
    """An event was not sent by Tollgate, or not just now, or is damaged; the text says why."""


@dataclass(frozen=True)
class FieldError:
    """One refused field: where it is (`customer.email`) and what is wrong with it."""

    path: str
    message: str


class ApiError(TollgateError):
    """Tollgate refused. `code` is stable: act on it; `request_id` is what its log knows.

    The platform in front of Tollgate has no codes; its refusals are `http_<status>`.
    `document` is the problem document, `retry_after` what was asked for, in seconds.
    """

    def __init__(
        self, status: int, document: Mapping[str, Any], retry_after: float | None = None
    ) -> None:
        super().__init__(status, document, retry_after)
        self.status = status
        self.code = _text(document.get("code")) or f"http_{status}"
        self.detail = _text(document.get("detail")) or "No details were given."
        self.request_id = _text(document.get("request_id"))
        self.errors = _field_errors(document.get("errors"))
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        return self.status in (429, 503) or self.code == "idempotency_key_in_use"

    def __str__(self) -> str:
        fields = "".join(f" [{error.path}: {error.message}]" for error in self.errors)
        return f"{self.status} {self.code}: {self.detail}{fields} (request {self.request_id})"


class Invalid(ApiError):
    """The request can't be done as it is."""


class Unauthenticated(ApiError):
    """The API key is unknown, expired, revoked, or of the other mode (test or live)."""


class Forbidden(ApiError):
    """This key may not do this."""


class NotFound(ApiError):
    """There is nothing under this id, or it is not this app's."""


class Conflict(ApiError):
    """It is not in a state for that, or another request is changing it: `code` tells which."""


class RateLimited(ApiError):
    """Too many calls."""


class Unavailable(ApiError):
    """Tollgate can't answer just now."""


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _field_errors(items: object) -> tuple[FieldError, ...]:
    return tuple(
        FieldError(str(item.get("path")), str(item.get("message")))
        for item in (items if isinstance(items, list) else [])
        if isinstance(item, dict)
    )
