"""Migrations by dbmate, and the service's own login, which owns nothing."""

import subprocess
import sys
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from local.postgres import ServerError

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migrate(owner_url: str) -> None:
    """Brings the database up to the newest migration. Raises ServerError with dbmate's words."""
    dbmate = Path(sys.executable).parent / "dbmate"
    result = subprocess.run(
        [str(dbmate), "--migrations-dir", str(MIGRATIONS), "--no-dump-schema", "up"],
        env={"DATABASE_URL": owner_url, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ServerError(f"The migrations failed:\n{result.stdout}{result.stderr}")


def create_service_login(owner_url: str, password: str) -> str:
    """Makes (or renews) the login of the functions; the URL they connect with.

    Named after the database, because roles belong to the cluster. The limits stand on the role,
    because nothing may be set on a session behind PgBouncer.
    """
    info = conninfo_to_dict(owner_url)
    if "dbname" not in info:
        raise ServerError("DATABASE_URL names no database: end it with /name.")
    name = f"{info['dbname']}_login"
    with psycopg.connect(owner_url, autocommit=True) as connection:
        login = sql.Identifier(name)
        exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        verb = sql.SQL("ALTER ROLE" if exists else "CREATE ROLE")
        connection.execute(
            sql.SQL("{} {} LOGIN PASSWORD {}").format(verb, login, sql.Literal(password))
        )
        connection.execute(sql.SQL("GRANT tollgate_service TO {}").format(login))
        for limit, value in _LIMITS.items():
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(
                    login, sql.Identifier(limit), sql.Literal(value)
                )
            )
    host = f"{info.get('host', '127.0.0.1')}:{info.get('port', 5432)}"
    options = f"?sslmode={info['sslmode']}" if "sslmode" in info else ""
    return f"postgresql://{name}:{password}@{host}/{info['dbname']}{options}"


_LIMITS = {
    "statement_timeout": "7s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "15s",
}
