"""One HTTP call to Tollgate, sent again while that is safe and may help."""

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any

import httpx

from tollgate_client.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    TollgateError,
    Unauthenticated,
    Unavailable,
    UnexpectedAnswer,
)

CONNECT_TIMEOUT_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 0.5
LONGEST_BACKOFF_SECONDS = 8.0

_chance = random.SystemRandom()  # no state that forked processes would share

_ERRORS: dict[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    429: RateLimited,
    503: Unavailable,
}


@dataclass(frozen=True)
class Request:
    """What is sent, the same bytes at every try."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None


class Caller:
    """Calls one deployment with one key. Safe to share between threads.

    timeout   how long one try may wait for an answer, in seconds
    retries   how often a request is sent again
    deadline  after how many seconds no further try begins or waits
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout: float,
        retries: int,
        deadline: float,
        transport: httpx.BaseTransport | None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._base_url, self._api_key = base_url, api_key
        self._timeout, self._retries, self._deadline = timeout, retries, deadline
        self._sleep, self._monotonic = sleep, monotonic
        self._http = httpx.Client(transport=transport, headers={"Accept": "application/json"})

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def send(self, request: Request, auth: httpx.Auth | None = None) -> dict[str, Any]:
        """The answer to a request, of 2xx. Raises ApiError, ConnectionFailed, UnexpectedAnswer."""
        give_up_at = self._monotonic() + self._deadline
        for attempt in count():
            left = give_up_at - self._monotonic()
            try:
                return self.send_once(request, auth or _Bearer(self._api_key), left)
            except TollgateError as error:
                wait_seconds = _wait_seconds(error, attempt)
                too_late = self._monotonic() + wait_seconds >= give_up_at
                if not error.retryable or attempt >= self._retries or too_late:
                    raise
            self._sleep(wait_seconds)
        raise AssertionError("count() does not end")

    def send_once(
        self, request: Request, auth: httpx.Auth | None, limit_seconds: float
    ) -> dict[str, Any]:
        """One try, with no credentials when `auth` is None."""
        timeout = min(self._timeout, limit_seconds)
        try:
            response = self._http.request(
                request.method,
                f"{self._base_url}/{request.path}",
                params=request.query,
                headers=request.headers,
                content=request.content,
                auth=auth,
                timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT_SECONDS)),
            )
        except httpx.RequestError as error:
            failure = f"{request.method} {request.path}: {type(error).__name__}"
        else:
            return self._read(response)
        # out here, so that httpx's error, which holds the request and its key, is not its context
        raise ConnectionFailed(failure)

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        # whoever answers, and whatever of the request it repeats
        text = response.text.replace(self._api_key, "tg_…")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            document = None
        if response.status_code >= 400:
            raise _api_error(response, document if isinstance(document, dict) else {})
        if not response.is_success or not isinstance(document, dict):
            raise UnexpectedAnswer(f"{response.status_code} without an answer of Tollgate's.")
        return document


class _Bearer(httpx.Auth):
    """Keeps the key out of every object with a telling repr."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        yield request


def _api_error(response: httpx.Response, document: Mapping[str, Any]) -> ApiError:
    known = {"request_id": response.headers.get("x-request-id"), **document}
    retry_after = _retry_after_seconds(response.headers.get("retry-after", ""))
    status = response.status_code
    return _ERRORS.get(status, ApiError)(status, known, retry_after)


def _retry_after_seconds(header: str) -> float | None:
    """Retry-After (RFC 9110, 10.2.3): seconds, or a date."""
    if re.fullmatch(r"[0-9]{1,9}", header):
        return float(header)
    try:
        date = parsedate_to_datetime(header)
    except ValueError:
        return None
    # a date that names no zone is UTC too
    aware = date if date.tzinfo else date.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - datetime.now(timezone.utc)).total_seconds())


def _wait_seconds(error: TollgateError, attempt: int) -> float:
    """What was asked for, and a share of chance, so that many apps don't come back at once."""
    asked = error.retry_after if isinstance(error, ApiError) else None
    backoff = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempt)
    return (asked or 0.0) + _chance.uniform(0, backoff)
