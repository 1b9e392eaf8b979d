"""The time that payments paid for, and what refunds and disputes took of it."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from tollgate.domain.billing import Period
from tollgate.domain.payment import Payment
from tollgate.domain.reversal import PaidPeriod, Reversal
from tollgate.domain.subscription import Reason, RefundRule
from tollgate.storage.database import Database, Row


def insert_period(
    database: Database, payment: Payment, subscription_id: str, period: Period, now: datetime
) -> None:
    """The time that a payment paid for. Its primary key lets a payment give it only once."""
    database.one(
        """INSERT INTO subscription_periods
               (payment_id, subscription_id, app_id, starts_at, ends_at, created_at)
           VALUES (%(payment_id)s, %(subscription_id)s, %(app_id)s, %(starts_at)s, %(ends_at)s,
                   %(now)s)""",
        {
            "payment_id": payment.id,
            "subscription_id": subscription_id,
            "app_id": payment.app_id,
            "starts_at": period.starts_at,
            "ends_at": period.ends_at,
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
        """SELECT payment_id, subscription_id, starts_at, ends_at, reversal
           FROM subscription_periods WHERE payment_id = %(payment_id)s""",
        {"payment_id": payment_id},
    )
    return GivenTime(row["subscription_id"], _period(row)) if row else None


def list_after(database: Database, subscription_id: str, instant: datetime) -> list[PaidPeriod]:
    """A subscription's periods that begin then or later, in order."""
    rows = database.all(
        """SELECT payment_id, starts_at, ends_at, reversal FROM subscription_periods
           WHERE subscription_id = %(subscription_id)s AND ends_at >= %(instant)s
             AND starts_at >= %(instant)s
           ORDER BY starts_at""",
        {"subscription_id": subscription_id, "instant": instant},
    )
    return [_period(row) for row in rows]


def save_period(database: Database, period: PaidPeriod) -> None:
    """A period's new ends and its reversal. The caller holds lock_client."""
    reversal = period.reversal
    told = reversal and {
        "reason": reversal.reason,
        "rule": reversal.rule,
        "rest_seconds": reversal.rest.total_seconds(),
        "cancels": reversal.cancels,
    }
    database.one(
        """UPDATE subscription_periods
           SET starts_at = %(starts_at)s, ends_at = %(ends_at)s, reversal = %(reversal)s::jsonb
           WHERE payment_id = %(payment_id)s""",
        {
            "payment_id": period.payment_id,
            "starts_at": period.starts_at,
            "ends_at": period.ends_at,
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
    return PaidPeriod(row["payment_id"], row["starts_at"], row["ends_at"], reversal)
