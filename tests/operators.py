"""An operator's calls for tests: through the entry files, with what they leave in the audit log."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.callers import DEAD_REDIS, id_of
from tests.world import Answer, World
from tollgate.storage import admissions

MALFORMED = (
    b"",
    b"{",
    b"null, null",
    b'{"name": "\xff"}',
    b'{"name": "\\ud800"}',
    b'{"name": "\xed\xa0\x80"}',
    b"[" * 20_000,
)
"""Bodies that are no JSON in UTF-8."""
BAD_COUNTS = (-1, True, 60.0, "60", float("nan"), float("inf"), 10**400, [1])
"""What is no whole number of something."""

BAD_ENDS = (
    "2026-01-31T09:00:00Z",  # now
    "2026-01-31T12:00:00+03:00",
    "0001-01-01T00:00:00+12:00",
    "9999-12-31T23:59:59-12:00",  # a year later in UTC
    "9999-06-01T00:00:00Z",
    "2026-03-01",
    "2026-03-01T00:00:00",
    "2026-03-01 00:00:00Z",
    "2026-02-30T00:00:00Z",
    "\uff12026-03-01T00:00:00Z",
    "20260301T000000Z",
    "1900000000",
    "never",
    "2026-03-01T00:00:00Z\0",
    1_900_000_000,
    True,
)
"""Instants at which no key can end, at a world's start."""
CHECK: dict[str, Any] = {"method": "GET", "path": "/client-1"}


class Operator:
    """Calls one function of the package admin with the operator's key."""

    def __init__(self, world: World, function: str, query: str = "") -> None:
        self._world, self._function, self._query = world, f"admin/{function}", query
        self.actor = f"key:{id_of(world.seed.admin_key)}"

    def ask(self, method: str, path: str = "", body: Any = None, query: str = "") -> Answer:
        """One call. An empty dict is sent as one; where a path stands, the operator's own query."""
        return self._world.call(
            self._function,
            method=method,
            path=path,
            query=query or (self._query if path else ""),
            body=b"{}" if body == {} else body,
            key=self._world.seed.admin_key,
        )

    def made(self, **fields: Any) -> dict[str, Any]:
        """What a POST of these fields made."""
        answer = self.ask("POST", body=fields)
        assert answer.status == 201, answer.body
        return answer.json

    def pages(self, limit: int, query: str = "") -> Iterator[list[dict[str, Any]]]:
        """Every page of the list, one after the other."""
        cursor = ""
        while True:
            page = self.ask("GET", query=f"{query}limit={limit}{cursor}").json
            yield page["data"]
            if page["next_cursor"] is None:
                return
            cursor = f"&cursor={page['next_cursor']}"

    def audited(self, object_id: str) -> list[tuple[Any, ...]]:
        """App, actor, action, before and after of every change of this, oldest first."""
        return self._world.rows(
            """SELECT app_id, actor, action, before, after FROM audit_log
               WHERE object_id = %s ORDER BY id""",
            object_id,
        )


class KeyOperator(Operator):
    """Calls admin/keys."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "keys")

    def new(self, **fields: Any) -> dict[str, Any]:
        """A new key of the app, or of whom the fields say."""
        app = {} if fields.get("role") == "admin" else {"app_id": self._world.app.id}
        return self.made(**{"name": "test", **app, **fields})

    def rotate(self, key_id: str, **fields: Any) -> Answer:
        """Another key like this one."""
        return self.ask("POST", f"/{key_id}", fields)

    def works(self, credentials: str) -> bool:
        """Whether they open the check in a container that just started, without Redis."""
        admissions.forget()
        context = self._world.new_context(redis_url=DEAD_REDIS)
        answer = self._world.call("subscriptions/check", key=credentials, context=context, **CHECK)
        context.database.close()
        assert answer.status in (200, 401)
        return answer.status == 200


def refusal(answer: Answer) -> tuple[int, str, list[str]]:
    """The status, the code, and the fields that are named."""
    problem = answer.json
    errors = problem.get("errors", [])
    return answer.status, problem["code"], [error["path"] for error in errors]


def rows_of(world: World, table: str) -> list[tuple[Any, ...]]:
    """The table and the audit log: what a refused call must leave alone."""
    sql = f"SELECT to_jsonb(t) - 'last_used_at' FROM {table} t ORDER BY t::text"
    return world.rows(sql) + world.rows("SELECT count(*) FROM audit_log")


def pass_cached(monkeypatch: pytest.MonkeyPatch, seconds: float = 60.1) -> None:
    """Moves the clock that the caches go by: past what is believed, unless told otherwise."""
    now = time.time() + seconds
    monkeypatch.setattr("time.time", lambda: now)
