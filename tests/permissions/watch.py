"""What a call leaves in the stores, and what it asks of them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NewType
from unittest.mock import patch

import psycopg
import redis
from psycopg.sql import SQL, Identifier

from tests.world import World

Asked = NewType("Asked", Counter[str])
Rows = dict[str, list[dict[str, Any]]]


@contextmanager
def counted() -> Iterator[Asked]:
    """Counts what is sent to PostgreSQL, a message each, and the commands sent to Redis."""
    asked = Asked(Counter())
    wait = psycopg.Connection.wait
    execute: Any = redis.Redis.execute_command

    def counting_wait(connection: Any, *arguments: Any, **named: Any) -> Any:
        asked["messages to PostgreSQL"] += 1
        return wait(connection, *arguments, **named)

    def counting_execute(client: Any, *arguments: Any, **named: Any) -> Any:
        asked["commands to Redis"] += 1
        return execute(client, *arguments, **named)

    with (
        patch.object(psycopg.Connection, "wait", counting_wait),
        patch.object(redis.Redis, "execute_command", counting_execute),
    ):
        yield asked


def rows_of(world: World, app_id: str) -> Rows:
    """Every row of an app, of every table that has such rows, but when a key was last used."""
    with psycopg.connect(world.stores.owner_url) as owner:
        tables = owner.execute(
            """SELECT table_name FROM information_schema.columns
               WHERE table_schema = 'public' AND column_name = 'app_id'"""
        ).fetchall()
        found = {table: _rows(owner, table, "app_id", app_id) for (table,) in tables}
        found["apps"] = _rows(owner, "apps", "id", app_id)
    assert {"apps", "payments", "api_keys", "plans", "audit_log"} <= set(found)
    return found


def _rows(owner: psycopg.Connection, table: str, column: str, app_id: str) -> list[dict[str, Any]]:
    sql = SQL("SELECT to_jsonb(t) - 'last_used_at' FROM {} t WHERE {} = %s ORDER BY t::text")
    rows = owner.execute(sql.format(Identifier(table), Identifier(column)), [app_id])
    return [row for (row,) in rows]


def texts(value: Any) -> Iterator[str]:
    """Every text in rows, long enough to tell something."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str) and len(value) >= 4:
        yield value
