"""API keys: shown once, kept as a hash, two of a name, narrowed; each change audited."""

import contextlib
import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from tests.callers import id_of, token_of
from tests.operators import (
    BAD_COUNTS,
    BAD_ENDS,
    CHECK,
    MALFORMED,
    KeyOperator,
    Operator,
    pass_cached,
    refusal,
    rows_of,
)
from tests.world import World

READ = ["payments:read", "subscriptions:read"]
FULL: dict[str, Any] = {
    "role": "app",
    "name": "shop-1",
    "scopes": READ,
    "calls_per_minute": 90,
    "expires_at": "2026-03-01T00:00:00Z",
}
BAD_IDS = ("x", "0" * 15, "0" * 17, "A" * 16, "0" * 15 + "%00", "%ED%A0%80", "0" * 16)
BAD_SCOPES: tuple[tuple[Any, str], ...] = (
    ([], "scopes"),
    ("payments:read", "scopes"),
    (READ * 9, "scopes"),
    (["payments:read", "admin:read"], "scopes"),
    (["payments:*"], "scopes.0"),
    (["payments:read", "payments:read\0"], "scopes.1"),
    ([7], "scopes.0"),
)
NARROWER: list[tuple[dict[str, Any], str]] = [
    *(({"calls_per_minute": number}, "calls_per_minute") for number in (*BAD_COUNTS, 0, 1_000_001)),
    *(({"expires_at": end}, "expires_at") for end in BAD_ENDS),
    *(({"scopes": scopes}, path) for scopes, path in BAD_SCOPES),
    ({"more": 1}, "more"),
]


@pytest.fixture
def keys(world: World) -> KeyOperator:
    return KeyOperator(world)


