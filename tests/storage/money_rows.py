"""Payments with their refunds and disputes, written as rows: what the schema makes of them."""

from typing import Any

import psycopg
from psycopg import sql

AT = "2026-01-31T09:00:00Z"
Connection = psycopg.Connection[tuple[Any, ...]]
Posting = tuple[str, str, int, str]
"""Kind, account, amount in minor units, currency."""


class MoneyRows:
    """Rows of one app: pay_1 of 100 minor units, ref_1 of 40, dis_1 of 100, and such."""

    def __init__(self, connection: Connection, app_id: str) -> None:
        self.connection = connection
        self.app_id = app_id

    def payment(self, **changed: object) -> None:
        """A pending payment."""
        row = {
            "id": "pay_1",
            "amount_minor": 100,
            "status": "pending",
            "client_id": "client-1",
            "livemode": False,
            "expires_at": AT,
            **changed,
        }
        self._insert("payments", {"idempotency_key": f"key of {row['id']}", **row})

    def pay(self, payment_id: str = "pay_1", captured_minor: int = 100, **changed: object) -> None:
        """The money is taken."""
        paid = {"status": "succeeded", "amount_captured_minor": captured_minor}
        self.change("payments", payment_id, **{**paid, **changed})

    def paid(self, **changed: object) -> None:
        """A payment of which all is taken."""
        self.payment(**changed)
        amount = changed.get("amount_minor", 100)
        assert isinstance(amount, int)
        self.pay(str(changed.get("id", "pay_1")), amount)

    def refund(self, **changed: object) -> None:
        """A refund that the app asked for; `idempotency_key` None: made in the PSP's pages."""
        row = {"id": "ref_1", "payment_id": "pay_1", "amount_minor": 40, "status": "pending"}
        row.update(changed)
        self._insert("refunds", {"idempotency_key": f"key of {row['id']}", **row})

    def dispute(self, **changed: object) -> None:
        """A dispute of all of it."""
        row = {"id": "dis_1", "payment_id": "pay_1", "amount_minor": 100, "status": "open"}
        row.update(changed)
        self._insert("disputes", {"psp_reference": f"dp of {row['id']}", **row})

    def move_refund(self, refund_id: str, status: str) -> None:
        """The refund's next state, and its payment says the same, in one transaction."""
        with self.connection.transaction():
            self.change("refunds", refund_id, status=status)
            self.add_up(refund_id)

    def add_up(self, refund_id: str) -> None:
        """The refund's payment says what its refunds say."""
        self.connection.execute(
            """UPDATE payments SET version = version + 1, amount_refunded_minor = back.minor,
                   status = CASE back.minor WHEN 0 THEN 'succeeded'
                                            WHEN amount_captured_minor THEN 'refunded'
                                            ELSE 'partially_refunded' END
               FROM (SELECT r.payment_id,
                            coalesce(sum(r.amount_minor) FILTER (WHERE r.status = 'succeeded'), 0)
                                AS minor
                     FROM refunds r
                     WHERE r.payment_id = (SELECT payment_id FROM refunds WHERE id = %s)
                     GROUP BY r.payment_id) back
               WHERE id = back.payment_id""",
            [refund_id],
        )

    def change(self, table: str, row_id: str, **values: object) -> None:
        """A new version of the row."""
        columns = [sql.SQL("{} = {}").format(sql.Identifier(k), sql.Placeholder(k)) for k in values]
        statement = sql.SQL("UPDATE {} SET {}, version = version + 1 WHERE id = {}")
        self.connection.execute(
            statement.format(
                sql.Identifier(table), sql.SQL(", ").join(columns), sql.Placeholder("row_id")
            ),
            {**values, "row_id": row_id},
        )

    def postings(self) -> list[Posting]:
        """The ledger, in order."""
        return self.connection.execute(
            "SELECT kind, account, amount_minor, currency FROM ledger_entries ORDER BY id"
        ).fetchall()

    def balances(self) -> dict[tuple[str, str], int]:
        """What is on each account, in each currency, where it is not nothing."""
        rows = self.connection.execute(
            """SELECT account, currency, sum(amount_minor)::bigint FROM ledger_entries
               GROUP BY account, currency HAVING sum(amount_minor) <> 0"""
        )
        return {(account, currency): minor for account, currency, minor in rows}

    def _insert(self, table: str, row: dict[str, object]) -> None:
        plain = {"app_id": self.app_id, "psp": "stripe", "currency": "KES"}
        values = {**plain, "created_at": AT, "updated_at": AT, **row}
        self.connection.execute(
            sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier(table),
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Placeholder, values)),
            ),
            values,
        )
