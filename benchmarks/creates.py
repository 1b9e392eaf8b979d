"""What a create costs beside the two durable commits that it can't do without.

    PYTHONPATH=. .venv/bin/python benchmarks/creates.py [creates]

The PSP answers at once, so that all the time is our own: authentication, validation, sealing, the
row-level security, the audit chain, events, the stored answer. The bare commits are two INSERTs of
a row of the same size. They take turns in one run over one PostgreSQL that writes to the disk.
"""

import contextlib
import io
import sys
import time
from collections.abc import Callable
from statistics import median, quantiles

import psycopg

from benchmarks.served import served
from tests.world import World

ROW = b"x" * 2000
"""About what a create writes."""


def main(creates: int) -> None:
    """Measures and prints milliseconds a create, and how many times the bare commits that is."""
    with served(durable=True) as world, psycopg.connect(world.stores.owner_url) as connection:
        connection.autocommit = True
        connection.execute("CREATE TABLE bare_commits (id serial PRIMARY KEY, content bytea)")

        def commit_twice(_number: int) -> None:
            for _ in range(2):
                connection.execute("INSERT INTO bare_commits (content) VALUES (%s)", (ROW,))

        def create(number: int) -> None:
            _create(world, number)

        with contextlib.redirect_stdout(io.StringIO()):
            spent = _measured([commit_twice, create], creates)
    bare, own = (median(each) for each in spent)
    print(f"{'two bare commits':20} {bare * 1e3:6.2f} ms   p95 {_p95(spent[0]) * 1e3:6.2f} ms")
    print(f"{'a create':20} {own * 1e3:6.2f} ms   p95 {_p95(spent[1]) * 1e3:6.2f} ms")
    print(f"{'ratio':20} {own / bare:6.2f}")


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
    for number in range(-20, times):  # the first ones warm up
        for way, seconds in zip(ways, spent, strict=True):
            started = time.perf_counter()
            way(number)
            if number >= 0:
                seconds.append(time.perf_counter() - started)
    return spent


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
