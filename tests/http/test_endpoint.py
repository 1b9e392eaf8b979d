"""What every call passes through: refused in order, answered in one shape, logged by ids only."""

import json
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from tests.http.calls import answered, echo, event, refused
from tests.world import Answer, World
from tollgate.http import endpoint as http
from tollgate.http.endpoint import ANYONE, APP, APP_OR_ADMIN, endpoint
from tollgate.operations.context import Call, Context


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    count: int


@pytest.mark.usefixtures("nowhere")
class TestRefusals:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "", "post x"])
    def test_another_method(self, method: str) -> None:
        main = endpoint(echo, method=("POST", "PUT"), roles=APP)
        answer = answered(main, event(method))
        assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "POST, PUT"

    def test_one_method_alone(self) -> None:
        answer = answered(endpoint(echo, method="GET", roles=ANYONE))
        assert (answer.status, answer.headers["allow"]) == (405, "GET")

    @pytest.mark.parametrize(("target", "path"), [(False, "/x"), (True, ""), (True, "/")])
    def test_a_path_it_does_not_answer(self, target: bool, path: str) -> None:
        main = endpoint(echo, method="POST", roles=APP, target=target)
        assert refused(main, event(path=path)) == (404, "not_found")

    def test_no_credentials(self) -> None:
        answer = answered(endpoint(echo, method="POST", roles=APP))
        assert (answer.status, answer.json["code"]) == (401, "credentials_missing")
        assert answer.headers["www-authenticate"] == 'Bearer realm="tollgate"'

    def test_the_caller_is_refused_before_the_body_is_looked_at(self) -> None:
        main = endpoint(echo, method="POST", roles=APP, body=Order, idempotent=True)
        sent = event(body=b"{" * 100_000, query="x=1")
        assert refused(main, sent) == (401, "credentials_missing")

    def test_what_is_no_web_call(self) -> None:
        main = endpoint(echo, method="POST", roles=ANYONE)
        assert refused(main, {"timer": "hourly"}) == (400, "bad_request")

    def test_a_larger_body(self) -> None:
        main = endpoint(echo, method="POST", roles=ANYONE)
        assert answered(main, event(body=b"x" * 65_536)).json["size"] == 65_536
        answer = answered(main, event(body=b"x" * 65_537))
        assert (answer.status, answer.json["code"]) == (413, "content_too_large")
        assert "64 KiB" in answer.json["detail"]

    def test_a_limit_of_its_own(self) -> None:
        main = endpoint(echo, method="POST", roles=ANYONE, max_body_bytes=1024)
        assert refused(main, event(body=b"x" * 1025)) == (413, "content_too_large")

    def test_a_query_that_is_not_understood(self) -> None:
        main = endpoint(echo, method="POST", roles=ANYONE, query=("product",))
        assert answered(main, event(query="product=a")).json["query"] == {"product": "a"}
        answer = answered(main, event(query="prodct=s3cret"))
        assert (answer.status, answer.json["code"]) == (422, "invalid_fields")
        assert answer.json["errors"][0]["message"] == "Unknown field. Understood: product."
        assert "s3cret" not in answer.body

    def test_any_query_may_pass(self) -> None:
        main = endpoint(echo, method="POST", roles=ANYONE, query=None)
        assert answered(main, event(query="a=1&b=2")).json["query"] == {"a": "1", "b": "2"}


@pytest.mark.usefixtures("nowhere")
class TestBody:
    @staticmethod
    def take(_context: Context, call: Call[Order]) -> dict[str, Any]:
        return {"count": call.content.count}

    @pytest.fixture
    def main(self) -> http.Main:
        return endpoint(self.take, method="POST", roles=ANYONE, body=Order)

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


class TestRoles:
    @pytest.mark.parametrize(
        ("roles", "of_app", "of_admin"), [(APP, 200, 403), (APP_OR_ADMIN, 200, 200)]
    )
    def test_who_may(self, world: World, roles: frozenset[Any], of_app: int, of_admin: int) -> None:
        main = endpoint(echo, method="POST", roles=roles)
        world._container.context = world.context
        for key, status in ((world.app.key, of_app), (world.seed.admin_key, of_admin)):
            sent = event(headers={"Authorization": f"Bearer {key}"})
            assert answered(main, sent).status == status

    @pytest.mark.usefixtures("nowhere")
    def test_anyone_may_without_being_known(self) -> None:
        def who(_context: Context, call: Call[Any]) -> dict[str, Any]:
            return {"principal": call.principal}

        sent = event(headers={"authorization": "Bearer whatever"})
        assert answered(endpoint(who, method="POST", roles=ANYONE), sent).json == {
            "principal": None
        }


class TestIdempotencyKey:
    @staticmethod
    def claim(_context: Context, call: Call[Any]) -> dict[str, str]:
        claim = call.key_claim
        return {"app": claim.app_id, "key": claim.key, "sha256": claim.request_sha256.hex()}

    def sent(self, world: World, key: str | None, body: bytes = b"{}", path: str = "") -> Answer:
        main = endpoint(self.claim, method="POST", roles=APP, idempotent=True, target=bool(path))
        world._container.context = world.context
        headers = {"authorization": f"Bearer {world.app.key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return answered(main, event(body=body, headers=headers, path=path))

    def test_must_be_sent(self, world: World) -> None:
        answer = self.sent(world, None)
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_missing")

    @pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\nb", "a\0", "a\x7f", "\ud800", "😀"])
    def test_that_is_none(self, world: World, key: str) -> None:
        answer = self.sent(world, key)
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_malformed")

    @pytest.mark.parametrize("key", ["k", "x" * 255, "a b", '"quoted"', "~!@#$%^&*()"])
    def test_is_claimed_for_the_app(self, world: World, key: str) -> None:
        answer = self.sent(world, key)
        assert (answer.json["app"], answer.json["key"]) == (world.app.id, key)

    def test_stands_for_the_bytes_and_what_they_were_sent_to(self, world: World) -> None:
        first = self.sent(world, "k").json["sha256"]
        assert self.sent(world, "k").json["sha256"] == first
        others = {
            self.sent(world, "k", body=b"{} ").json["sha256"],
            self.sent(world, "k", path="/pay_1").json["sha256"],
            self.sent(world, "k", path="/pay_2").json["sha256"],
        }
        assert len(others | {first}) == 4
