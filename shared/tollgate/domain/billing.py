"""Periods, computed from an anchor: 31 January, 28 February, 31 March. No drift."""

import calendar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Unit(StrEnum):
    """What an interval counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Interval:
    """How long one period is: Interval(Unit.MONTH, 3) is a quarter."""

    unit: Unit
    count: int


@dataclass(frozen=True)
class Period:
    """Paid time, from `starts_at` up to but without `ends_at`."""

    starts_at: datetime
    ends_at: datetime


def after(anchor: datetime, interval: Interval, times: int) -> datetime:
    """The instant `times` intervals after the anchor, on the anchor's day where the month has it.

    Counted from the anchor, not from the period before, so a short month shortens only itself.
    """
    steps = interval.count * times
    if interval.unit is Unit.DAY:
        return anchor + timedelta(days=steps)
    if interval.unit is Unit.WEEK:
        return anchor + timedelta(weeks=steps)
    months = steps * (12 if interval.unit is Unit.YEAR else 1)
    year, month_index = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    month = month_index + 1
    day = min(anchor.day, calendar.monthrange(year, month)[1])
    return anchor.replace(year=year, month=month, day=day)