class TestCreate:
    def test_shows_it_whole_and_once(self, world: World, keys: KeyOperator) -> None:
        made = keys.ask("POST", body=FULL | {"app_id": world.app.id}).json
        text = made.pop("key")
        assert re.fullmatch(rf"tg_test_{made['id']}_[0-9a-f]{{64}}", text)
        kept = FULL | {
            "id": made["id"],
            "object": "api_key",
            "app_id": world.app.id,
            "livemode": False,
            "created_at": "2026-01-31T09:00:00Z",
            "revoked_at": None,
            "last_used_at": None,
        }
        assert made == kept == keys.ask("GET", f"/{made['id']}").json
        assert keys.works(text)
        ((app_id, by, action, before, after),) = keys.audited(made["id"])
        assert (app_id, by) == (world.app.id, keys.actor)
        assert (action, before, after["name"]) == ("key.created", None, "shop-1")
        assert (after["scopes"], after["calls_per_minute"]) == (READ, 90)

    def test_secrets_and_hashes_are_in_no_answer_and_no_audit(
        self, world: World, keys: KeyOperator
    ) -> None:
        first = keys.new()["key"]
        keys.ask("PUT", f"/{id_of(first)}", {"calls_per_minute": 7})
        second = keys.rotate(id_of(first)).json["key"]
        ended = keys.ask("DELETE", f"/{id_of(first)}")
        logged = str(world.rows("SELECT audit_log::text FROM audit_log"))
        rows = str(world.rows("SELECT api_keys::text FROM api_keys"))
        told = "".join(
            keys.ask("GET", path).body for path in ("", f"/{id_of(first)}", f"/{id_of(second)}")
        )
        for secret in (key.split("_")[3] for key in (first, second, world.seed.admin_key)):
            digest = hashlib.sha256(secret.encode()).hexdigest()
            assert digest in rows and secret not in rows
            for text in (logged, told, ended.body):
                assert secret not in text and digest not in text
        assert "secret_sha256" not in logged + told

    def test_of_an_operator(self, world: World, keys: KeyOperator) -> None:
        made = keys.new(role="admin", name="ops", scopes=["admin:read"])
        assert (made["app_id"], made["role"], made["expires_at"]) == (None, "admin", None)
        assert made["calls_per_minute"] == 600
        read = world.call("admin/apps", method="GET", key=made["key"])
        written = world.call("admin/apps", body={"name": "x"}, key=made["key"])
        assert (read.status, written.status) == (200, 403)

    def test_bad_fields_by_their_paths(self, world: World, keys: KeyOperator) -> None:
        gone = world.other_app.id
        Operator(world, "apps").ask("DELETE", f"/{gone}")
        untouched = rows_of(world, "api_keys")
        app: dict[str, Any] = {"app_id": world.app.id}
        bad: list[tuple[Any, str]] = [
            *((app | fields, path) for fields, path in NARROWER),
            *((app | {"name": name}, "name") for name in ("", "A", "-a", "a b", "a\0", "a" * 65)),
            *((app | {"role": role}, "role") for role in ("root", "Admin", "", None, 1)),
            *((app | {name: "x"}, name) for name in ("id", "key", "livemode", "secret_sha256")),
            (app | {"role": "client"}, ""),
            ({"role": "client"}, ""),
            (app | {"role": "admin"}, ""),
            ({}, ""),
            *(({"app_id": x}, "app_id") for x in (gone, "app_1", "app_\0", "x", "", 7, ["app_1"])),
            ({"role": "admin", "scopes": ["payments:write"]}, "scopes"),
        ]  # fmt: skip
        for fields, path in bad:
            expected = (422, "invalid_fields", [path])
            answer = keys.ask("POST", body=fields)
            assert refusal(answer) == expected, fields
        for body in MALFORMED:
            assert refusal(keys.ask("POST", body=body)) == (400, "malformed_body", [])
        assert rows_of(world, "api_keys") == untouched

    def test_two_of_a_name_live_at_a_time(self, world: World, keys: KeyOperator) -> None:
        first, _ = keys.new(), keys.new()
        untouched = rows_of(world, "api_keys")
        third = {"app_id": world.app.id, "name": "test"}
        assert refusal(keys.ask("POST", body=third)) == (409, "too_many_keys", [])
        assert rows_of(world, "api_keys") == untouched
        keys.new(name="test-2")
        keys.new(app_id=world.other_app.id)
        keys.new(role="admin")
        keys.ask("DELETE", f"/{first['id']}")
        keys.new()
        assert keys.ask("POST", body=third).status == 409

    def test_an_expired_one_leaves_its_place(self, world: World, keys: KeyOperator) -> None:
        ends = "2026-01-31T09:00:10Z"
        first, _ = keys.new(expires_at=ends), keys.new()
        third = {"app_id": world.app.id, "name": "test"}
        world.pass_time(seconds=9)
        assert keys.ask("POST", body=third).status == 409
        world.pass_time(seconds=1)
        assert keys.ask("POST", body=third).status == 201
        assert keys.ask("GET", f"/{first['id']}").json["revoked_at"] == ends
        assert not keys.works(first["key"])
        _, (app_id, by, action, before, after) = keys.audited(first["id"])
        assert (app_id, by, action) == (world.app.id, keys.actor, "key.expired")
        assert before == after | {"revoked_at": None} != after and "secret_sha256" not in after

    def test_a_place_that_is_taken_just_now_is_not_the_only_one(
        self, world: World, keys: KeyOperator
    ) -> None:
        """Somebody else is about to make a key of the same name, and then has."""
        row = """INSERT INTO api_keys (id, role, app_id, name, slot, livemode, secret_sha256,
                                       created_at)
                 VALUES (%s, 'app', %s, 'test', 1, false, sha256('x'), now())"""
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with (
            ThreadPoolExecutor(1) as pool,
            psycopg.connect(world.stores.owner_url) as other,
            contextlib.closing(world.new_context().database) as database,
        ):
            other.execute(row, ("0" * 16, world.app.id))
            context = replace(world.context, database=database)
            body = {"app_id": world.app.id, "name": "test"}
            call = pool.submit(
                world.call, "admin/keys", body=body, key=world.seed.admin_key, context=context
            )
            while world.rows(waits) == [(0,)]:
                assert not call.done()
            other.commit()
            assert call.result(10).status == 201
        assert keys.ask("POST", body=body).status == 409

    def test_ten_at_once(self, world: World, keys: KeyOperator) -> None:
        start = threading.Barrier(10)

        def one(_: int) -> list[int]:
            context = world.new_context()
            ask: dict[str, Any] = {"key": world.seed.admin_key, "context": context}
            world.call("admin/keys", method="GET", **ask)  # connected
            start.wait(10)
            app = {"app_id": world.app.id}
            bodies = [app | {"name": name} for name in ("one", "two", "three")]
            statuses = [world.call("admin/keys", body=body, **ask).status for body in bodies]
            context.database.close()
            context.cache.close()
            return statuses

        with ThreadPoolExecutor(10) as pool:
            answered = list(pool.map(one, range(10)))
        for statuses in zip(*answered, strict=True):
            assert sorted(statuses) == [201] * 2 + [409] * 8


