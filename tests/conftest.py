"""Real PostgreSQL and Redis for every test: one cluster a session, a fresh database a test."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from local.databases import DATABASE, OWNER, Databases, DatabaseUrls, seeing_all
from tests.world import Stores, World, world_over


@dataclass(frozen=True)
class Cluster:
    template: DatabaseUrls
    redis_url: str


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where TOLLGATE_NO_SKIPS is set, as in CI, a test that is skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("TOLLGATE_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"
    return report


@pytest.fixture
def folder() -> Iterator[Path]:
    """Empty, and open to the user that a server runs as when root starts it."""
    folder = Path(tempfile.mkdtemp(prefix="tollgate-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """PostgreSQL with a migrated template database, and Valkey; in memory where there is room."""
    memory = Path("/dev/shm")
    parent = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    directory = Path(tempfile.mkdtemp(prefix="tollgate-tests-", dir=parent))
    directory.chmod(0o755)
    databases = Databases(directory, durable=False)
    try:
        template = databases.start_postgres(None, print)
        redis_url = databases.start_redis(None, print)
        yield Cluster(template, redis_url)
    finally:
        databases.stop()
        shutil.rmtree(directory)


@pytest.fixture
def stores(cluster: Cluster) -> Iterator[Stores]:
    """A database of this test's own, migrated, and an empty Redis."""
    with new_stores(cluster) as stores:
        yield stores


@contextlib.contextmanager
def new_stores(cluster: Cluster) -> Iterator[Stores]:
    """A fresh database and an empty Redis, for as long as the block lasts."""
    import redis

    name = f"test_{secrets.token_hex(6)}"
    server = cluster.template.superuser
    assert server is not None
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} TEMPLATE {DATABASE} OWNER {OWNER} STRATEGY file_copy"
        )
    with contextlib.closing(redis.Redis.from_url(cluster.redis_url)) as client:
        client.flushall()
    yield Stores(
        owner_url=seeing_all(renamed(cluster.template.owner, name)),
        service_url=renamed(cluster.template.service, name),
        redis_url=cluster.redis_url,
    )
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def world(stores: Stores) -> Iterator[World]:
    """An app with a plan over these stores, a clock to move, and a PSP that plays a script."""
    with world_over(stores) as opened:
        yield opened


def renamed(url: str, database: str) -> str:
    head, _, tail = url.rpartition("/")
    _, mark, options = tail.partition("?")
    return f"{head}/{database}{mark}{options}"
