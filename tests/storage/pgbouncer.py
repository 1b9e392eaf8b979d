"""A real PgBouncer in transaction mode in front of a test's database."""

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from local.postgres import free_port

START_TIMEOUT_SECONDS = 10


@contextlib.contextmanager
def pgbouncer(database_url: str, folder: Path, *, pool_size: int) -> Iterator[str]:
    """Serves this database through `pool_size` connections; where to connect instead.

    Where PgBouncer is not installed the test is skipped by name; CI installs it and skips nothing.
    """
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("PgBouncer is not installed: on Debian, apt install pgbouncer")
    info, port = conninfo_to_dict(database_url), free_port()
    server = {name: info[name] for name in ("host", "port", "dbname", "user", "password")}
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        "[databases]\n"
        f"behind = {' '.join(f'{name}={value}' for name, value in server.items())}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        "auth_type = any\npool_mode = transaction\n"
        f"default_pool_size = {pool_size}\nmax_client_conn = 200\n"
    )
    settings.chmod(0o644)
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to be root
    process = subprocess.Popen([program, "-q", str(settings)], user=user)
    try:
        url = f"postgresql://anybody@127.0.0.1:{port}/behind"
        _wait(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
