"""Periods from an anchor: the anchor's day where the month has it, and no drift."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tollgate.domain.billing import Interval, Unit, after

MONTH = Interval(Unit.MONTH, 1)
YEAR = Interval(Unit.YEAR, 1)


def day(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T09:30:15.000007+00:00")


def dates_from(anchor: str, interval: Interval, times: int) -> list[str]:
    return [after(day(anchor), interval, n).date().isoformat() for n in range(times)]


def test_the_31st_shortens_in_short_months_only() -> None:
    assert dates_from("2026-01-31", MONTH, 13) == [
        "2026-01-31",
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        "2026-05-31",
        "2026-06-30",
        "2026-07-31",
        "2026-08-31",
        "2026-09-30",
        "2026-10-31",
        "2026-11-30",
        "2026-12-31",
        "2027-01-31",
    ]


@pytest.mark.parametrize(
    ("anchor", "interval", "times", "expected"),
    [
        ("2028-01-31", MONTH, 1, "2028-02-29"),
        ("2028-01-30", MONTH, 1, "2028-02-29"),
        ("2026-01-29", MONTH, 1, "2026-02-28"),
        ("2026-01-28", MONTH, 1, "2026-02-28"),
        ("2028-02-29", MONTH, 12, "2029-02-28"),
        ("2028-02-29", YEAR, 1, "2029-02-28"),
        ("2028-02-29", YEAR, 4, "2032-02-29"),
        ("2096-02-29", YEAR, 4, "2100-02-28"),
        ("1996-02-29", YEAR, 4, "2000-02-29"),
        ("2026-12-31", MONTH, 2, "2027-02-28"),
        ("2026-11-30", Interval(Unit.MONTH, 3), 1, "2027-02-28"),
        ("2026-11-30", Interval(Unit.MONTH, 3), 2, "2027-05-30"),
        ("2026-12-15", MONTH, 1, "2027-01-15"),
        ("2026-01-31", Interval(Unit.DAY, 1), 31, "2026-03-03"),
        ("2026-01-31", Interval(Unit.DAY, 30), 2, "2026-04-01"),
        ("2028-02-22", Interval(Unit.WEEK, 1), 1, "2028-02-29"),
        ("2026-01-31", Interval(Unit.WEEK, 2), 3, "2026-03-14"),
    ],
)
def test_counts_from_the_anchor(anchor: str, interval: Interval, times: int, expected: str) -> None:
    assert after(day(anchor), interval, times) == day(expected)


def random_anchor(random: Random) -> datetime:
    first = datetime(2020, 1, 1, tzinfo=UTC)
    if random.random() < 0.5:  # the days that months do not all have
        first = first.replace(
            year=random.randint(2020, 2032), month=random.choice([1, 3, 5, 7, 8, 10, 12])
        )
        return first + timedelta(days=random.randint(27, 30), seconds=random.randrange(86_400))
    return first + timedelta(microseconds=random.randrange(12 * 365 * 86_400_000_000))


def length_of_month(year: int, month: int) -> int:
    """Counted on a calendar, day by day."""
    instant, days = datetime(year, month, 1, tzinfo=UTC), 0
    while instant.month == month:
        instant, days = instant + timedelta(days=1), days + 1
    return days


def test_months_never_drift() -> None:
    random = Random(31)
    for _ in range(1500):
        anchor, count, times = random_anchor(random), random.randint(1, 13), random.randint(0, 60)
        end = after(anchor, Interval(Unit.MONTH, count), times)
        months = (end.year - anchor.year) * 12 + end.month - anchor.month
        assert months == count * times
        assert end.day == min(anchor.day, length_of_month(end.year, end.month))
        assert end.timetz() == anchor.timetz()


def test_intervals_agree_with_each_other() -> None:
    random = Random(32)
    for _ in range(1500):
        anchor, count, times = random_anchor(random), random.randint(1, 13), random.randint(0, 40)
        months = after(anchor, MONTH, count * times)
        assert after(anchor, Interval(Unit.MONTH, count), times) == months
        assert after(anchor, Interval(Unit.YEAR, count), times) == after(
            anchor, Interval(Unit.MONTH, 12 * count), times
        )
        weeks, days = Interval(Unit.WEEK, count), Interval(Unit.DAY, 7 * count)
        assert after(anchor, weeks, times) == after(anchor, days, times)
        assert after(anchor, days, times) - anchor == timedelta(days=7 * count * times)


@pytest.mark.parametrize("unit", Unit)
def test_periods_follow_each_other(unit: Unit) -> None:
    random = Random(33)
    for _ in range(300):
        anchor, interval = random_anchor(random), Interval(unit, random.randint(1, 3))
        ends = [after(anchor, interval, times) for times in range(30)]
        assert ends[0] == anchor
        assert ends == sorted(set(ends))
