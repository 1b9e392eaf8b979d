"""The body of a call, as the model that its route declares: fitting, or refused by name."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.http.calls import answered, event, refused
from tollgate.domain.permissions import ANYONE
from tollgate.http import endpoint as http
from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations.context import Call, Context


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    count: int


@pytest.mark.usefixtures("nowhere")
class TestBody:
    @staticmethod
    def take(_context: Context, call: Call[Order]) -> dict[str, Any]:
        return {"count": call.content.count}

    @pytest.fixture
    def main(self) -> http.Main:
        return endpoint(POST(self.take, permission=ANYONE, body=Order))

    def test_is_read(self, main: http.Main) -> None:
        assert answered(main, event(body=b' {"name": "\xc3\xa9", "count": 2}\n')).json == {
            "count": 2
        }

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"count=2", b"\xff", b'{"name": "\xed\xa0\x80"}', b"[" * 60_000]
    )
    def test_that_is_no_json(self, main: http.Main, body: bytes) -> None:
        assert refused(main, event(body=body)) == (400, "malformed_body")

    @pytest.mark.parametrize(
        ("body", "path"),
        [
            (b"{}", "name"),
            (b'{"name": "s3cret", "count": "2"}', "count"),
            (b'{"name": "s3cret", "count": 2.0}', "count"),
            (b'{"name": 5, "count": 2}', "name"),
            (b'{"name": "s3cret", "count": 2, "coutn": 3}', "coutn"),
            (b"[]", ""),
            (b"null", ""),
        ],
    )
    def test_that_does_not_fit(self, main: http.Main, body: bytes, path: str) -> None:
        answer = answered(main, event(body=body))
        assert (answer.status, answer.json["code"]) == (422, "invalid_fields")
        assert answer.json["errors"][0]["path"] == path
        assert "s3cret" not in answer.body

    def test_a_made_up_name_is_told_short_and_on_one_line(self, main: http.Main) -> None:
        name = "a\r\n\x1b" + "b" * 10_000
        answer = answered(main, event(body=json.dumps({"name": "", "count": 1, name: 1}).encode()))
        assert answer.json["errors"][0]["path"] == "a" + "b" * 60

    def test_not_every_error_is_told(self, main: http.Main) -> None:
        body = json.dumps({f"field{number}": 1 for number in range(1000)}).encode()
        assert len(answered(main, event(body=body)).json["errors"]) == 20


@pytest.mark.usefixtures("nowhere")
class TestForm:
    @staticmethod
    def take(_context: Context, call: Call[Order]) -> dict[str, Any]:
        return call.content.model_dump()

    @pytest.fixture
    def main(self) -> http.Main:
        return endpoint(POST(self.take, permission=ANYONE, body=Order, form=True))

    @pytest.mark.parametrize(
        ("body", "media_type"),
        [
            (b"name=a+%C3%A9&count=2", "application/x-www-form-urlencoded"),
            (b"name=a+%C3%A9&count=2", "application/x-www-form-urlencoded; charset=utf-8"),
            (b"name=a+%C3%A9&count=2", None),
            (b'{"name": "a \xc3\xa9", "count": 2}', "application/json"),
            (b'{"name": "a \xc3\xa9", "count": 2}', "Application/JSON; charset=utf-8"),
        ],
    )
    def test_is_read(self, main: http.Main, body: bytes, media_type: str | None) -> None:
        headers = {"Content-Type": media_type} if media_type else {}
        answer = answered(main, event(body=body, headers=headers))
        assert (answer.status, answer.json) == (200, {"name": "a é", "count": 2})

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"name=s3cret",
            b"name=s3cret&count=",
            b"name=s3cret&count=x",
            b"name=s3cret&count=2&more=1",
            b"name=s3cret&count=2&count=2",
            b"name=%ff&count=2",
            b"name=\xff&count=2",
            b"&".join(b"f%d=s3cret" % number for number in range(21)),
            b'{"name": "s3cret", "count": 2}',
        ],
    )
    def test_that_does_not_fit_tells_nothing(self, main: http.Main, body: bytes) -> None:
        answer = answered(main, event(body=body))
        assert (answer.status, answer.json["code"]) == (400, "invalid_request")
        assert answer.json["error"] == "invalid_request"
        assert "s3cret" not in answer.body
