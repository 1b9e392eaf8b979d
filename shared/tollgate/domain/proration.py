"""A change of plan before the paid time ends: its rest buys time of the other plan.

Money always buys its time: what is left of each period is worth what was paid for it, and is turned
into as much of the other plan as that costs today. No money moves, and none is owed.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tollgate.domain.billing import Interval, Period, after
from tollgate.domain.errors import NotChangeable
from tollgate.domain.plan import Plan
from tollgate.domain.reversal import Change, PaidPeriod, Worth
from tollgate.domain.subscription import Subscription

LONGEST = timedelta(days=365_250)
"""A thousand years: the calendar of the language ends not much later."""
_MICROSECOND, _SECOND = timedelta(microseconds=1), timedelta(seconds=1)


def worth_paid(period: Period, paid_minor: int) -> Worth:
    """What was paid for a period, for all of it: months by an anchor have 28 to 31 days, and who
    paid a part has a shorter one."""
    return Worth(max(paid_minor, 1), max((period.ends_at - period.starts_at) // _SECOND, 1))


def worth_of(interval: Interval, amount_minor: int, starts_at: datetime) -> Worth:
    """What time costs that is sold by this interval for this amount, from this instant on."""
    length = after(starts_at, interval, 1) - starts_at
    return Worth(amount_minor, length // _SECOND)


def left_minor(periods: Sequence[PaidPeriod], clock: datetime) -> int:
    """What the rest of these periods is worth at `clock`, in minor units, rounded down."""
    return sum(
        _rest(period, clock) // _SECOND * period.worth.minor // period.worth.seconds
        for period in periods
    )


def change_plan(
    subscription: Subscription,
    periods: Sequence[PaidPeriod],
    plan: Plan,
    price: Worth,
    now: datetime,
) -> Change:
    """The subscription on another plan from now on, and its periods with as much time as their
    rest buys at this price, to the second; in an order in which no two overlap on the way.

    `periods`, in order, are those that end after now, all paid for in the currency of `price`. What
    was taken back of one keeps its plan and its worth. Raises NotChangeable where a rest would buy
    no time, or time without an end.
    """
    dates = replace(subscription.dates, plan=plan.code, next_plan=None, next_plan_at=None)
    changed: list[PaidPeriod] = []
    moved_to: datetime | None = None
    for period in periods:
        begins_at = max(period.starts_at, now)
        if moved_to is not None and period.starts_at > now:
            begins_at = moved_to
        changed.append(_converted(period, begins_at, plan, price, now))
        moved_to = changed[-1].ends_at
    if moved_to is not None:
        dates = replace(
            dates,
            paid_through=moved_to,
            grace_until=moved_to + timedelta(days=plan.grace_days),
        )
    after_it = replace(subscription, dates=dates, updated_at=now)
    return Change(after_it, _in_order(periods, changed))


def _converted(
    period: PaidPeriod, begins_at: datetime, plan: Plan, price: Worth, now: datetime
) -> PaidPeriod:
    """The period with its rest, which begins then, turned into time of this plan."""
    starts_at = period.starts_at if period.starts_at <= now else begins_at
    if period.starts_at == period.ends_at:  # it was taken back before it began
        return replace(period, starts_at=starts_at, ends_at=starts_at)
    ends_at = begins_at + _bought(period, begins_at, price, now)
    return replace(period, starts_at=starts_at, ends_at=ends_at, plan=plan.code, worth=price)


def _bought(period: PaidPeriod, begins_at: datetime, price: Worth, now: datetime) -> timedelta:
    """How much time, from then on, the rest of this period buys at this price."""
    left = _rest(period, now) // _MICROSECOND * period.worth.minor * price.seconds
    seconds = left // (period.worth.seconds * price.minor * 1_000_000)
    if seconds == 0:
        raise NotChangeable("What is left buys no time of it. Use proration: none.")
    if seconds > (LONGEST - (begins_at - now)) // _SECOND:
        raise NotChangeable("What is left would last for ages. Use proration: none.")
    return timedelta(seconds=seconds)


def _rest(period: PaidPeriod, clock: datetime) -> timedelta:
    return max(period.ends_at - max(period.starts_at, clock), timedelta())


def _in_order(
    before: Sequence[PaidPeriod], changed: Sequence[PaidPeriod]
) -> tuple[PaidPeriod, ...]:
    """First to last; but a period that begins later than it did makes room for the one ahead."""
    in_order: list[PaidPeriod] = []
    row: list[PaidPeriod] = []
    for was, period in zip(before, changed, strict=True):
        if period.starts_at <= was.starts_at:
            in_order += reversed(row)
            row = []
        row.append(period)
    return (*in_order, *reversed(row))
