"""What a signed entitlement says: that a client has access to a product, and for how long."""

from datetime import UTC, datetime, timedelta

from tollgate.domain.instants import rfc3339
from tollgate.domain.subscription import Access, Dates

LIFETIME = timedelta(minutes=15)
"""For how long an app may go without asking again."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def access_ends_at(dates: Dates) -> datetime | None:
    """The first instant from which these dates give no access, if nobody touches them.

    It may lie in the past. None for dates that never gave any.
    """
    ends = filter(None, (dates.paid_through, dates.trial_end, dates.grace_until))
    last = max(ends, default=None)
    if last is None:
        return None
    return min(filter(None, (last, dates.cancel_at, dates.paused_at)))


def entitlement_claims(
    app_id: str, client_id: str, access: Access, now: datetime, issuer: str
) -> dict[str, object]:
    """The claims for an access that is active at `now`; `iat` and `exp` in whole Unix seconds.

    `exp` is rounded down, so it is never later than the end of access: what ends within this second
    has expired already.
    """
    dates = access.dates
    assert access.active
    assert dates is not None
    ends_at = access_ends_at(dates)
    assert ends_at is not None
    return {
        "iss": issuer,
        "aud": app_id,
        "sub": client_id,
        "product": dates.product,
        "plan": dates.plan_at(now),
        "active": access.active,
        "reason": access.reason.value,
        "paid_through": rfc3339(dates.paid_through) if dates.paid_through else None,
        "iat": _whole_seconds(now),
        "exp": _whole_seconds(min(now + LIFETIME, ends_at)),
    }


def _whole_seconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(seconds=1)
