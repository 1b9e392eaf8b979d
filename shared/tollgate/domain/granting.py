"""What a choice of plan and a paid period make of a subscription."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tollgate.domain.billing import Period, after
from tollgate.domain.plan import Plan
from tollgate.domain.subscription import Dates, Subscription


@dataclass(frozen=True)
class Share:
    """`minor` of `of_minor`, both in minor units of one currency."""

    minor: int
    of_minor: int


WHOLE = Share(1, 1)


def choose_plan(subscription: Subscription, code: str, now: datetime) -> Subscription:
    """The subscription once its client chose a plan of the product: on it at once when no time is
    left, else when it is paid for. The same object when that changes nothing."""
    dates = subscription.dates
    if dates.next_plan_at is not None and dates.next_plan_at > dates.clock(now):
        return subscription  # a change that is paid for comes first
    current = dates.plan_at(now)
    if has_time_left(dates, now):
        chosen = code if code != current else None
        dates = replace(dates, plan=current, next_plan=chosen, next_plan_at=None)
    else:
        dates = replace(dates, plan=code, next_plan=None, next_plan_at=None)
    if dates == subscription.dates:
        return subscription
    return replace(subscription, dates=dates, updated_at=now)


def has_time_left(dates: Dates, now: datetime) -> bool:
    """Whether time that was paid for or granted lies ahead, also while it is paused."""
    ends = (dates.paid_through, dates.trial_end, dates.grace_until)
    return any(end is not None and dates.clock(now) < end for end in ends)


def grant(
    subscription: Subscription,
    plan: Plan,
    now: datetime,
    *,
    paid: Share = WHOLE,
    withdraws_cancellation: bool = True,
) -> tuple[Subscription, Period]:
    """The subscription, which is not paused, with one more paid period, and that period.

    A payment before the end of paid time, trial or grace extends from the old end, so no day is
    lost; a later one starts anew, at `now`. Periods are counted from a new anchor where they would
    not follow from the old one: after a gap, and for another interval. Time that was paid for keeps
    the plan it was paid for. Who paid a share of the price gets that share of the period.
    """
    assert subscription.dates.paused_at is None
    dates = subscription.dates
    starts_at = _continues_from(dates, plan, paid, now) or now
    anchor_at, granted = subscription.anchor_at, subscription.periods_since_anchor
    if anchor_at is None or after(anchor_at, plan.interval, granted) != starts_at:
        anchor_at, granted = starts_at, 0
    ends_at = _end_of_share(paid, starts_at, after(anchor_at, plan.interval, granted + 1))

    cancel_at = dates.cancel_at
    if cancel_at is not None and not withdraws_cancellation:
        cancel_at = max(cancel_at, ends_at)
    else:
        cancel_at = None  # who pays for more wants more
    extended = replace(
        paid_on_plan(dates, plan.code, starts_at, now),
        paid_through=ends_at,
        grace_until=ends_at + timedelta(days=plan.grace_days),
        cancel_at=cancel_at,
        ended_by=None,
    )
    subscription = replace(
        subscription,
        dates=extended,
        anchor_at=anchor_at,
        periods_since_anchor=granted + 1,
        updated_at=now,
    )
    return subscription, Period(starts_at, ends_at)


def _continues_from(dates: Dates, plan: Plan, paid: Share, now: datetime) -> datetime | None:
    """The end that a payment at `now` extends from; None where it starts anew."""
    old_end = dates.ends_at
    if old_end is None or now >= max(old_end, dates.grace_until or old_end):
        return None
    # a grace longer than what is paid for must not sell time that is over already
    ends_at = _end_of_share(paid, old_end, after(old_end, plan.interval, 1))
    return old_end if ends_at > now else None


def _end_of_share(paid: Share, starts_at: datetime, ends_at: datetime) -> datetime:
    """When what is paid for of this time ends."""
    if paid.minor >= paid.of_minor:
        return ends_at
    seconds = (ends_at - starts_at) // timedelta(seconds=1) * paid.minor // paid.of_minor
    return starts_at + timedelta(seconds=max(seconds, 1))


def paid_on_plan(dates: Dates, code: str, starts_at: datetime, now: datetime) -> Dates:
    """The dates once this plan is paid for from `starts_at` on.

    Of two changes that are both paid for before the first takes effect, the first gives its name.
    """
    if starts_at <= now:
        chosen = dates.next_plan if dates.next_plan_at is None else None
        return replace(
            dates, plan=code, next_plan=chosen if chosen != code else None, next_plan_at=None
        )
    current = dates.plan_at(now)
    if current != dates.plan:  # the change before has taken effect
        dates = replace(dates, plan=current, next_plan=None, next_plan_at=None)
    if code == current or dates.next_plan_at is not None:
        return dates
    return replace(dates, next_plan=code, next_plan_at=starts_at)
