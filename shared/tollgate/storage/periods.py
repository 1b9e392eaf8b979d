"""The time that payments paid for, and what refunds and disputes took of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from tollgate.domain.billing import Period
from tollgate.domain.payment import Payment
from tollgate.domain.plan import RefundRule
from tollgate.domain.reversal import PaidPeriod, Reversal, Worth
from tollgate.domain.subscription import Reason
from tollgate.storage.database import Database, Row

# of rows from before there was a worth: what was paid, for all of it
_PERIOD: LiteralString = """
    payment_id, subscription_id, starts_at, ends_at, reversal, plan,
    coalesce(worth_minor, (SELECT amount_captured_minor FROM payments
                           WHERE payments.id = subscription_periods.payment_id)) AS worth_minor,
    coalesce(worth_seconds, greatest(extract(epoch FROM ends_at - starts_at)::bigint, 1))
        AS worth_seconds"""


def insert_period(
    database: Database,
    payment: Payment,
    subscription_id: str,
    period: Period,
    *,
    worth: Worth,
    now: datetime,
) -> None:
    """The time that a payment paid for. Its primary key lets a payment give it only once."""
    database.one(
        """INSERT INTO subscription_periods
               (payment_id, subscription_id, app_id, starts_at, ends_at, worth_minor,
                worth_seconds, created_at)
           VALUES (%(payment_id)s, %(subscription_id)s, %(app_id)s, %(starts_at)s, %(ends_at)s,
                   %(worth_minor)s, %(worth_seconds)s, %(now)s)""",
        {
            "payment_id": payment.id,
            "subscription_id": subscription_id,
            "app_id": payment.app_id,
            "starts_at": period.starts_at,
            "ends_at": period.ends_at,
            "worth_minor": worth.minor,
            "worth_seconds": worth.seconds,
            "now": now,
        },
    )


@dataclass(frozen=True)
class GivenTime:
    """The subscription that a payment's period is of, and that period."""

    subscription_id: str
    period: PaidPeriod


def find_given(database: Database, payment_id: str) -> GivenTime | None:
    """The time that this payment gave, if it gave any."""
    row = database.one(
        "SELECT" + _PERIOD + " FROM subscription_periods WHERE payment_id = %(payment_id)s",
        {"payment_id": payment_id},
    )
    return GivenTime(row["subscription_id"], _period(row)) if row else None


def may_come_back(database: Database, subscription_id: str) -> bool:
    """Whether time was taken of this subscription that a refund which fails, or a dispute that is
    won, would give back."""
    row = database.one(
        """SELECT 1 FROM subscription_periods
           WHERE subscription_id = %(id)s AND (reversal ->> 'rest_seconds')::float > 0 LIMIT 1""",
        {"id": subscription_id},
    )
    return row is not None


def list_after(database: Database, subscription_id: str, instant: datetime) -> list[PaidPeriod]:
    """A subscription's periods that begin then or later, in order."""
    rows = database.all(
        "SELECT"
        + _PERIOD
        + """ FROM subscription_periods
           WHERE subscription_id = %(subscription_id)s AND ends_at >= %(instant)s
             AND starts_at >= %(instant)s
           ORDER BY starts_at""",
        {"subscription_id": subscription_id, "instant": instant},
    )
    return [_period(row) for row in rows]


def list_ending_after(
    database: Database, subscription_id: str, instant: datetime
) -> list[PaidPeriod]:
    """A subscription's periods that end later than that, in order."""
    rows = database.all(
        "SELECT"
        + _PERIOD
        + """ FROM subscription_periods
           WHERE subscription_id = %(subscription_id)s AND ends_at > %(instant)s
           ORDER BY starts_at, ends_at""",
        {"subscription_id": subscription_id, "instant": instant},
    )
    return [_period(row) for row in rows]


def list_currencies(database: Database, payment_ids: Sequence[str]) -> set[str]:
    """In what these payments were made."""
    rows = database.all(
        "SELECT DISTINCT currency FROM payments WHERE id = ANY(%(ids)s)",
        {"ids": list(payment_ids)},
    )
    return {row["currency"] for row in rows}


def save_period(database: Database, period: PaidPeriod) -> None:
    """A period's new ends, its reversal, its worth and its plan. The caller holds lock_client."""
    reversal = period.reversal
    told = reversal and {
        "reason": reversal.reason,
        "rule": reversal.rule,
        "rest_seconds": reversal.rest.total_seconds(),
        "cancels": reversal.cancels,
    }
    database.one(
        """UPDATE subscription_periods
           SET starts_at = %(starts_at)s, ends_at = %(ends_at)s, reversal = %(reversal)s::jsonb,
               worth_minor = %(worth_minor)s, worth_seconds = %(worth_seconds)s, plan = %(plan)s
           WHERE payment_id = %(payment_id)s""",
        {
            "payment_id": period.payment_id,
            "starts_at": period.starts_at,
            "ends_at": period.ends_at,
            "worth_minor": period.worth.minor or None,
            "worth_seconds": period.worth.seconds if period.worth.minor else None,
            "plan": period.plan,
            "reversal": json.dumps(told) if told else None,
        },
    )


def _period(row: Row) -> PaidPeriod:
    told = row["reversal"]
    reversal = told and Reversal(
        Reason(told["reason"]),
        RefundRule(told["rule"]),
        timedelta(seconds=told["rest_seconds"]),
        told["cancels"],
    )
    worth = Worth(row["worth_minor"], row["worth_seconds"])
    return PaidPeriod(
        row["payment_id"], row["starts_at"], row["ends_at"], reversal, worth, row["plan"]
    )
