"""The end of an API key: rotated into another, revoked, expired; and when it was last used."""

from typing import Any

import psycopg
import pytest

from tests.callers import UNKNOWN_KEY, id_of, token_of
from tests.operators import BAD_ENDS, CHECK, KeyOperator, Operator, pass_cached, refusal, rows_of
from tests.world import World

READ = ["payments:read", "subscriptions:read"]
FULL: dict[str, Any] = {
    "name": "shop-1",
    "scopes": READ,
    "calls_per_minute": 90,
    "expires_at": "2026-06-01T00:00:00Z",
}


@pytest.fixture
def keys(world: World) -> KeyOperator:
    return KeyOperator(world)


class TestRotate:
    def test_both_work_until_the_end_of_the_overlap(self, world: World, keys: KeyOperator) -> None:
        old = keys.new(**FULL)
        world.pass_time(hours=1)
        assert keys.works(old["key"])  # used: that is the old one's alone
        new = keys.rotate(old["id"], overlap_seconds=60, expires_at="2027-01-01T00:00:00Z").json
        assert new == old | {
            "id": id_of(new["key"]),
            "key": new["key"],
            "created_at": "2026-01-31T10:00:00Z",
            "expires_at": "2027-01-01T00:00:00Z",
        }
        ended = keys.ask("GET", f"/{old['id']}").json
        assert (ended["expires_at"], ended["revoked_at"]) == ("2026-01-31T10:01:00Z", None)
        assert [row[2] for row in keys.audited(old["id"])] == ["key.created", "key.updated"]
        assert [row[2] for row in keys.audited(new["id"])] == ["key.created"]
        for seconds, both in ((59, True), (1, False)):
            world.pass_time(seconds=seconds)
            assert (keys.works(old["key"]), keys.works(new["key"])) == (both, True)

    def test_ends_no_later_than_it_would_have(self, world: World, keys: KeyOperator) -> None:
        old = keys.new(expires_at="2026-01-31T09:30:00Z")
        new = keys.rotate(old["id"]).json
        assert new["expires_at"] == "2026-01-31T09:30:00Z"  # a key like the old one
        later = keys.rotate(new["id"], expires_at="2026-06-01T00:00:00Z")
        assert refusal(later) == (409, "too_many_keys", [])
        assert keys.ask("GET", f"/{old['id']}").json["expires_at"] == "2026-01-31T09:30:00Z"

    def test_what_has_ended_does_not_come_back(self, world: World, keys: KeyOperator) -> None:
        ended = keys.new(expires_at="2026-01-31T09:30:00Z")["id"]
        world.pass_time(minutes=30)
        untouched = rows_of(world, "api_keys")
        assert refusal(keys.rotate(ended)) == (404, "not_found", [])
        body = {"expires_at": "2026-06-01T00:00:00Z"}
        assert refusal(keys.ask("PUT", f"/{ended}", body)) == (404, "not_found", [])
        assert rows_of(world, "api_keys") == untouched

    def test_without_an_overlap_or_with_a_days(self, world: World, keys: KeyOperator) -> None:
        first = keys.new()
        second = keys.rotate(first["id"], overlap_seconds=0).json
        assert not keys.works(first["key"]) and keys.works(second["key"])
        third = keys.rotate(second["id"])
        assert third.status == 201  # the first has left its place
        assert keys.ask("GET", f"/{second['id']}").json["expires_at"] == "2026-02-01T09:00:00Z"

    def test_refused_as_a_whole(self, world: World, keys: KeyOperator) -> None:
        key, other = keys.new(), keys.new()
        ended = keys.new(name="ended")["id"]
        keys.ask("DELETE", f"/{ended}")
        untouched = rows_of(world, "api_keys")
        assert refusal(keys.rotate(key["id"])) == (409, "too_many_keys", [])
        assert refusal(keys.rotate(ended)) == (404, "not_found", [])
        bad: list[tuple[dict[str, Any], str]] = [
            *(({"overlap_seconds": x}, "overlap_seconds") for x in (-1, 7_776_001, True, 1.5, "1")),
            *(({"expires_at": x}, "expires_at") for x in BAD_ENDS),
            ({"scopes": READ}, "scopes"),
        ]
        for fields, path in bad:
            expected = (422, "invalid_fields", [path])
            assert refusal(keys.rotate(other["id"], **fields)) == expected, fields
        assert rows_of(world, "api_keys") == untouched


class TestRevoke:
    def test_is_for_ever(self, world: World, keys: KeyOperator) -> None:
        made = keys.new()
        ended = keys.ask("DELETE", f"/{made['id']}").json
        assert ended["revoked_at"] == "2026-01-31T09:00:00Z"
        assert [row[2] for row in keys.audited(made["id"])] == ["key.created", "key.revoked"]
        untouched = rows_of(world, "api_keys")
        for method, body in (("DELETE", None), ("PUT", {"calls_per_minute": 1}), ("POST", b"{}")):
            assert keys.ask(method, f"/{made['id']}", body).status == 404
        for value in ("NULL", "now()"):
            with pytest.raises(psycopg.errors.CheckViolation):
                world.rows(f"UPDATE api_keys SET revoked_at = {value} WHERE id = '{made['id']}'")
        assert rows_of(world, "api_keys") == untouched
        assert keys.ask("GET", f"/{made['id']}").json == ended

    def test_ends_it_and_its_tokens_within_a_minute(
        self, world: World, keys: KeyOperator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        key = keys.new()["key"]
        used = (key, token_of(world, key))
        for credentials in used:
            assert world.call("subscriptions/check", key=credentials, **CHECK).status == 200
        keys.ask("DELETE", f"/{id_of(key)}")
        pass_cached(monkeypatch)
        for credentials in used:
            answer = world.call("subscriptions/check", key=credentials, **CHECK)
            assert refusal(answer) == (401, "credentials_refused", [])

    def test_of_a_key_whose_app_was_deleted(self, world: World, keys: KeyOperator) -> None:
        Operator(world, "apps").ask("DELETE", f"/{world.app.id}")
        key = keys.ask("GET", f"/{id_of(world.app.key)}").json
        assert key["revoked_at"] == "2026-01-31T09:00:00Z"
        assert keys.rotate(key["id"]).status == 404


class TestLastUse:
    def test_is_noted_once_a_minute_for_who_is_let_in(
        self, world: World, keys: KeyOperator
    ) -> None:
        key = keys.new()
        path, guess = f"/{key['id']}", f"tg_test_{key['id']}_{UNKNOWN_KEY[-64:]}"
        for passed, credentials, noted in (
            (0, guess, None),
            (61, key["key"], "2026-01-31T09:01:01Z"),
            (30, key["key"], "2026-01-31T09:01:01Z"),
            (31, "a token", "2026-01-31T09:02:02Z"),
        ):
            world.pass_time(seconds=passed)
            is_token = credentials == "a token"
            keys.works(token_of(world, key["key"]) if is_token else credentials)
            assert keys.ask("GET", path).json["last_used_at"] == noted
        keys.ask("DELETE", path)
        world.pass_time(seconds=61)
        assert not keys.works(key["key"])
        assert keys.ask("GET", path).json["last_used_at"] == noted
