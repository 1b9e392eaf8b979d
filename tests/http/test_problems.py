"""Every error is a problem document with the status of its kind."""

import json
from collections.abc import Iterator

import pytest

from tollgate.domain import errors
from tollgate.domain.errors import (
    ConstraintViolated,
    FieldError,
    InvalidFields,
    MethodNotAllowed,
    TollgateError,
    TooManyRequests,
)
from tollgate.domain.rate import Allowance
from tollgate.http.problems import OAUTH_ERRORS, problem


def _kinds(kind: type[TollgateError]) -> Iterator[type[TollgateError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _kinds(child)


KINDS = sorted(
    (kind for kind in _kinds(TollgateError) if kind.__module__ == errors.__name__),
    key=lambda kind: kind.__name__,
)
STATUS = {
    errors.BadRequest: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.ContentTooLarge: 413,
    errors.Unprocessable: 422,
    errors.TooManyRequests: 429,
    errors.InternalError: 500,
    errors.Unavailable: 503,
}


def made(kind: type[TollgateError]) -> TollgateError:
    if kind is MethodNotAllowed:
        return MethodNotAllowed(("GET", "POST"))
    if kind is ConstraintViolated:
        return ConstraintViolated("apps_pkey")
    if kind is TooManyRequests:
        return TooManyRequests(Allowance(False, 600, 0, 60, 1))
    return kind()


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_told(kind: type[TollgateError]) -> None:
    error = made(kind)
    answer = problem(error, "request-1")
    document = json.loads(answer["body"])
    told = {"type", "title", "status", "detail", "code", "request_id"}
    of_oauth = {"error", "error_description"} if issubclass(kind, OAUTH_ERRORS) else set()
    assert set(document) == told | of_oauth
    expected = next(status for parent, status in STATUS.items() if issubclass(kind, parent))
    assert document["status"] == answer["statusCode"] == expected
    assert (document["code"], document["detail"]) == (error.code, error.detail)
    assert document["detail"] and document["title"]
    assert document["request_id"] == answer["headers"]["x-request-id"] == "request-1"
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert answer["headers"]["cache-control"] == "no-store"


@pytest.mark.parametrize("kind", KINDS)
def test_headers_that_a_status_asks_for(kind: type[TollgateError]) -> None:
    answer = problem(made(kind), "request-1")
    headers, status = answer["headers"], answer["statusCode"]
    assert ("www-authenticate" in headers) == (status == 401)
    assert ("allow" in headers) == (status == 405)
    assert ("retry-after" in headers) == (status in (409, 503))
    assert headers.get("retry-after", "1").isdigit()


@pytest.mark.parametrize(
    "kind",
    [
        errors.InvalidClient,
        errors.InvalidRequest,
        errors.InvalidScope,
        errors.UnauthorizedClient,
        errors.UnsupportedGrantType,
    ],
)
def test_a_client_of_oauth_reads_its_own_names(kind: type[TollgateError]) -> None:
    document = json.loads(problem(kind(), "r")["body"])
    assert document["error"] == document["code"]
    assert document["error_description"] == document["detail"]


def test_a_refused_client_of_oauth_may_come_with_a_password() -> None:
    """RFC 6749 §5.2: the scheme that the token endpoint understands."""
    headers = problem(errors.InvalidClient(), "r")["headers"]
    assert headers["www-authenticate"] == 'Basic realm="tollgate"'


def test_refused_fields_are_named() -> None:
    answer = problem(InvalidFields(errors=(FieldError("a.b", "is missing"),)), "r")
    assert json.loads(answer["body"])["errors"] == [{"path": "a.b", "message": "is missing"}]


def test_what_it_says_cannot_break_the_document() -> None:
    answer = problem(InvalidFields('"}\r\n<script>é\ud800'), "r")
    assert json.loads(answer["body"])["detail"] == '"}\r\n<script>é\ud800'
    assert "\r" not in answer["body"] and answer["body"].isascii()
