"""The errors: each says what to do, has a code of its own and an HTTP status."""

import json
import re

import pytest

from tollgate.domain import errors
from tollgate.domain.errors import (
    FieldError,
    InvalidFields,
    MethodNotAllowed,
    NotFound,
    TollgateError,
    TooManyRequests,
)
from tollgate.domain.rate import Allowance
from tollgate.http.problems import problem

ALL = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, TollgateError)
]
RAISED = [kind for kind in ALL if kind is not TollgateError]


def make(kind: type[TollgateError]) -> TollgateError:
    if kind is MethodNotAllowed:
        return MethodNotAllowed(("GET", "HEAD"))
    if kind is TooManyRequests:
        return TooManyRequests(Allowance(False, 600, 0, 60, 1))
    return kind()


def drawn_tree() -> dict[str, tuple[int, list[str]]]:
    """The tree of the module's docstring: parent, its status, its children."""
    tree: dict[str, tuple[int, list[str]]] = {}
    children: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if branch := re.fullmatch(r" {4}[├└]── (\w+) +(\d{3})(.*)", line):
            children = re.findall(r"\w+", branch[3])
            tree[branch[1]] = (int(branch[2]), children)
        elif line.startswith("    │"):
            children += re.findall(r"\w+", line)
    return tree


def test_the_drawn_tree_lists_every_error_under_its_parent() -> None:
    drawn = {
        (child, parent)
        for parent, (_, children) in drawn_tree().items()
        for child in [parent, *children]
    }
    real = {
        (kind.__name__, kind.__name__ if parent is TollgateError else parent.__name__)
        for kind in RAISED
        for parent in kind.__bases__
    }
    assert drawn == real


@pytest.mark.parametrize("kind", RAISED)
def test_an_error_has_the_status_that_is_drawn(kind: type[TollgateError]) -> None:
    status = next(
        status
        for parent, (status, children) in drawn_tree().items()
        if kind.__name__ in [parent, *children]
    )
    answer = problem(make(kind), "request-1")
    document = json.loads(answer["body"])
    assert answer["statusCode"] == document["status"] == status
    assert answer["headers"]["content-type"] == "application/problem+json"
    assert document["request_id"] == answer["headers"]["x-request-id"] == "request-1"


@pytest.mark.parametrize("kind", ALL)
def test_an_error_has_a_message_of_its_own_in_one_line(kind: type[TollgateError]) -> None:
    message = kind.__dict__.get("__doc__") or ""
    assert message.endswith(".")
    assert message.isprintable()
    assert make(kind).detail in (message, "Use GET or HEAD.")


def test_codes_differ_and_are_the_names_in_snake_case() -> None:
    codes = {make(kind).code for kind in ALL}
    assert len(codes) == len(ALL)
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", code) for code in codes)
    assert errors.IdempotencyKeyInUse().code == "idempotency_key_in_use"
    assert errors.UnsupportedPsp().code == "unsupported_psp"
    assert NotFound().code == "not_found"


def test_a_problem_names_the_fields_and_never_their_values() -> None:
    error = InvalidFields(errors=(FieldError("customer.email", "is not an address"),))
    document = json.loads(problem(error, "request-1")["body"])
    assert document["errors"] == [{"path": "customer.email", "message": "is not an address"}]
    assert document["code"] == "invalid_fields"


def test_headers_say_what_a_caller_may_do_next() -> None:
    allowed = problem(MethodNotAllowed(("GET", "HEAD")), "r")["headers"]
    assert allowed["allow"] == "GET, HEAD"
    assert "Bearer" in problem(errors.CredentialsRefused(), "r")["headers"]["www-authenticate"]
    assert int(problem(errors.IdempotencyKeyInUse(), "r")["headers"]["retry-after"]) > 0
    assert int(problem(errors.DatabaseUnavailable(), "r")["headers"]["retry-after"]) > 0
    assert "retry-after" not in problem(errors.UnknownPlan(), "r")["headers"]
