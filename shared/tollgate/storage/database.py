"""The one connection to PostgreSQL that a container keeps, and whose rows a statement may see.

Row-level security (migrations/) shows a statement the rows of the tenant that is set for it, and
none where none is set. The tenant travels in the same message as the statement, as a setting that
ends with its transaction: one round trip, and safe behind PgBouncer in transaction mode, where
nothing may be prepared or stay set on a session. Sending several statements in one message takes
the simple query protocol, in which psycopg's ClientCursor quotes the parameters.
"""

import select
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, LiteralString

from tollgate.domain.errors import (
    ConcurrentChange,
    ConstraintViolated,
    DatabaseUnavailable,
    Misconfigured,
    Unavailable,
)
from tollgate.domain.principal import NO_TENANT, Tenant

if TYPE_CHECKING:
    from psycopg import ClientCursor
    from psycopg.rows import DictRow

    from tollgate.storage.connection import BoundedConnection

Row = dict[str, Any]

PING_AFTER_IDLE_SECONDS = 30
"""A container is frozen between calls; a connection idle for longer is asked before it is used."""


# is_local: it ends with the transaction, which in autocommit is this one message
_AS_TENANT: LiteralString = """
    SELECT set_config('tollgate.app_id', %(tenant_app_id)s, true),
           set_config('tollgate.client_id', %(tenant_client_id)s, true);
"""


class Database:
    """What the rows of one tenant are read and written through. Of nobody's, unless `within`."""

    def __init__(self, url: str) -> None:
        self._link = _Link(url)
        self._tenant = NO_TENANT

    def within(self, tenant: Tenant) -> "Database":
        """The same connection, seeing this tenant's rows and no others."""
        seen = copy(self)
        seen._tenant = tenant
        return seen

    def one(self, sql: LiteralString, parameters: Mapping[str, object]) -> Row | None:
        """Runs one statement; its first row or None. A statement alone is its own transaction.

        Raises DatabaseUnavailable, ConcurrentChange on a deadlock, ConstraintViolated.
        """
        with self._execute(sql, parameters) as cursor:
            row = cursor.fetchone() if cursor.description else None
            return _in_utc(row) if row is not None else None

    def all(self, sql: LiteralString, parameters: Mapping[str, object]) -> list[Row]:
        """Runs one statement; all its rows. Raises as `one` does."""
        with self._execute(sql, parameters) as cursor:
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
        with self._link.translated(), self._link.open().transaction():
            self._link.in_transaction = True
            try:
                yield
            finally:
                self._link.in_transaction = False

    def close(self) -> None:
        """Closes the connection; the next statement opens a new one."""
        self._link.close()

    @contextmanager
    def _execute(
        self, sql: LiteralString, parameters: Mapping[str, object]
    ) -> "Iterator[ClientCursor[DictRow]]":
        from psycopg import ClientCursor

        tenant = {
            "tenant_app_id": self._tenant.app_id,
            "tenant_client_id": self._tenant.client_id,
        }
        with self._link.translated(), ClientCursor(self._link.open()) as cursor:
            cursor.execute(_AS_TENANT + sql, {**parameters, **tenant})
            cursor.nextset()  # past the answer of set_config
            yield cursor


class _Link:
    """One connection in autocommit, opened when first needed, replaced when dead."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: BoundedConnection | None = None
        self._used_at = 0.0
        self.in_transaction = False

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def open(self) -> "BoundedConnection":
        """The connection, alive as far as one can tell without asking."""
        from tollgate.storage.connection import BoundedConnection

        connection = self._connection
        if connection is not None and not self._is_alive(connection):
            self.close()
            connection = None
        if connection is None:
            if self.in_transaction:
                raise DatabaseUnavailable  # the rest of a transaction is not for a new connection
            connection = self._connection = BoundedConnection.to(self._url)
        self._used_at = time.monotonic()
        return connection

    def _is_alive(self, connection: "BoundedConnection") -> bool:
        """Whether the server is still there; costs a round trip only after a long silence."""
        import psycopg

        if connection.closed or connection.broken:
            return False
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            return True  # inside a transaction: its own statements will tell
        arrivals = select.poll()  # of any descriptor, where select() knows those below 1024
        arrivals.register(connection.fileno(), select.POLLIN)
        if arrivals.poll(0):
            return False  # nothing was asked, so what came can only be a farewell
        idle_seconds = time.monotonic() - self._used_at
        return idle_seconds <= PING_AFTER_IDLE_SECONDS or connection.answers_a_ping()

    @contextmanager
    def translated(self) -> Iterator[None]:
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
            psycopg.NotSupportedError,  # nor does it know tables that are not logged
        ):
            self.close()
            raise DatabaseUnavailable from None


def _in_utc(row: Row) -> Row:
    """Instants in UTC, whatever the server's time zone: months are counted in UTC."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
