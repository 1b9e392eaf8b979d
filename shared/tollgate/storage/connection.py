"""A connection to PostgreSQL that waits for no answer longer than a function may live.

The server's own limits (local/migrations.py) can't see to that: it may be the server, or the line
to it, that fell silent. Nor can tcp_user_timeout: a proxy that hangs acknowledges what it was sent.

Apart from database.py, because this imports psycopg, which not every call needs.
"""

from typing import Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import DictRow, dict_row

from tollgate.domain.errors import Misconfigured

CONNECT_TIMEOUT_SECONDS = 5
ANSWER_TIMEOUT_SECONDS = 8.0
"""For each statement. A lock is waited for less long (lock_timeout), and no function has less than
ten seconds."""
PING_TIMEOUT_SECONDS = 2.0

_Answer = TypeVar("_Answer")


class BoundedConnection(psycopg.Connection[DictRow]):
    """Closes its socket when an answer is late: what is asked of it then fails at once.

    A late statement is not canceled. The request to cancel it takes the same line, and would be
    waited for too; the server learns from the closed socket, or from its statement_timeout.
    """

    _patience_seconds = ANSWER_TIMEOUT_SECONDS

    @classmethod
    def to(cls, url: str) -> Self:
        """A new connection in autocommit. Raises psycopg.Error, Misconfigured."""
        try:
            return cls.connect(
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

    def wait(
        self, gen: PQGen[_Answer], interval: float = 0.1, timeout: float | None = None
    ) -> _Answer:
        """See psycopg.Connection.wait, through which everything that is asked passes."""
        try:
            return super().wait(gen, interval, timeout or self._patience_seconds)
        except psycopg.OperationalError as error:
            if error.sqlstate is None:  # not the server's word
                self.close()
            raise

    def answers_a_ping(self) -> bool:
        """Whether the server is there: soon, because the answer is worth a new connection only."""
        patience, self._patience_seconds = self._patience_seconds, PING_TIMEOUT_SECONDS
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        finally:
            self._patience_seconds = patience
        return True
