"""What it costs to open the bills of subscriptions whose time ends: the timer's own slice.

    PYTHONPATH=. .venv/bin/python benchmarks/bills.py [due]

By default 100,000 subscriptions in a young database, durable, whose bills open at the same instant:
how long the firings of `subscriptions/renew` took that opened them, each with its event, its link
and its audit row.
"""

import contextlib
import io
import sys
import time
from datetime import timedelta

import psycopg

from benchmarks.served import served
from benchmarks.sweeps import fill


def main(due: int) -> None:
    """Fills, fires the timer until nothing is due, prints."""
    with served(durable=True) as world:
        with contextlib.redirect_stdout(io.StringIO()):
            world.call("subscriptions/create", body={"client_id": "c", "plan": world.plan})
        fill(world, 0, due)
        ends_at = world.now + timedelta(days=3)
        with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE subscriptions DISABLE TRIGGER USER")
            connection.execute(
                """UPDATE subscriptions
                   SET bill_opens_at = %(now)s, paid_through = %(ends_at)s,
                       grace_until = %(ends_at)s, turns_at = %(ends_at)s
                   WHERE paid_through IS NOT NULL""",
                {"now": world.now, "ends_at": ends_at},
            )
            connection.execute("ALTER TABLE subscriptions ENABLE TRIGGER USER")
            connection.execute("VACUUM ANALYZE subscriptions")
        opened, slices = 0, list[float]()
        while opened < due:
            started = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                opened += world.run_timer("subscriptions/renew")["renew_subscriptions"]["opened"]
            slices.append(time.perf_counter() - started)
        assert opened == due, opened
    told = ", ".join(f"{seconds:.1f}" for seconds in slices)
    print(f"{due:,} bills opened in slices of {told} s: {due / sum(slices):,.0f} a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
