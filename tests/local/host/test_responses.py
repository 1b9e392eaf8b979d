"""Results are shaped into responses by the gateway's rules."""

import base64
from typing import Any

import pytest

from local.host.problems import Refusal
from local.host.responses import response_of

JSON = {"content-type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
HTML = "text/html; charset=UTF-8"


@pytest.mark.parametrize(
    ("result", "status", "content", "kind"),
    [
        ({}, 204, b"", None),
        ({"body": ""}, 204, b"", None),
        ({"body": None, "statusCode": 202}, 202, b"", None),
        ({"body": "hi"}, 200, b"hi", HTML),
        ({"body": "hi", "headers": {"Content-Type": "text/plain"}}, 200, b"hi", None),
        ({"body": {"a": "é"}, "statusCode": "201"}, 201, '{"a":"é"}'.encode(), "application/json"),
        ({"body": []}, 200, b"[]", "application/json"),
        ({"body": 0}, 200, b"0", "application/json"),
        ({"body": False}, 200, b"false", "application/json"),
        ({"body": {"a": 1}, "statusCode": 400.0, "headers": PROBLEM}, 400, b'{"a":1}', None),
        ({"body": '{"a": 1}', "headers": JSON}, 200, b'{"a": 1}', None),
        ({"body": base64.b64encode(b"[1]").decode(), "headers": JSON}, 200, b"[1]", None),
        ({"body": "AAE=", "headers": {"content-type": "image/png"}}, 200, b"\0\1", "image/png"),
        ({"body": "gone", "statusCode": 304}, 304, b"", None),
    ],
)
def test_http_form(result: Any, status: int, content: bytes, kind: str | None) -> None:
    response = response_of(result, ".http")
    assert (response.status_code, response.body) == (status, content)
    if kind is not None or not content:
        assert response.headers.get("content-type") == kind


def test_lists_become_repeated_headers_and_numbers_text() -> None:
    headers = {"Set-Cookie": ["a=1", "b=2"], "X-Count": 3, "X-Yes": True, "Content-Length": "9"}
    response = response_of({"headers": headers, "body": "x"}, ".http")
    assert response.headers.getlist("set-cookie") == ["a=1", "b=2"]
    assert (response.headers["x-count"], response.headers["x-yes"]) == ("3", "true")
    assert response.headers.getlist("content-length") == ["1"]


@pytest.mark.parametrize(
    "result",
    [
        [],
        {"statusCode": "ok"},
        {"statusCode": 99},
        {"statusCode": 200.5},
        {"statusCode": "nan"},
        {"statusCode": True},
        {"headers": []},
        {"headers": {"X": {}}},
        {"headers": {"X": "a\r\nSet-Cookie: b"}},
        {"headers": {"X Y": "a"}},
        {"body": {"a": 1}, "headers": {"content-type": "text/plain"}},
        {"body": "1234", "headers": JSON},
        {"body": "null", "headers": JSON},
        {"body": "not json", "headers": JSON},
        {"body": "", "statusCode": 202, "headers": JSON},
        {"body": "not base64!", "headers": {"content-type": "image/png"}},
    ],
)
def test_result_that_is_no_response(result: Any) -> None:
    with pytest.raises(Refusal) as refused:
        response_of(result, ".http")
    assert (refused.value.status, refused.value.code) == (400, "invalid_response")


@pytest.mark.parametrize(
    ("extension", "result", "content"),
    [
        (".json", {"statusCode": 500}, b'{"statusCode":500}'),
        (".json", [1], b"[1]"),
        (".html", {"html": "<p>"}, b"<p>"),
        (".svg", {"body": "<svg/>"}, b"<svg/>"),
        (".text", {"text": {"a": 1}}, b'{"a": 1}'),
        (".text", [1], b"[1]"),
    ],
)
def test_other_forms(extension: str, result: Any, content: bytes) -> None:
    response = response_of(result, extension)
    assert (response.status_code, response.body) == (200, content)


@pytest.mark.parametrize(
    ("extension", "result", "status"),
    [(".json", "text", 400), (".html", {"body": 1}, 400), (".svg", {}, 400), (".text", {}, 404)],
)
def test_other_forms_refuse(extension: str, result: Any, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        response_of(result, extension)
    assert refused.value.status == status
