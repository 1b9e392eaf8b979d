"""What the wall between apps costs a query: one message, and the usual transaction beside it.

    .venv/bin/python benchmarks/tenants.py [queries per measurement]

The ways take turns in one run over one embedded PostgreSQL, so that a busy machine slows all.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import psycopg

from local.databases import Databases
from tollgate.domain.principal import Tenant
from tollgate.storage.database import Database

ROUNDS = 7
APP = "app_019a"
PARAMETERS = {"app_id": APP}


def main(queries: int) -> None:
    """Measures and prints microseconds a query, and how many times the bare query that is."""
    directory = Path(tempfile.mkdtemp(prefix="tollgate-benchmark-"))
    directory.chmod(0o755)
    databases = Databases(directory, durable=False)
    try:
        urls = databases.start_postgres(None, print)
        _measure(urls.service, queries)
    finally:
        databases.stop()
        shutil.rmtree(directory)


def _measure(url: str, queries: int) -> None:
    database = Database(url).within(Tenant(APP))
    statement = "SELECT client_id, version FROM clients WHERE app_id = %(app_id)s"
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:

        def bare() -> None:
            connection.execute(statement, PARAMETERS).fetchall()

        def in_a_transaction() -> None:
            with connection.transaction():
                connection.execute("SELECT set_config('tollgate.app_id', %s, true)", (APP,))
                connection.execute(statement, PARAMETERS).fetchall()

        def in_one_message() -> None:
            database.all(statement, PARAMETERS)

        ways = {
            "no wall": bare,
            "one message": in_one_message,
            "BEGIN, set_config, SELECT, COMMIT": in_a_transaction,
        }
        rounds = [[_microseconds(way, queries) for way in ways.values()] for _ in range(ROUNDS)]
    for number, name in enumerate(ways):
        ratio = median(row[number] / row[0] for row in rounds)
        print(f"{name:34} {median(row[number] for row in rounds):7.0f} µs {ratio:6.2f}")
    database.close()


def _microseconds(query: Callable[[], None], queries: int) -> float:
    started = time.perf_counter()
    for _ in range(queries):
        query()
    return (time.perf_counter() - started) / queries * 1e6


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
