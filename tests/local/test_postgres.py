"""The embedded PostgreSQL: starts, stops, keeps its data, and says why when it can't."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local.postgres import PostgresServer, ServerError, free_port

PROJECT = Path(__file__).parent.parent.parent


@contextlib.contextmanager
def serving(directory: Path, *, durable: bool = False) -> Iterator[PostgresServer]:
    server = PostgresServer(directory, durable=durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def run(server: PostgresServer, sql: str) -> object:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_running(pid):
        assert time.monotonic() < deadline, "the server did not end"
        time.sleep(0.02)


def start_and_die(directory: Path) -> int:
    """A run that starts a server and is killed; the server is left over. Its process id."""
    code = (
        "import os, sys; from pathlib import Path; from local.postgres import PostgresServer\n"
        "server = PostgresServer(Path(sys.argv[1]), durable=False); server.start(); os._exit(0)"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(directory)], cwd=PROJECT, check=True, timeout=60
    )
    return postmaster(directory)


def test_a_restart_keeps_what_was_written(folder: Path) -> None:
    directory = folder / "postgres"
    with serving(directory, durable=True) as server:
        run(server, "CREATE TABLE kept AS SELECT 7 AS number")
        url, first = server.url("postgres"), postmaster(directory)
        server.stop()
        assert not is_running(first)
        server.stop()
        server.start()
        assert server.url("postgres") == url
        assert run(server, "SELECT number FROM kept") == 7
    with serving(directory) as another:
        assert run(another, "SELECT number FROM kept") == 7


def test_is_served_to_this_machine_only_and_with_a_password(folder: Path) -> None:
    with serving(folder / "postgres") as server:
        url = server.url("postgres")
        assert run(server, "SHOW listen_addresses") == "127.0.0.1"
        assert run(server, "SHOW unix_socket_directories") == ""
        assert run(server, "SHOW timezone") == "UTC"
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url("postgres", password="wrong"))
        password_file = folder / "postgres" / "superuser.password"
        assert password_file.stat().st_mode & 0o077 == 0
        assert password_file.read_text() in url


def test_a_stop_before_a_start_is_nothing(folder: Path) -> None:
    server = PostgresServer(folder / "postgres")
    server.stop()
    server.stop()
    assert not (folder / "postgres").exists()


def test_a_stop_disconnects_whoever_is_there(folder: Path) -> None:
    with serving(folder / "postgres") as server:
        with psycopg.connect(server.url("postgres")) as connection:
            connection.execute("CREATE TABLE unfinished (id int)")
            server.stop()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        server.start()
        assert run(server, "SELECT to_regclass('unfinished')::text") is None


def test_the_server_of_a_killed_run_is_stopped(folder: Path) -> None:
    directory = folder / "postgres"
    leftover = start_and_die(directory)
    assert is_running(leftover)
    try:
        with serving(directory) as server:
            assert postmaster(directory) != leftover
            assert run(server, "SELECT 1") == 1
    finally:
        if is_running(leftover):
            os.kill(leftover, signal.SIGKILL)
    wait_for_end(leftover)


def test_what_a_killed_server_wrote_is_recovered(folder: Path) -> None:
    directory = folder / "postgres"
    server = PostgresServer(directory, durable=True)
    server.start()
    try:
        run(server, "CREATE TABLE kept AS SELECT 7 AS number")
        os.kill(postmaster(directory), signal.SIGKILL)
    finally:
        server.stop()
    with serving(directory) as server:
        assert run(server, "SELECT number FROM kept") == 7


def test_a_process_that_has_the_old_number_is_left_alone(folder: Path) -> None:
    directory = folder / "postgres"
    with serving(directory):
        file = directory / "data" / "postmaster.pid"
        written = file.read_text()
    innocent = subprocess.Popen(["sleep", "60"], cwd=folder)
    try:
        file.write_text(written.replace(written.splitlines()[0], str(innocent.pid), 1))
        server = PostgresServer(directory, durable=False)
        with contextlib.suppress(ServerError):  # PostgreSQL itself may mind the number
            server.start()
        server.stop()
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_cluster_that_was_never_finished_is_made_anew(folder: Path) -> None:
    directory = folder / "postgres"
    (directory / "data" / "base").mkdir(parents=True)
    (directory / "superuser.password").write_text("of another time")
    with serving(directory) as server:
        assert run(server, "SELECT 1") == 1


def test_in_a_folder_that_only_its_owner_can_reach(folder: Path) -> None:
    """Root has no other user for it, and starts the server in a user namespace."""
    folder.chmod(0o700)
    directory = folder / "postgres"
    with serving(directory) as server:
        assert run(server, "SELECT 1") == 1
        assert (directory / "data").stat().st_uid == os.geteuid()


def test_a_taken_port_is_told_in_postgresqls_own_words(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = PostgresServer(folder / "postgres", port=port, durable=False)
        with pytest.raises(ServerError) as refused:
            server.start()
    assert f"did not start on port {port}" in str(refused.value)
    assert "Address already in use" in str(refused.value)
    server.stop()
    server.start()  # the port is free again
    try:
        assert run(server, "SELECT 1") == 1
    finally:
        server.stop()


def test_a_folder_that_can_t_be_written_is_told(folder: Path) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres" / "data").write_text("in the way")
    with pytest.raises(ServerError, match="initdb failed"):
        PostgresServer(folder / "postgres", durable=False).start()


def test_a_free_port_can_be_had() -> None:
    with socket.create_server(("127.0.0.1", free_port())):
        pass
