"""Apps, as an operator sets them up: the whole of each answer, what is refused, what is audited."""

from typing import Any

import pytest

from tests.callers import id_of
from tests.operators import BAD_COUNTS, MALFORMED, Operator, pass_cached, refusal, rows_of
from tests.world import RETURN_ORIGIN, World
from tollgate.domain.payment import PaymentStatus

KIOSK = {
    "name": "Kiosk Åsa ✓",
    "default_currency": "UGX",
    "default_psp": "stripe",
    "return_origins": ["https://kiosk.example", "http://localhost:8000"],
    "calls_per_minute": 90,
}
REQUIRED = {"name": "Kiosk", "default_currency": "KES"}
UNKNOWN = "app_0199c1"
BAD_IDS = ("x", "app_", "app_A", "APP_1", "pay_1", "app_%00", "app_1%0A", "%ED%A0%80", UNKNOWN)

# What a field can't be, and the path under which the answer names it.
BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"more": 1}, "more"),
    ({"id": UNKNOWN}, "id"),
    ({"deleted_at": None}, "deleted_at"),
    ({"name": ""}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "a\r\nb"}, "name"),
    ({"name": "a\u202eb"}, "name"),
    ({"name": 7}, "name"),
    ({"name": ["a"]}, "name"),
    ({"name": "4242 4242 4242 4242"}, "name"),
    ({"default_currency": "kes"}, "default_currency"),
    ({"default_currency": "XXX"}, "default_currency"),
    ({"default_currency": "KES\n"}, "default_currency"),
    ({"default_currency": 404}, "default_currency"),
    ({"default_psp": "nobody"}, "default_psp"),
    ({"default_psp": "Stripe"}, "default_psp"),
    ({"default_psp": "../stripe"}, "default_psp"),
    ({"default_psp": ""}, "default_psp"),
    ({"routing": {}}, "routing"),
    ({"routing": [{"psps": ["stripe"]}] * 51}, "routing"),
    ({"routing": [{}]}, "routing.0.psps"),
    ({"routing": [{"psps": []}]}, "routing.0.psps"),
    ({"routing": [{"psps": ["stripe"] * 9}]}, "routing.0.psps"),
    ({"routing": [{"psps": ["nobody"]}]}, "routing.0.psps"),
    ({"routing": [{"psps": ["Stripe"]}]}, "routing.0.psps.0"),
    ({"routing": [{"psps": ["stripe"], "currency": "kes"}]}, "routing.0.currency"),
    ({"routing": [{"psps": ["stripe"], "method": "bank"}]}, "routing.0.method"),
    ({"routing": [{"psps": ["stripe"], "more": 1}]}, "routing.0.more"),
    ({"return_origins": "https://a.example"}, "return_origins"),
    ({"return_origins": ["https://a.example"] * 51}, "return_origins"),
    *(
        ({"return_origins": [RETURN_ORIGIN, origin]}, "return_origins.1")
        for origin in (
            "https://a.example/",
            "https://a.example/path",
            "https://a.example?x",
            "https://user@a.example",
            "https://a.example:123456",
            "https://a.example\n",
            "https://",
            "https://é.example",
            "javascript:alert(1)",
            "*",
            "a.example",
            "https://" + "a" * 255,
            None,
        )
    ),
    *(({"calls_per_minute": number}, "calls_per_minute") for number in (*BAD_COUNTS, 0, 1_000_001)),
]


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world, "apps")


class TestCreate:
    def test_tells_all_of_it_and_audits_it_once(self, world: World, operator: Operator) -> None:
        app = operator.made(**KIOSK)
        whole = KIOSK | {
            "id": app["id"],
            "object": "app",
            "routing": [],
            "created_at": "2026-01-31T09:00:00Z",
            "deleted_at": None,
        }
        assert app == whole == operator.ask("GET", f"/{app['id']}").json
        ((app_id, by, action, before, after),) = operator.audited(app["id"])
        assert (app_id, by, action, before) == (app["id"], operator.actor, "app.created", None)
        assert {name: after[name] for name in KIOSK} == KIOSK

    def test_needs_a_name_and_a_currency_only(self, world: World, operator: Operator) -> None:
        app = operator.made(**REQUIRED | {"name": "x" * 200})
        assert (app["default_psp"], app["return_origins"], app["calls_per_minute"]) == (
            "stripe",
            [],
            600,
        )
        answer = operator.ask("POST", body=b"{}")
        assert refusal(answer) == (422, "invalid_fields", ["name", "default_currency"])

    def test_an_app_can_work_at_once(self, world: World, operator: Operator) -> None:
        app = operator.made(**REQUIRED)
        body = {"app_id": app["id"]}
        key = world.call("admin/keys", body=body, key=world.seed.admin_key).json["key"]
        check = world.call("subscriptions/check", method="GET", path="/c", key=key)
        assert (check.status, check.json["active"]) == (200, False)


