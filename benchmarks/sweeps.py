"""What telling a turned subscription costs, in tables of several sizes: the timer's own statement.

    PYTHONPATH=. .venv/bin/python benchmarks/sweeps.py [rows …]

By default 1,000,000 and then 10,000,000 subscriptions in one PostgreSQL, durable: rows a second,
and how long the whole of it took in slices of a thousand. The larger table is the smaller one with
more rows in it. Of each, one row in a hundred is due, then 100,000 rows: what a row costs depends
on how many of its page are due with it, for the first change of a page after a checkpoint writes
all of the page. So the last line, the ratio, is of tables in which the due rows lie as far apart.
"""

import contextlib
import io
import secrets
import sys
import time
from datetime import timedelta
from statistics import quantiles

import psycopg

from benchmarks.served import served
from tests.world import World
from tollgate.domain.principal import EVERY_TENANT
from tollgate.storage import sweeps

APART = 100
MANY = 100_000
SLICE = 1000
_CHUNK = 500_000


def main(sizes: list[int]) -> None:
    """Fills, sweeps, prints; once for each size, in ascending order."""
    rates: list[float] = []
    with contextlib.ExitStack() as stack:
        world = stack.enter_context(served(durable=True))
        with contextlib.redirect_stdout(io.StringIO()):
            world.call("subscriptions/create", body={"client_id": "c", "plan": world.plan})
        filled = 0
        for size in sizes:
            filled = fill(world, filled, size)
            rates.append(_sweep(world, size, size // APART))
            if size // APART != MANY:
                _sweep(world, size, MANY)
    if len(rates) > 1:
        print(f"a row costs {rates[0] / rates[-1]:.2f} times as much in the largest table")


def fill(world: World, filled: int, size: int) -> int:
    """Subscriptions that are paid for another year, written as the triggers would have."""
    with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
        connection.execute(_WITHOUT_CHECKS)
        while filled < size:
            until = min(filled + _CHUNK, size)
            connection.execute(_CLIENTS, {"app": world.app.id, "a": filled, "b": until})
            connection.execute(
                _SUBSCRIPTIONS,
                {
                    "app": world.app.id,
                    "plan": world.plan,
                    "product": world.product,
                    "now": world.now,
                    "a": filled,
                    "b": until,
                },
            )
            filled = until
            print(f"{filled:,} of {size:,} rows", file=sys.stderr)
        connection.execute("VACUUM ANALYZE subscriptions")
    return filled


# the references of a subscription are looked at when it is made, which is not what is measured
_WITHOUT_CHECKS = """
    ALTER TABLE subscriptions DISABLE TRIGGER USER,
        DROP CONSTRAINT IF EXISTS subscriptions_app_id_client_id_fkey,
        DROP CONSTRAINT IF EXISTS subscriptions_app_id_plan_fkey,
        DROP CONSTRAINT IF EXISTS subscriptions_livemode_fkey"""
_CLIENTS = """
    INSERT INTO clients (app_id, client_id, created_at)
    SELECT %(app)s, 'c' || n, now() FROM generate_series(%(a)s::int + 1, %(b)s::int) AS n"""
_SUBSCRIPTIONS = """
    INSERT INTO subscriptions
        (id, app_id, client_id, product, plan, livemode, anchor_at, periods_since_anchor,
         paid_through, grace_until, status, turns_at, created_at, updated_at)
    SELECT 'sub_' || lpad(to_hex(n), 32, '0'), %(app)s, 'c' || n, %(product)s, %(plan)s, false,
           %(now)s, 1, ends_at, ends_at, 'active', ends_at, %(now)s, %(now)s
    FROM (SELECT n, %(now)s::timestamptz + interval '365 days' + n * interval '1 ms' AS ends_at
          FROM generate_series(%(a)s::int + 1, %(b)s::int) AS n) AS rows"""


def _sweep(world: World, size: int, due: int) -> float:
    """Makes so many of them due, spread over the whole table, and tells them all; rows a second."""
    due_at, step = world.now + timedelta(days=30), size // due
    with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE subscriptions DISABLE TRIGGER USER")
        connection.execute(
            """UPDATE subscriptions
               SET paid_through = %(due_at)s, grace_until = %(due_at)s, turns_at = %(due_at)s,
                   status = 'active'
               WHERE id = ANY(ARRAY(SELECT 'sub_' || lpad(to_hex(n * %(step)s), 32, '0')
                                    FROM generate_series(1, %(due)s) AS n))""",
            {"due_at": due_at, "step": step, "due": due},
        )
        connection.execute("ALTER TABLE subscriptions ENABLE TRIGGER USER")
        connection.execute("VACUUM ANALYZE subscriptions")
        connection.execute("CHECKPOINT")
    database = world.context.within(EVERY_TENANT).database
    spent, moved = list[float](), 0
    while True:
        started = time.perf_counter()
        looked_at = sweeps.move_due(database, due_at, secrets.token_bytes, SLICE)
        spent.append(time.perf_counter() - started)
        moved += looked_at
        if looked_at < SLICE:
            break
    assert moved == due, moved
    rate, p95 = due / sum(spent), quantiles(spent, n=20)[-1]
    print(
        f"{size:>12,} rows: {rate:8,.0f} due rows a second; {due:,} in {sum(spent):.1f} s;"
        f" a slice p95 {p95 * 1000:.0f} ms"
    )
    return rate


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000_000, 10_000_000])
