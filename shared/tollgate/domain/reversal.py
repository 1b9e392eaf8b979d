"""What a refund or a dispute does to the time that was paid for, and how it is undone.

A payment's time is taken out of the subscription, and what was paid for after it moves up: nobody
loses time of another payment. Time that comes back (the refund failed, the dispute was won) is
added at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollgate.domain.granting import paid_on_plan
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.subscription import Dates, Reason, Subscription


@dataclass(frozen=True)
class Reversal:
    """That a period was paid for and is not any more: why, by which rule, how much was left, and
    whether that canceled the subscription."""

    reason: Reason
    rule: RefundRule
    rest: timedelta
    cancels: bool = False


@dataclass(frozen=True)
class Worth:
    """What time costs: `minor`, in minor units of a currency, for each `seconds`."""

    minor: int
    seconds: int


@dataclass(frozen=True)
class PaidPeriod:
    """The time that a payment gave, as its row in `subscription_periods` stands.

    Of a reversed one, what was used before: nothing, when both ends are the same. `worth` is what
    its rest is worth when plans change; `plan` is the one whose time it holds since they did, else
    its payment's.
    """

    payment_id: str
    starts_at: datetime
    ends_at: datetime
    reversal: Reversal | None = None
    worth: Worth = Worth(0, 1)
    plan: str | None = None


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
    cancels = rule is RefundRule.PERIOD_END and subscription.dates.cancel_at is None
    reversed_ = replace(period, reversal=Reversal(reason, rule, timedelta(), cancels))
    if not cancels:
        return Change(subscription, (reversed_,))
    dates = replace(subscription.dates, cancel_at=subscription.dates.paid_through)
    return Change(_with_dates(subscription, dates, now), (reversed_,))


def restore(subscription: Subscription, period: PaidPeriod, plan: Plan, now: datetime) -> Change:
    """Undoes the reversal of a period that holds time of this plan: its rest follows the time that
    is paid for, or starts now."""
    reversal, dates = period.reversal, subscription.dates
    assert reversal is not None
    restored = replace(period, reversal=None)
    if reversal.cancels and dates.cancel_at == dates.paid_through:
        dates = replace(dates, cancel_at=None)
    if reversal.rest:
        starts_at = max(filter(None, (dates.paid_through, dates.trial_end, now)))
        ends_at = starts_at + reversal.rest
        restored = replace(restored, starts_at=starts_at, ends_at=ends_at)
        dates = paid_on_plan(dates, plan.code, starts_at, now)
        dates = _paid_until(dates, ends_at, ends_at + timedelta(days=plan.grace_days))
        dates = replace(dates, ended_by=None)
    elif dates.ended_by is not None and period.ends_at == dates.paid_through:
        # it had been used up, and only the grace after it was taken
        grace_until = period.ends_at + timedelta(days=plan.grace_days)
        dates = replace(dates, grace_until=grace_until, ended_by=None)
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
    moved = [
        replace(p, starts_at=p.starts_at - rest, ends_at=p.ends_at - rest) for p in later if rest
    ]
    is_last = all(p.starts_at == p.ends_at for p in later)  # what was taken out holds none
    dates = subscription.dates
    if rest or period.ends_at == dates.paid_through:
        dates = _paid_for_less(dates, rest, reason, now)
    dates = _without_change_of(dates, period, rest, now, is_last=is_last)
    return Change(_with_dates(subscription, dates, now), (taken, *moved))


def _paid_for_less(dates: Dates, rest: timedelta, reason: Reason, now: datetime) -> Dates:
    assert dates.paid_through is not None and dates.grace_until is not None
    paid_through, grace_until = dates.paid_through - rest, dates.grace_until - rest
    if dates.grace_until <= now:
        return dates  # it was over before
    if paid_through <= now:  # nothing is left, and there is no grace for what was given back
        return replace(_paid_until(dates, paid_through, paid_through), ended_by=reason)
    if paid_through == dates.trial_end:  # no paid time follows the trial any more
        return replace(_paid_until(dates, None, None), ended_by=reason)
    return _paid_until(dates, paid_through, grace_until)


def _paid_until(dates: Dates, paid_through: datetime | None, grace_until: datetime | None) -> Dates:
    """With another end of the paid time. Who canceled at the end of it, or of the trial where
    nothing is paid for, still does."""
    cancel_at = dates.cancel_at
    if cancel_at is not None and cancel_at == dates.ends_at:
        cancel_at = paid_through or dates.trial_end
    return replace(dates, paid_through=paid_through, grace_until=grace_until, cancel_at=cancel_at)


def _without_change_of(
    dates: Dates, period: PaidPeriod, rest: timedelta, now: datetime, *, is_last: bool
) -> Dates:
    """Another plan that was to begin with the period, or after it."""
    begins_at = dates.next_plan_at
    if begins_at is None or begins_at <= now or not rest:
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