class TestRefused:
    def test_bad_fields_by_their_paths(self, world: World, operator: Operator) -> None:
        untouched = rows_of(world, "apps")
        update = f"/{world.app.id}"
        for fields, path in BAD_FIELDS:
            expected = (422, "invalid_fields", [path])
            assert refusal(operator.ask("POST", body=REQUIRED | fields)) == expected, fields
            assert refusal(operator.ask("PUT", update, body=fields)) == expected, fields
        for body in MALFORMED:
            expected = (400, "malformed_body", [])
            assert refusal(operator.ask("POST", body=body)) == expected, body[:40]
            assert refusal(operator.ask("PUT", update, body=body)) == expected, body[:40]
        for body in (b"[]", b"7", b"NaN", b'"name"'):
            assert operator.ask("POST", body=body).status in (400, 422), body
        for name in REQUIRED:
            answer = operator.ask("POST", body=REQUIRED | {name: None})
            assert refusal(answer) == (422, "invalid_fields", [name])
        assert rows_of(world, "apps") == untouched

    def test_ids_that_nobody_has(self, world: World, operator: Operator) -> None:
        untouched = rows_of(world, "apps")
        for app_id in BAD_IDS:
            for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
                answer = operator.ask(method, f"/{app_id}", body)
                assert answer.status in ((400, 404) if "%ED" in app_id else (404,)), app_id
        assert rows_of(world, "apps") == untouched

    def test_queries_that_are_not_understood(self, world: World, operator: Operator) -> None:
        for query, path in (
            *((f"limit={limit}", "limit") for limit in ("0", "101", "-1", "abc", "", "%D9%A1")),
            *((f"cursor={cursor}", "cursor") for cursor in ("", "!", "x", "AAAA", "w6k", "%00")),
            ("app_id=" + world.app.id, "query"),
        ):  # fmt: skip
            expected = (422, "invalid_fields", [path])
            assert refusal(operator.ask("GET", query=query)) == expected, query
        assert operator.ask("GET", f"/{world.app.id}", query="limit=1").status == 422
        assert operator.ask("PUT").status == operator.ask("POST", "/" + UNKNOWN).status == 405

    def test_who_is_no_operator(self, world: World, operator: Operator) -> None:
        untouched = rows_of(world, "apps")
        for method, path in (("GET", ""), ("POST", ""), *((m, "/x") for m in ("GET", "DELETE"))):
            answer = world.call("admin/apps", method=method, path=path, body=KIOSK)
            assert refusal(answer) == (403, "forbidden", [])
        assert rows_of(world, "apps") == untouched


class TestList:
    def test_goes_through_all_in_order(self, world: World, operator: Operator) -> None:
        """Some are added on the way: nothing is lost or told twice."""
        for number in range(23):
            world.pass_time(milliseconds=number % 2)
            operator.made(**REQUIRED)
        known = [app_id for (app_id,) in world.rows("SELECT id FROM apps ORDER BY id")]
        assert [len(page) for page in operator.pages(10)] == [10, 10, 5]
        assert [app["id"] for page in operator.pages(10) for app in page] == known
        assert [len(page) for page in operator.pages(25)] == [
            25
        ]  # exactly full: there is no next one
        seen = []
        for page in operator.pages(10):
            seen += [app["id"] for app in page]
            world.pass_time(seconds=1)
            if len(seen) < 25:
                known.append(operator.made(**REQUIRED)["id"])
        assert seen == known
        whole = operator.ask("GET", query="limit=1").json
        assert whole["object"] == "list"
        assert whole["data"] == [operator.ask("GET", f"/{known[0]}").json]
        assert len(operator.ask("GET").json["data"]) == 20


