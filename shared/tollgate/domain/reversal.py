"""What a refund or a dispute does to the time that was paid for, and how it is undone.

A payment's time is taken out of the subscription, and what was paid for after it moves up: nobody
loses time of another payment. Time that comes back (the refund failed, the dispute was won) is
added at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollgate.domain.subscription import Dates, Reason, RefundRule, Subscription


@dataclass(frozen=True)
class Reversal:
    """That a period was paid for and is not any more: why, by which rule, and how much was left."""

    reason: Reason
    rule: RefundRule
    rest: timedelta


@dataclass(frozen=True)
class PaidPeriod:
    """The time that a payment gave, as its row in `subscription_periods` stands.

    Of a reversed one, what was used before: nothing, when both ends are the same.
    """

    payment_id: str
    starts_at: datetime
    ends_at: datetime
    reversal: Reversal | None = None


@dataclass(frozen=True)
class Change:
    """A subscription and its periods after a reversal or its undoing; only changed periods."""

    subscription: Subscription
    periods: tuple[PaidPeriod, ...]


def reverse(
    subscription: Subscription,
    periods: Sequence[PaidPeriod],
    reason: Reason,
    rule: RefundRule,
    now: datetime,
) -> Change:
    """Applies the rule to the first of these periods, which was not reversed before; the others
    are those that follow it."""
    period, *later = periods
    if rule is RefundRule.END_NOW:
        return _take_out(subscription, period, later, reason, now)
    reversed_ = replace(period, reversal=Reversal(reason, rule, timedelta()))
    dates = subscription.dates
    if rule is RefundRule.PERIOD_END and dates.cancel_at is None:
        dates = replace(dates, cancel_at=dates.paid_through)
    return Change(_with_dates(subscription, dates, now), (reversed_,))


def restore(
    subscription: Subscription, period: PaidPeriod, grace: timedelta, now: datetime
) -> Change:
    """Undoes the reversal of a period: its rest follows the time that is paid for, or starts now.

    `grace` is what the plan gives after paid time.
    """
    reversal, dates = period.reversal, subscription.dates
    assert reversal is not None
    restored = replace(period, reversal=None)
    if reversal.rule is RefundRule.PERIOD_END and dates.cancel_at == dates.paid_through:
        dates = replace(dates, cancel_at=None)
    if reversal.rest:
        ends = filter(None, (dates.paid_through, dates.trial_end, now))
        starts_at = max(ends)
        ends_at = starts_at + reversal.rest
        restored = replace(restored, starts_at=starts_at, ends_at=ends_at)
        dates = replace(dates, paid_through=ends_at, grace_until=ends_at + grace, ended_by=None)
    return Change(_with_dates(subscription, dates, now), (restored,))


def _take_out(
    subscription: Subscription,
    period: PaidPeriod,
    later: Sequence[PaidPeriod],
    reason: Reason,
    now: datetime,
) -> Change:
    used_until = min(max(now, period.starts_at), period.ends_at)
    rest = period.ends_at - used_until
    taken = replace(period, ends_at=used_until, reversal=Reversal(reason, RefundRule.END_NOW, rest))
    moved = [replace(p, starts_at=p.starts_at - rest, ends_at=p.ends_at - rest) for p in later]
    if not rest:
        return Change(subscription, (taken,))
    is_last = all(p.starts_at == p.ends_at for p in later)  # those that are reversed hold no time
    dates = _paid_for_less(subscription.dates, rest, reason, now)
    dates = _without_change_of(dates, period, rest, now, is_last=is_last)
    return Change(_with_dates(subscription, dates, now), (taken, *moved))


def _paid_for_less(dates: Dates, rest: timedelta, reason: Reason, now: datetime) -> Dates:
    assert dates.paid_through is not None and dates.grace_until is not None
    paid_through = dates.paid_through - rest
    if paid_through <= now:  # nothing is left, and there is no grace for what was given back
        return replace(dates, paid_through=paid_through, grace_until=paid_through, ended_by=reason)
    if paid_through == dates.trial_end:  # no paid time follows the trial any more
        return replace(dates, paid_through=None, grace_until=None, ended_by=reason)
    return replace(dates, paid_through=paid_through, grace_until=dates.grace_until - rest)


def _without_change_of(
    dates: Dates, period: PaidPeriod, rest: timedelta, now: datetime, *, is_last: bool
) -> Dates:
    """Another plan that was to begin with the period, or after it."""
    begins_at = dates.next_plan_at
    if begins_at is None or begins_at <= now:
        return dates
    if begins_at >= period.ends_at:
        return replace(dates, next_plan_at=begins_at - rest)
    if begins_at == period.starts_at and is_last:
        return replace(dates, next_plan=None, next_plan_at=None)
    return dates


def _with_dates(subscription: Subscription, dates: Dates, now: datetime) -> Subscription:
    if dates == subscription.dates:
        return subscription
    return replace(subscription, dates=dates, updated_at=now)
