"""Both stores of a laptop: those that are given are used, the others are served."""

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from local.databases import OWNER, Databases
from local.migrations import migrate
from local.postgres import ServerError
from tests.conftest import Cluster

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def given_url(cluster: Cluster) -> Iterator[str]:
    """An empty database of somebody else's server, which the project's owner may use."""
    name = f"given_{secrets.token_hex(6)}"
    assert cluster.template.superuser is not None
    with psycopg.connect(cluster.template.superuser, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}".encode())
        yield cluster.template.owner.replace("/tollgate?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        connection.execute(f"DROP ROLE IF EXISTS {name}_login".encode())


def tables(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
    assert row is not None
    number: int = row[0]
    return number


def test_given_stores_are_used_and_nothing_is_served(
    given_url: str, cluster: Cluster, tmp_path: Path
) -> None:
    told: list[str] = []
    databases = Databases(tmp_path / "stores")
    urls = databases.start_postgres(given_url, told.append)
    redis_url = databases.start_redis(cluster.redis_url, told.append)
    databases.stop()
    assert (urls.owner, urls.superuser) == (given_url, None)
    assert redis_url == cluster.redis_url
    assert not (tmp_path / "stores").exists()
    assert told == [
        "PostgreSQL: using DATABASE_URL",
        "PostgreSQL: migrating",
        "Redis: using REDIS_URL",
    ]
    assert tables(given_url) > 10  # it is migrated, and still there after the stop
    with psycopg.connect(urls.service) as connection:
        assert connection.execute("SELECT count(*) FROM payments").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM payments")


def test_a_second_start_changes_nothing_but_the_password(given_url: str, tmp_path: Path) -> None:
    first = Databases(tmp_path).start_postgres(given_url, lambda _: None)
    before = tables(given_url)
    second = Databases(tmp_path).start_postgres(given_url, lambda _: None)
    assert tables(given_url) == before
    assert first.service != second.service
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.service)
    psycopg.connect(second.service).close()


def test_two_databases_of_one_server_have_logins_of_their_own(
    given_url: str, cluster: Cluster, tmp_path: Path
) -> None:
    urls = Databases(tmp_path).start_postgres(given_url, lambda _: None)
    for url in (urls.service, cluster.template.service):
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM apps").fetchone() == (0,)


def test_a_given_database_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="migrations failed") as refused:
        migrate("postgresql://somebody:s3cret@127.0.0.1:1/nowhere?sslmode=disable")
    assert "refused" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_what_a_killed_run_left_of_redis_is_stopped(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from local.databases import Databases\n"
        "print(Databases(Path(sys.argv[1])).start_redis(None, lambda _: None), flush=True)\n"
        "os._exit(0)"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    killed = subprocess.run(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, check=True, timeout=60
    )
    databases = Databases(tmp_path)
    with redis.Redis.from_url(killed.stdout.strip()) as left:
        assert left.ping()
        try:
            with redis.Redis.from_url(databases.start_redis(None, lambda _: None)) as now:
                assert now.ping()
            with pytest.raises(redis.ConnectionError):
                left.ping()
        finally:
            databases.stop()


def test_stop_without_a_start_is_nothing(tmp_path: Path) -> None:
    Databases(tmp_path / "stores").stop()
    assert not (tmp_path / "stores").exists()