class TestRead:
    def test_lists_all_or_an_apps(self, world: World, keys: KeyOperator) -> None:
        for _ in range(2):
            for number in range(11):
                keys.new(name=f"k{number}")
        of_app = f"app_id={world.app.id}&"
        for query, where in (("", "true"), (of_app, f"app_id = '{world.app.id}'")):
            sql = f"SELECT id FROM api_keys WHERE {where} ORDER BY id"
            known, seen, sizes, cursor = [x for (x,) in world.rows(sql)], [], [], ""
            while True:
                page = keys.ask("GET", query=f"{query}limit=10{cursor}").json
                seen += [key["id"] for key in page["data"]]
                sizes.append(len(page["data"]))
                cursor = f"&cursor={page['next_cursor']}"
                keys.new(name=f"{where[:3].lower().strip('_')}{len(seen)}")  # on the way
                if page["next_cursor"] is None:
                    break
            assert sizes[0] == 10 and seen == sorted(set(seen)) and set(known) <= set(seen)
        others = keys.ask("GET", query=f"app_id={world.other_app.id}").json
        assert [key["app_id"] for key in others["data"]] == [world.other_app.id]
        assert others["data"] == [keys.ask("GET", f"/{id_of(world.other_app.key)}").json]

    def test_bad_questions(self, world: World, keys: KeyOperator) -> None:
        for query, path in (
            *((f"limit={limit}", "limit") for limit in ("0", "101", "-1", "abc", "")),
            *((f"cursor={cursor}", "cursor") for cursor in ("", "!", "x", "AAAA")),
            *((f"app_id={x}", "app_id") for x in ("", "x", "%00", "app_%00", "'")),
            ("role=admin", "query"),
        ):
            expected = (422, "invalid_fields", [path])
            assert refusal(keys.ask("GET", query=query)) == expected, query
        assert keys.ask("GET", query="app_id=app_0199c1").json["data"] == []

    def test_ids_that_nobody_has(self, world: World, keys: KeyOperator) -> None:
        untouched = rows_of(world, "api_keys")
        for key_id in BAD_IDS:
            for method, body in (
                ("GET", None), ("POST", b"{}"), ("PUT", {"calls_per_minute": 1}), ("DELETE", None),
            ):  # fmt: skip
                answer = keys.ask(method, f"/{key_id}", body)
                assert answer.status in ((400, 404) if "%ED" in key_id else (404,)), key_id
        assert rows_of(world, "api_keys") == untouched


class TestUpdate:
    def test_changes_what_was_sent_and_nothing_else(self, world: World, keys: KeyOperator) -> None:
        made = keys.new(**FULL)
        key = {name: value for name, value in made.items() if name != "key"}
        changes: list[dict[str, Any]] = [
            {"scopes": ["payments:read"]},
            {"calls_per_minute": 1_000_000},
            {"expires_at": "2026-02-01T03:00:00+03:00"},
        ]
        for change in changes:
            before, key = key, key | change
            if "expires_at" in change:
                key["expires_at"] = "2026-02-01T00:00:00Z"
            assert keys.ask("PUT", f"/{key['id']}", change).json == key
            app_id, by, action, was, is_now = keys.audited(key["id"])[-1]
            assert (app_id, action) == (world.app.id, "key.updated")
            assert by == keys.actor
            for row, view in ((was, before), (is_now, key)):
                assert row["scopes"] == view["scopes"]
                assert row["calls_per_minute"] == view["calls_per_minute"]
                assert row["expires_at"][:10] == view["expires_at"][:10]
        assert len(keys.audited(key["id"])) == 1 + len(changes)
        assert keys.ask("GET", f"/{key['id']}").json == key
        untouched = rows_of(world, "api_keys")
        for fields, path in [
            *NARROWER,
            ({"name": "x"}, "name"),
            ({"revoked_at": None}, "revoked_at"),
        ]:
            expected = (422, "invalid_fields", [path])
            assert refusal(keys.ask("PUT", f"/{key['id']}", fields)) == expected, fields
        assert rows_of(world, "api_keys") == untouched

    def test_narrows_it_and_its_tokens_within_a_minute(
        self, world: World, keys: KeyOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = keys.new()["key"]
        used = (key, token_of(world, key))
        for credentials in used:
            assert world.call("subscriptions/check", key=credentials, **CHECK).status == 200
        keys.ask("PUT", f"/{id_of(key)}", {"scopes": ["payments:read"]})
        pass_cached(monkeypatch)
        for credentials in used:
            answer = world.call("subscriptions/check", key=credentials, **CHECK)
            assert refusal(answer) == (403, "forbidden", [])
            payment = world.call("payments/get", method="GET", path="/pay_1", key=credentials)
            assert payment.status == 404
