"""What a call is answered with, whatever happened, and the one line that is logged of it."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from tests.http.calls import BY_APP, NOWHERE, answered, echo, event, refused
from tests.world import Answer, World, entry
from tollgate.domain.errors import ConcurrentChange
from tollgate.domain.idempotency import StoredAnswer
from tollgate.domain.permissions import ANYONE
from tollgate.http.endpoint import endpoint
from tollgate.http.route import POST
from tollgate.operations import context as means
from tollgate.operations.context import Call, Context, Reply

SETTINGS = {
    "TOLLGATE_MODE": "test",
    "DATABASE_URL": NOWHERE.database_url,
    "REDIS_URL": NOWHERE.redis_url,
    "CACHE_SECRET": "s3cret-seal",
    "TOLLGATE_URL": NOWHERE.public_url,
    "ACCESS_TOKEN_KEYS": f"a1:{base64.urlsafe_b64encode(b's3cret' + bytes(26)).decode()}",
}


class View(BaseModel):
    name: str
    count: int

    @classmethod
    def of(cls, count: int, /) -> "View":
        return cls(name="é", count=count)


@pytest.mark.usefixtures("nowhere")
class TestAnswers:
    @staticmethod
    def giving(result: Any, **declared: Any) -> Answer:
        def give(_context: Context, _call: Call[Any]) -> Any:
            return result

        main = endpoint(POST(give, permission=ANYONE, **declared))
        return answered(main, event(headers={"x-request-id": "r-1"}))

    def test_a_value(self) -> None:
        answer = self.giving({"name": "é"}, status=201)
        assert (answer.status, answer.json) == (201, {"name": "é"})
        assert answer.headers == {
            "content-type": "application/json",
            "cache-control": "no-store",
            "x-request-id": "r-1",
        }

    def test_a_value_through_its_view(self) -> None:
        assert self.giving(7, returns=View).body == '{"name":"é","count":7}'

    def test_a_reply_says_its_own_status_and_headers(self) -> None:
        answer = self.giving(Reply(202, {"a": 1}, {"location": "/x"}), status=201)
        assert (answer.status, answer.headers["location"]) == (202, "/x")

    def test_text_is_sent_as_it_is(self) -> None:
        answer = self.giving(Reply(200, "<p>é</p>", content_type="text/html; charset=utf-8"))
        assert answer.body == "<p>é</p>"
        assert answer.headers["content-type"] == "text/html; charset=utf-8"

    def test_nothing_has_no_type(self) -> None:
        answer = self.giving(Reply(303, "", {"location": "https://shop.example"}))
        assert (answer.status, answer.body) == (303, "")
        assert "content-type" not in answer.headers

    @pytest.mark.parametrize("replayed", [True, False])
    def test_a_stored_answer_is_sent_byte_for_byte(self, replayed: bool) -> None:
        stored = StoredAnswer(201, b'{"a" :  "\xc3\xa9"}', replayed=replayed)
        answer = self.giving(stored, status=200)
        assert (answer.status, answer.body) == (201, '{"a" :  "é"}')
        assert answer.headers.get("idempotency-replayed") == ("true" if replayed else None)

    def test_an_error_on_purpose(self) -> None:
        def conflict(_context: Context, _call: Call[Any]) -> None:
            raise ConcurrentChange

        answer = answered(endpoint(POST(conflict, permission=ANYONE)))
        assert (answer.status, answer.json["code"]) == (409, "concurrent_change")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.usefixtures("nowhere")
class TestCrash:
    @pytest.mark.parametrize("error", [ValueError, KeyError, RecursionError, MemoryError])
    def test_tells_nothing(
        self, capsys: pytest.CaptureFixture[str], error: type[Exception]
    ) -> None:
        def crash(_context: Context, call: Call[Any]) -> None:
            raise error(f"duplicate key (email)=(s3cret@client.example) {call.raw_body!r}")

        main = endpoint(POST(crash, permission=ANYONE))
        sent = event(body=b"s3cret-body", headers={"x-request-id": "r-1", "cookie": "s3cret"})
        answer = answered(main, sent)
        assert (answer.status, answer.json["code"]) == (500, "internal_error")
        assert answer.json["request_id"] == "r-1"
        printed = capsys.readouterr().out
        assert "s3cret" not in answer.body + printed
        crashed, called = map(json.loads, printed.splitlines())
        assert (crashed["event"], crashed["error"]) == ("call.crashed", error.__name__)
        assert crashed["where"].startswith("crash:")
        assert crashed["request_id"] == called["request_id"] == "r-1"
        assert (called["status"], called["code"]) == (500, "internal_error")

    def test_of_an_answer_that_can_t_be_told(self) -> None:
        answer = TestAnswers.giving({"not": {"json"}})
        assert (answer.status, answer.json["code"]) == (500, "internal_error")

    def test_of_an_event_of_a_strange_shape(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE))
        assert refused(main, {"http": {"headers": ["a"]}}) == (500, "internal_error")


class TestLog:
    def test_holds_identifiers_only(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        main = endpoint(POST(echo, permission=BY_APP, query=None, target="thing"))
        world._container.context = world.context
        headers = {
            "authorization": f"Bearer {world.app.key}",
            "x-request-id": "r-1",
            "user-agent": "s3cret",
        }
        sent = event(path="/s3cret", query="q=s3cret", body=b"s3cret", headers=headers)
        assert answered(main, sent).status == 200
        line = json.loads(capsys.readouterr().out)
        assert line.pop("ms") >= 0 and line.pop("at") > 0
        assert line == {
            "event": "call",
            "function": "echo",
            "status": 200,
            "code": None,
            "request_id": "r-1",
            "app_id": world.app.id,
            "key_id": world.app.key.split("_")[2],
        }

    @pytest.mark.usefixtures("nowhere")
    def test_of_a_refusal_names_its_code(self, capsys: pytest.CaptureFixture[str]) -> None:
        answered(endpoint(POST(echo, permission=BY_APP)), event(headers={"authorization": "B x"}))
        line = json.loads(capsys.readouterr().out)
        assert (line["status"], line["code"]) == (401, "credentials_refused")
        assert (line["app_id"], line["key_id"]) == (None, None)


@pytest.mark.usefixtures("nowhere")
def test_stores_out_of_reach_are_unavailable(capsys: pytest.CaptureFixture[str]) -> None:
    main = endpoint(POST(echo, permission=BY_APP))
    key = f"tg_test_{'0' * 16}_{'0' * 64}"
    answer = answered(main, event(headers={"authorization": f"Bearer {key}"}))
    assert (answer.status, answer.json["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"].isdigit()
    assert "s3cret" not in answer.body + capsys.readouterr().out


class TestConfiguration:
    @pytest.fixture(autouse=True)
    def container(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        """A new container without any setting."""
        for name in SETTINGS:
            monkeypatch.delenv(name, raising=False)
        means.container_context.cache_clear()
        yield
        means.container_context.cache_clear()

    @pytest.mark.parametrize(
        ("function", "method", "path"),
        [
            ("ops/health", "GET", ""),
            ("payments/create", "POST", ""),
            ("subscriptions/check", "GET", "/c"),
            ("payments/return", "GET", "/pay_1"),
        ],
    )
    def test_a_setting_is_missing_until_it_is_there(
        self, monkeypatch: pytest.MonkeyPatch, function: str, method: str, path: str
    ) -> None:
        main = entry(function)
        sent = event(method, path, headers={"authorization": "Bearer x", "x-request-id": "r-1"})
        for name, value in SETTINGS.items():
            answer = answered(main, sent)
            assert (answer.status, answer.json["code"]) == (503, "misconfigured")
            assert answer.json["detail"].startswith(f"The setting {name} is missing")
            assert answer.headers["x-request-id"] == "r-1"
            assert "s3cret" not in answer.body
            monkeypatch.setenv(name, value)
        assert answered(main, sent).json.get("code") != "misconfigured"

    def test_a_container_keeps_its_context(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
        context = means.container_context()
        monkeypatch.delenv("DATABASE_URL")
        assert means.container_context() is context
