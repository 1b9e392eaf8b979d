"""What an app may wish of a subscription: an end, a pause."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from tollgate.domain.errors import (
    AlreadyCanceled,
    FieldError,
    InvalidFields,
    NotCanceled,
    NotPausable,
)
from tollgate.domain.reversal import Change, PaidPeriod
from tollgate.domain.subscription import Dates, Subscription, SubscriptionStatus, access


class CancelAt(StrEnum):
    """When a subscription ends: with its paid or free time, at once, or not after all."""

    PERIOD_END = "period_end"
    NOW = "now"
    NEVER = "never"


def cancel(subscription: Subscription, at: CancelAt, now: datetime) -> Subscription:
    """The subscription that ends then; without time left, at once.

    Raises AlreadyCanceled; NotCanceled where there is no end to take back.
    """
    dates = subscription.dates.at(now)
    clock = dates.clock(now)
    over = access(dates, now).status is SubscriptionStatus.CANCELED
    if at is CancelAt.NEVER:
        if over or dates.cancel_at is None:
            raise NotCanceled
        return _with(subscription, replace(dates, cancel_at=None), now)
    if over:
        raise AlreadyCanceled("This subscription is over. Create a new one if its client is back.")
    if at is CancelAt.PERIOD_END and dates.cancel_at is not None:
        raise AlreadyCanceled
    ends_at = dates.ends_at
    later = at is CancelAt.PERIOD_END and ends_at is not None and ends_at > clock
    return _with(subscription, replace(dates, cancel_at=ends_at if later else clock), now)


def pause(subscription: Subscription, resumes_at: datetime | None, now: datetime) -> Subscription:
    """The subscription that stands still from now on, until then or until it is resumed.

    Raises NotPausable where no time is left to keep; InvalidFields.
    """
    dates = subscription.dates.at(now)
    if access(dates, now).status not in (SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE):
        raise NotPausable
    if resumes_at is not None and resumes_at <= now:
        raise InvalidFields(errors=(FieldError("resumes_at", "This lies in the past."),))
    return _with(subscription, replace(dates, paused_at=now, resumes_at=resumes_at), now)


def wake(subscription: Subscription, periods: Sequence[PaidPeriod], now: datetime) -> Change:
    """The subscription that goes on where it stood, since its pause was over or from now on, and
    those of its periods that move with it; one without a pause stays as it is.

    `periods` in order; those that changed come back last first, so that no two overlap on the way.
    """
    dates = subscription.dates
    if dates.paused_at is None or now < dates.paused_at:
        return Change(subscription, ())
    began = dates.paused_at
    ends_at = now if dates.is_paused(now) else dates.resumes_at
    assert ends_at is not None
    away = ends_at - began
    moved = [
        replace(
            period,
            starts_at=period.starts_at + away if period.starts_at >= began else period.starts_at,
            ends_at=period.ends_at + away,
        )
        for period in reversed(periods)
        if period.ends_at > began
    ]
    return Change(_with(subscription, dates.resumed(ends_at), now), tuple(moved))


def _with(subscription: Subscription, dates: Dates, now: datetime) -> Subscription:
    return replace(subscription, dates=dates, updated_at=now)
