"""The one connection to PostgreSQL that a container keeps.

Safe behind PgBouncer in transaction mode: no prepared statements, nothing set on the session.
"""

import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from tollgate.domain.errors import (
    ConcurrentChange,
    ConstraintViolated,
    DatabaseUnavailable,
    Misconfigured,
    Unavailable,
)

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow

Row = dict[str, Any]

CONNECT_TIMEOUT_SECONDS = 5
PING_AFTER_IDLE_SECONDS = 30
"""A container is frozen between calls; a connection idle for longer is asked before it is used."""


class Database:
    """One connection in autocommit, opened when first needed, replaced when dead."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection[DictRow] | None = None
        self._used_at = 0.0
        self._in_transaction = False

    def one(self, sql: LiteralString, parameters: Mapping[str, object]) -> Row | None:
        """Runs one statement; its first row or None. A statement alone is its own transaction.

        Raises DatabaseUnavailable, ConcurrentChange on a deadlock, ConstraintViolated.
        """
        with self._translated(), self._open().cursor() as cursor:
            cursor.execute(sql, parameters)
            row = cursor.fetchone() if cursor.description else None
            return _in_utc(row) if row is not None else None

    def all(self, sql: LiteralString, parameters: Mapping[str, object]) -> list[Row]:
        """Runs one statement; all its rows. Raises as `one` does."""
        with self._translated(), self._open().cursor() as cursor:
            cursor.execute(sql, parameters)
            return [_in_utc(row) for row in cursor.fetchall()]

    def is_up(self) -> bool:
        """Whether PostgreSQL answers."""
        try:
            return self.one("SELECT 1 AS up", {}) is not None
        except Unavailable:
            return False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What runs inside is committed together, or not at all. Raises as `one` does."""
        with self._translated(), self._open().transaction():
            self._in_transaction = True
            try:
                yield
            finally:
                self._in_transaction = False

    def close(self) -> None:
        """Closes the connection; the next statement opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> "Connection[DictRow]":
        connection = self._connection
        if connection is not None and not self._is_alive(connection):
            self.close()
            connection = None
        if connection is None:
            if self._in_transaction:
                raise DatabaseUnavailable  # the rest of a transaction is not for a new connection
            connection = self._connection = _connect(self._url)
        self._used_at = time.monotonic()
        return connection

    def _is_alive(self, connection: "Connection[DictRow]") -> bool:
        """Whether the server is still there; costs a round trip only after a long silence."""
        import psycopg

        if connection.closed or connection.broken:
            return False
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return True  # inside a transaction: its own statements will tell
        if select.select([connection.fileno()], [], [], 0)[0]:
            return False  # nothing was asked, so what came can only be a farewell
        if time.monotonic() - self._used_at > PING_AFTER_IDLE_SECONDS:
            try:
                connection.execute("SELECT 1")
            except psycopg.OperationalError:
                return False
        return True

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of psycopg become ours. Their text may hold values of a row: it is dropped."""
        import psycopg

        try:
            yield
        except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
            raise ConcurrentChange from None
        except (psycopg.errors.LockNotAvailable, psycopg.errors.QueryCanceled):
            raise DatabaseUnavailable from None  # too slow just now; the connection is sound
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ConstraintViolated(error.diag.constraint_name or type(error).__name__) from None
        except psycopg.errors.InsufficientPrivilege:
            raise Misconfigured("The login of DATABASE_URL may not do this.") from None
        except (
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg.InternalError,  # a standby takes no writes; a transaction was idle too long
        ):
            self.close()
            raise DatabaseUnavailable from None


def _in_utc(row: Row) -> Row:
    """Instants in UTC, whatever the server's time zone: months are counted in UTC."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _connect(url: str) -> "Connection[DictRow]":
    import psycopg
    from psycopg.rows import dict_row

    try:
        return psycopg.connect(
            url,
            autocommit=True,
            prepare_threshold=None,
            row_factory=dict_row,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            tcp_user_timeout=10_000,
            keepalives_idle=30,
            application_name="tollgate",
        )
    except psycopg.ProgrammingError:
        raise Misconfigured("DATABASE_URL can't be read as a PostgreSQL URL.") from None
