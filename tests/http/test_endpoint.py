"""What every call passes through: refused in order, answered in one shape, logged by ids only."""

from typing import Any

import pytest
from pydantic import BaseModel

from tests.http.calls import BY_APP, BY_APP_OR_ADMIN, answered, echo, event, refused
from tests.world import Answer, World
from tollgate.domain.permissions import ANYONE, Permission
from tollgate.http import endpoint as http
from tollgate.http.endpoint import endpoint
from tollgate.http.route import DELETE, GET, POST, PUT
from tollgate.operations.context import Call, Context


class Empty(BaseModel):
    pass


@pytest.mark.usefixtures("nowhere")
class TestRefusals:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PATCH", "", "post x"])
    def test_another_method(self, method: str) -> None:
        main = endpoint(POST(echo, permission=BY_APP), PUT(echo, permission=BY_APP))
        answer = answered(main, event(method))
        assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "POST, PUT"

    def test_one_method_alone(self) -> None:
        answer = answered(endpoint(GET(echo, permission=ANYONE)))
        assert (answer.status, answer.headers["allow"]) == (405, "GET")

    @pytest.mark.parametrize(("target", "path"), [("", "/x"), ("thing", ""), ("thing", "/")])
    def test_a_path_it_does_not_answer(self, target: str, path: str) -> None:
        main = endpoint(POST(echo, permission=BY_APP, target=target))
        assert refused(main, event(path=path)) == (404, "not_found")

    def test_no_credentials(self) -> None:
        answer = answered(endpoint(POST(echo, permission=BY_APP)))
        assert (answer.status, answer.json["code"]) == (401, "credentials_missing")
        assert answer.headers["www-authenticate"] == 'Bearer realm="tollgate"'

    def test_the_caller_is_refused_before_the_body_is_looked_at(self) -> None:
        main = endpoint(POST(echo, permission=BY_APP, body=Empty, idempotent=True))
        sent = event(body=b"{" * 100_000, query="x=1")
        assert refused(main, sent) == (401, "credentials_missing")

    def test_what_is_no_web_call(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE))
        assert refused(main, {"timer": "hourly"}) == (400, "bad_request")

    def test_a_larger_body(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE))
        assert answered(main, event(body=b"x" * 65_536)).json["size"] == 65_536
        answer = answered(main, event(body=b"x" * 65_537))
        assert (answer.status, answer.json["code"]) == (413, "content_too_large")
        assert "64 KiB" in answer.json["detail"]

    def test_a_limit_of_its_own(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE, max_body_bytes=1024))
        assert refused(main, event(body=b"x" * 1025)) == (413, "content_too_large")

    def test_a_query_that_is_not_understood(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE, query=("product",)))
        assert answered(main, event(query="product=a")).json["query"] == {"product": "a"}
        answer = answered(main, event(query="prodct=s3cret"))
        assert (answer.status, answer.json["code"]) == (422, "invalid_fields")
        assert answer.json["errors"][0]["message"] == "Unknown field. Understood: product."
        assert "s3cret" not in answer.body

    def test_any_query_may_pass(self) -> None:
        main = endpoint(POST(echo, permission=ANYONE, query=None))
        assert answered(main, event(query="a=1&b=2")).json["query"] == {"a": "1", "b": "2"}


@pytest.mark.usefixtures("nowhere")
class TestRoutes:
    """One function answers several operations, told apart by method and by a target's presence."""

    @pytest.fixture
    def main(self) -> http.Main:
        def route(name: str) -> Any:
            def operation(_context: Context, call: Call[Any]) -> dict[str, Any]:
                return {"operation": name, "target": call.target}

            return operation

        return endpoint(
            GET(route("list"), permission=ANYONE, query=("limit",)),
            POST(route("create"), permission=ANYONE, status=201),
            GET(route("get"), permission=ANYONE, target="id"),
            DELETE(route("delete"), permission=ANYONE, target="id"),
        )

    @pytest.mark.parametrize(
        ("method", "path", "status", "operation"),
        [
            ("GET", "", 200, "list"),
            ("GET", "/", 200, "list"),
            ("POST", "", 201, "create"),
            ("GET", "/x", 200, "get"),
            ("DELETE", "/x", 200, "delete"),
        ],
    )
    def test_each_operation_is_found(
        self, main: http.Main, method: str, path: str, status: int, operation: str
    ) -> None:
        answer = answered(main, event(method, path))
        target = path.removeprefix("/")
        assert (answer.status, answer.json) == (status, {"operation": operation, "target": target})

    @pytest.mark.parametrize(
        ("method", "path", "allow"),
        [
            ("DELETE", "", "GET, POST"),
            ("PUT", "", "GET, POST"),
            ("POST", "/x", "GET, DELETE"),
            ("HEAD", "/x", "GET, DELETE"),
        ],
    )
    def test_a_method_of_the_others_is_refused(
        self, main: http.Main, method: str, path: str, allow: str
    ) -> None:
        answer = answered(main, event(method, path))
        assert (answer.status, answer.headers["allow"]) == (405, allow)

    def test_each_has_its_own_query(self, main: http.Main) -> None:
        assert answered(main, event("GET", query="limit=1")).status == 200
        assert refused(main, event("POST", query="limit=1")) == (422, "invalid_fields")
        assert refused(main, event("GET", "/x", query="limit=1")) == (422, "invalid_fields")

    def test_the_routes_can_be_read(self, main: http.Main) -> None:
        assert [route.method for route in main.routes] == ["GET", "POST", "GET", "DELETE"]