class TestUpdate:
    def test_changes_what_was_sent_and_nothing_else(self, world: World, operator: Operator) -> None:
        app = operator.made(**KIOSK)
        changes: list[dict[str, Any]] = [
            {"name": "Other"},
            {"default_currency": "USD"},
            {"return_origins": [RETURN_ORIGIN]},
            {"return_origins": []},
            {"calls_per_minute": 1_000_000},
            {"name": "Both", "calls_per_minute": 1},
        ]
        for change in changes:
            before, app = app, app | change
            world.pass_time(seconds=1)
            assert operator.ask("PUT", f"/{app['id']}", change).json == app
            app_id, by, action, was, is_now = operator.audited(app["id"])[-1]
            assert (app_id, by, action) == (app["id"], operator.actor, "app.updated")
            assert {name: was[name] for name in KIOSK} == {name: before[name] for name in KIOSK}
            assert {name: is_now[name] for name in KIOSK} == {name: app[name] for name in KIOSK}
        assert len(operator.audited(app["id"])) == 1 + len(changes)
        assert operator.ask("PUT", f"/{app['id']}", {"name": None}).json == app  # null: not sent
        assert operator.ask("GET", f"/{app['id']}").json == app

    def test_leaves_other_apps_alone(self, world: World, operator: Operator) -> None:
        before = operator.ask("GET", f"/{world.other_app.id}").json
        assert operator.ask("PUT", f"/{world.app.id}", KIOSK).status == 200
        assert operator.ask("GET", f"/{world.other_app.id}").json == before


class TestDelete:
    def test_is_told_and_audited_once(self, world: World, operator: Operator) -> None:
        app = operator.made(**KIOSK)
        world.pass_time(hours=1)
        deleted = app | {"deleted_at": "2026-01-31T10:00:00Z"}
        assert operator.ask("DELETE", f"/{app['id']}").json == deleted
        assert operator.ask("GET", f"/{app['id']}").json == deleted
        assert deleted in operator.ask("GET").json["data"]
        world.pass_time(hours=1)
        for method, body in (("DELETE", None), ("PUT", {"name": "Again"})):
            assert operator.ask(method, f"/{app['id']}", body).status == 404
        assert operator.ask("GET", f"/{app['id']}").json == deleted
        _, (app_id, by, action, before, after) = operator.audited(app["id"])
        assert (app_id, by, action) == (app["id"], operator.actor, "app.deleted")
        assert before["deleted_at"] is None and after["deleted_at"] is not None
        assert {name: after[name] for name in KIOSK} == KIOSK

    def test_ends_its_keys_within_a_minute(
        self, world: World, operator: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In the container that just believed them; nobody else's."""
        key_id = id_of(world.app.key)
        form = f"grant_type=client_credentials&client_id={key_id}&client_secret={world.app.key}"
        plain = {"authorization": ""}
        token = world.call("auth/token", body=form.encode(), headers=plain).json["access_token"]
        check: dict[str, Any] = {"method": "GET", "path": "/c"}
        operator.ask("DELETE", f"/{world.app.id}")
        pass_cached(monkeypatch)
        for credentials in (world.app.key, token):
            answer = world.call("subscriptions/check", key=credentials, **check)
            assert refusal(answer) == (401, "credentials_refused", [])
        refused = world.call("auth/token", body=form.encode(), headers=plain)
        assert refusal(refused) == (401, "invalid_client", [])
        others = world.call("subscriptions/check", key=world.other_app.key, **check)
        assert others.status == 200

    def test_what_is_under_way_is_settled(self, world: World, operator: Operator) -> None:
        request, key = {"client_id": "client-1", "plan": "monthly"}, {"idempotency-key": "k"}
        payment = world.call("payments/create", body=request, headers=key).json
        operator.ask("DELETE", f"/{world.app.id}")
        world.psp.status = PaymentStatus.SUCCEEDED
        event = {
            "event_id": "evt_1",
            "type": "paid",
            "livemode": False,
            "payment_id": payment["id"],
            "psp_reference": payment["psp_reference"],
        }
        signed = {"signature": "signed"}
        told = world.call("webhook/receive", path="/stripe", body=event, headers=signed)
        assert told.status == 200
        assert world.rows("SELECT status FROM payments") == [("succeeded",)]
        assert world.rows("SELECT payment_id FROM subscription_periods") == [(payment["id"],)]
        read = world.call(
            "payments/get", method="GET", path=f"/{payment['id']}", key=world.seed.admin_key
        )
        assert (read.status, read.json["status"]) == (200, "succeeded")
