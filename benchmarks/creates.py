"""What a create costs beside the two durable commits that it can't do without.

    PYTHONPATH=. .venv/bin/python benchmarks/creates.py [creates]

The PSP answers at once, so that all the time is our own: authentication, validation, sealing, the
walls between apps, the audit chain, the stored answer. Beside it, on the same PostgreSQL that
writes to the disk, taking turns in one run:

- two bare commits: BEGIN, an INSERT of a row of the size that a create writes, COMMIT, twice;
- the same rows, bare: what a create writes, by the plainest statements into tables without a rule:
  payment, key and audit row in one commit; the payment's change, event, audit row and answer in
  another.
"""

import contextlib
import io
import sys
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any, cast

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from benchmarks.served import served
from tests.world import World

ROW = b"x" * 2000
TABLES = ("payments", "idempotency_keys", "outbox", "audit_log")


def main(creates: int) -> None:
    """Measures and prints milliseconds a create, and how many times the bare commits that is."""
    with served(durable=True) as world, psycopg.connect(world.stores.owner_url) as connection:
        connection.autocommit = True
        _make_bare_tables(connection)
        with contextlib.redirect_stdout(io.StringIO()):
            for number in range(-50, 0):
                _create(world, number)
        rows = _rows_of_a_create(connection)

        def commit_twice(_number: int) -> None:
            for _ in range(2):
                with connection.transaction():
                    connection.execute("INSERT INTO bare_commits (content) VALUES (%s)", (ROW,))

        def write_the_same(number: int) -> None:
            _write_bare(connection, rows, number)

        def create(number: int) -> None:
            _create(world, number)

        ways = {"two bare commits": commit_twice, "the same rows, bare": write_the_same}
        ways["a create"] = create
        with contextlib.redirect_stdout(io.StringIO()):
            spent = _measured(list(ways.values()), creates)
    own = median(spent[-1])
    for name, each in zip(ways, spent, strict=True):
        took = f"{median(each) * 1e3:6.2f} ms   p95 {_p95(each) * 1e3:6.2f} ms"
        print(f"{name:22} {took}   a create is {own / median(each):5.2f} times that")


def _make_bare_tables(connection: psycopg.Connection) -> None:
    connection.execute("CREATE TABLE bare_commits (id serial PRIMARY KEY, content bytea)")
    for table in TABLES:
        connection.execute(f"CREATE TABLE bare_{table} (LIKE {table} INCLUDING INDEXES)".encode())


def _rows_of_a_create(connection: psycopg.Connection) -> dict[str, dict[str, Any]]:
    """One row of each table, as a create leaves it."""
    connection.row_factory = dict_row  # type: ignore[assignment]
    found = {}
    for table in TABLES:
        row = connection.execute(f"TABLE {table} LIMIT 1".encode()).fetchone()
        assert row is not None
        found[table] = {
            name: Jsonb(value) if isinstance(value, dict) else value
            for name, value in cast(dict[str, Any], row).items()
        }
    return found


def _write_bare(
    connection: psycopg.Connection, rows: dict[str, dict[str, Any]], number: int
) -> None:
    payment = {**rows["payments"], "id": f"pay_{number + 1000}", "psp_reference": None}
    payment["idempotency_key"] = f"k-{number}"
    key = {**rows["idempotency_keys"], "key": f"k-{number}", "answer_body": None}
    audit = rows["audit_log"]
    with connection.transaction():
        _insert(connection, "idempotency_keys", key)
        _insert(connection, "payments", payment)
        _insert(connection, "audit_log", {**audit, "id": 2 * number})
    with connection.transaction():
        connection.execute(
            """UPDATE bare_payments SET status = 'requires_action', psp_reference = %s,
                      next_action = %s, version = version + 1 WHERE id = %s AND version = %s""",
            (f"r-{number}", rows["payments"]["next_action"], payment["id"], payment["version"]),
        )
        event = {"id": f"evt_{number}", "aggregate_id": payment["id"]}
        _insert(connection, "outbox", {**rows["outbox"], **event})
        _insert(connection, "audit_log", {**audit, "id": 2 * number + 1})
        connection.execute(
            "UPDATE bare_idempotency_keys SET answer_status = 201, answer_body = %s WHERE key = %s",
            (rows["idempotency_keys"]["answer_body"], key["key"]),
        )


def _insert(connection: psycopg.Connection, table: str, row: dict[str, Any]) -> None:
    columns = ", ".join(row)
    places = ", ".join(f"%({name})s" for name in row)
    into = f"bare_{table} ({columns})"
    connection.execute(f"INSERT INTO {into} VALUES ({places})".encode(), row)


def _create(world: World, number: int) -> None:
    answer = world.call(
        "payments/create",
        body={
            "client_id": f"client-{number}",
            "plan": world.plan,
            "customer": {"email": f"client-{number}@example.com"},
            "metadata": {"order": str(number)},
        },
        headers={"idempotency-key": f"k-{number}"},
    )
    assert answer.status == 201, answer.body


def _measured(ways: list[Callable[[int], None]], times: int) -> list[list[float]]:
    spent: list[list[float]] = [[] for _ in ways]
    for number in range(times):
        for way, seconds in zip(ways, spent, strict=True):
            started = time.perf_counter()
            way(number)
            seconds.append(time.perf_counter() - started)
    return spent


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