class TestRoles:
    @pytest.mark.parametrize(
        ("permission", "of_app", "of_admin"),
        [(BY_APP, 200, 403), (BY_APP_OR_ADMIN, 200, 200)],
    )
    def test_who_may(
        self, world: World, permission: Permission, of_app: int, of_admin: int
    ) -> None:
        main = endpoint(POST(echo, permission=permission))
        world._container.context = world.context
        for key, status in ((world.app.key, of_app), (world.seed.admin_key, of_admin)):
            sent = event(headers={"Authorization": f"Bearer {key}"})
            assert answered(main, sent).status == status

    @pytest.mark.usefixtures("nowhere")
    def test_anyone_may_without_being_known(self) -> None:
        def who(_context: Context, call: Call[Any]) -> dict[str, Any]:
            return {"principal": call.principal}

        sent = event(headers={"authorization": "Bearer whatever"})
        assert answered(endpoint(POST(who, permission=ANYONE)), sent).json == {"principal": None}

    def test_an_operation_that_the_table_does_not_know_is_not_served(self) -> None:
        with pytest.raises(KeyError, match="echo"):
            endpoint(POST(echo))


class TestTenant:
    """An operation sees the rows of who called, and nothing of anybody's where nobody is known."""

    @staticmethod
    def apps(context: Context, _call: Call[Any]) -> dict[str, Any]:
        return {"ids": [row["id"] for row in context.database.all("SELECT id FROM apps", {})]}

    def seen(self, world: World, permission: Permission, key: str) -> set[str]:
        world._container.context = world.context
        main = endpoint(POST(self.apps, permission=permission))
        answer = answered(main, event(headers={"authorization": f"Bearer {key}"}))
        return set(answer.json["ids"])

    def test_of_an_app(self, world: World) -> None:
        for app in (world.app, world.other_app, world.app):
            assert self.seen(world, BY_APP, app.key) == {app.id}

    def test_of_an_operator(self, world: World) -> None:
        every = {world.app.id, world.other_app.id}
        assert self.seen(world, BY_APP_OR_ADMIN, world.seed.admin_key) == every

    def test_of_nobody(self, world: World) -> None:
        assert self.seen(world, BY_APP, world.app.key)  # the connection was somebody's before
        assert self.seen(world, ANYONE, world.app.key) == set()


class TestIdempotencyKey:
    @staticmethod
    def claim(_context: Context, call: Call[Any]) -> dict[str, str]:
        claim = call.key_claim
        return {"app": claim.app_id, "key": claim.key, "sha256": claim.request_sha256.hex()}

    @staticmethod
    def claim_again(context: Context, call: Call[Any]) -> dict[str, str]:
        return TestIdempotencyKey.claim(context, call)

    def sent(
        self,
        world: World,
        key: str | None,
        body: bytes = b"{}",
        path: str = "",
        method: str = "POST",
    ) -> Answer:
        declared: dict[str, Any] = {"permission": BY_APP, "idempotent": True}
        main = endpoint(
            POST(self.claim, **declared),
            PUT(self.claim_again, **declared),
            POST(self.claim, target="thing", **declared),
        )
        world._container.context = world.context
        headers = {"authorization": f"Bearer {world.app.key}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return answered(main, event(method, body=body, headers=headers, path=path))

    def test_must_be_sent(self, world: World) -> None:
        answer = self.sent(world, None)
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_missing")

    @pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\nb", "a\0", "a\x7f", "\ud800", "😀"])
    def test_that_is_none(self, world: World, key: str) -> None:
        answer = self.sent(world, key)
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_malformed")

    def test_that_holds_a_card_number(self, world: World) -> None:
        answer = self.sent(world, "order 4242-4242-4242-4242")
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_malformed")
        assert "4242" not in answer.body

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
            self.sent(world, "k", method="PUT").json["sha256"],
        }
        assert len(others | {first}) == 5
