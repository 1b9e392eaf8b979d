"""A change of plan creates no value and loses less than a second's worth of each period."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from tollgate.domain.billing import Interval, Period, Unit
from tollgate.domain.errors import NotChangeable
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.proration import LONGEST, change_plan, left_minor, worth_of, worth_paid
from tollgate.domain.reversal import PaidPeriod, Reversal, Worth
from tollgate.domain.subscription import Dates, Reason, Subscription

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH = Interval(Unit.MONTH, 1)
GOLD = Plan("app_1", "gold", "pro", MONTH, trial_days=0, grace_days=3)
CHEAP, DEAR = Worth(1_000, 86_400), Worth(2_000, 86_400)
"""For a day."""


def subscribed(periods: Sequence[PaidPeriod]) -> Subscription:
    end = periods[-1].ends_at if periods else None
    return Subscription(
        app_id="app_1",
        client_id="client-1",
        dates=Dates(
            "sub_1", "pro", "monthly", paid_through=end, grace_until=end, next_plan="yearly"
        ),
        livemode=False,
        created_at=START,
        updated_at=START,
    )


def in_a_row(*days: int, worth: Worth = CHEAP, begins: int = 0) -> list[PaidPeriod]:
    """Periods of so many days each, one behind the other."""
    periods, starts_at = [], START + begins * DAY
    for number, length in enumerate(days):
        ends_at = starts_at + length * DAY
        periods.append(PaidPeriod(f"pay_{number}", starts_at, ends_at, worth=worth))
        starts_at = ends_at
    return periods


def value(period: PaidPeriod, now: datetime) -> Fraction:
    """What the rest of it is worth, exactly: in minor units, by nobody's rounding."""
    rest = period.ends_at - max(period.starts_at, now)
    seconds = Fraction(max(rest, timedelta()) // timedelta(microseconds=1), 1_000_000)
    return seconds * period.worth.minor / period.worth.seconds


class TestWorth:
    @pytest.mark.parametrize(
        ("interval", "starts_at", "days"),
        [
            (MONTH, START, 28),
            (MONTH, datetime(2026, 3, 1, tzinfo=UTC), 31),
            (Interval(Unit.YEAR, 1), START, 365),
            (Interval(Unit.WEEK, 2), START, 14),
            (Interval(Unit.DAY, 10), START, 10),
        ],
    )
    def test_is_for_the_time_that_is_sold(
        self, interval: Interval, starts_at: datetime, days: int
    ) -> None:
        assert worth_of(interval, 150_000, starts_at) == Worth(150_000, days * 86_400)

    @pytest.mark.parametrize(("days", "paid_minor"), [(28, 150_000), (31, 150_000), (7, 37_500)])
    def test_of_what_was_paid_is_for_all_of_its_time(self, days: int, paid_minor: int) -> None:
        """A month by its anchor, or as much of one as a part of its price bought."""
        period = Period(START, START + days * DAY)
        assert worth_paid(period, paid_minor) == Worth(paid_minor, days * 86_400)

    def test_of_what_is_left_is_rounded_down(self) -> None:
        periods = in_a_row(10, 10)
        assert left_minor(periods, START) == 20_000
        assert left_minor(periods, START + 15 * DAY) == 5_000
        assert left_minor(periods, START + timedelta(microseconds=1)) == 19_999
        assert left_minor(periods, START + 20 * DAY) == left_minor([], START) == 0


class TestChange:
    def test_to_twice_the_price_halves_the_rest(self) -> None:
        now = START + 4 * DAY
        periods = in_a_row(10, 10)
        change = change_plan(subscribed(periods), periods, GOLD, DEAR, now)
        first, second = change.periods
        assert (first.starts_at, first.ends_at) == (START, now + 3 * DAY)
        assert (second.starts_at, second.ends_at) == (now + 3 * DAY, now + 8 * DAY)
        assert {first.worth, second.worth} == {DEAR}
        assert {first.plan, second.plan} == {"gold"}
        dates = change.subscription.dates
        assert (dates.plan, dates.next_plan, dates.next_plan_at) == ("gold", None, None)
        assert dates.paid_through == now + 8 * DAY
        assert dates.grace_until == now + 11 * DAY

    def test_to_half_the_price_doubles_it_last_first(self) -> None:
        now, periods = START + 4 * DAY, in_a_row(10, 10, worth=DEAR)
        change = change_plan(subscribed(periods), periods, GOLD, CHEAP, now)
        assert [period.payment_id for period in change.periods] == ["pay_1", "pay_0"]
        assert change.subscription.dates.paid_through == now + 32 * DAY

    def test_to_the_same_price_moves_nothing(self) -> None:
        periods = in_a_row(10, 10)
        change = change_plan(subscribed(periods), periods, GOLD, CHEAP, START + 4 * DAY)
        assert list(change.periods) == [replace(period, plan="gold") for period in periods]

    def test_during_a_trial_keeps_what_is_free(self) -> None:
        """Paid time that lies behind the trial begins when it would have."""
        periods = in_a_row(10, begins=7)
        change = change_plan(subscribed(periods), periods, GOLD, DEAR, START + DAY)
        (period,) = change.periods
        assert (period.starts_at, period.ends_at) == (START + 7 * DAY, START + 12 * DAY)

    def test_of_prices_on_both_sides_lets_each_make_room(self) -> None:
        first, second = in_a_row(10, 30, worth=DEAR)
        periods = [first, replace(second, worth=Worth(500, 86_400))]
        change = change_plan(subscribed(periods), periods, GOLD, CHEAP, START)
        assert [(p.payment_id, (p.ends_at - START).days) for p in change.periods] == [
            ("pay_1", 35),
            ("pay_0", 20),
        ]

    @pytest.mark.parametrize(
        "price",
        [Worth(10_000, 1), Worth(1, LONGEST // DAY * 86_400 // 10_000 + 86_400)],
        ids=["no time", "too much"],
    )
    def test_that_no_calendar_holds_is_refused(self, price: Worth) -> None:
        end = START + 10 * DAY
        short = PaidPeriod("pay_1", end, end + timedelta(seconds=1), worth=Worth(1_000, 1))
        periods = [*in_a_row(10), short]
        with pytest.raises(NotChangeable):
            change_plan(subscribed(periods), periods, GOLD, price, START)

    def test_whose_periods_together_last_for_ages_is_refused(self) -> None:
        periods = in_a_row(*[365] * 9, worth=Worth(990, 86_400))  # 990 years each
        with pytest.raises(NotChangeable):
            change_plan(subscribed(periods), periods, GOLD, Worth(1, 86_400), START)

    @pytest.mark.parametrize("begins", [7, 17])
    def test_of_a_period_that_was_taken_back_ahead_of_its_time_leaves_it_as_it_was(
        self, begins: int
    ) -> None:
        """It holds no time any more, wherever it stands; what it held is still of its own plan."""
        back = Reversal(Reason.DISPUTED, RefundRule.END_NOW, 10 * DAY)
        at = START + begins * DAY
        empty = PaidPeriod("pay_back", at, at, back, worth=CHEAP)
        whole = in_a_row(10, worth=DEAR, begins=7)
        periods = sorted([empty, *whole], key=lambda p: (p.starts_at, p.ends_at))
        change = change_plan(subscribed(periods), periods, GOLD, CHEAP, START)
        assert change.subscription.dates.paid_through == START + 27 * DAY
        (left,) = [period for period in change.periods if period.payment_id == "pay_back"]
        assert (left.plan, left.worth, left.reversal) == (None, CHEAP, back)
        assert left.starts_at == left.ends_at


def drawn(dice: Random) -> tuple[list[PaidPeriod], datetime, Worth]:
    """Some periods in a row, an instant within the first or before it, and a price."""

    def price() -> Worth:
        minor = dice.choice((1, 99, 1_500, 150_000, 999_999_999_999))
        return Worth(minor, dice.choice((86_400, 2_419_200, 2_678_400, 31_536_000)))

    worths, starts_at = (price(), price()), START
    periods = []
    for number in range(dice.randint(1, 4)):
        worth = dice.choice(worths)
        ends_at = starts_at + timedelta(microseconds=dice.randint(1, 40 * 86_400_000_000))
        periods.append(PaidPeriod(f"pay_{number}", starts_at, ends_at, worth=worth))
        starts_at = ends_at
    length = (periods[0].ends_at - START) // timedelta(microseconds=1)
    now = START + timedelta(microseconds=dice.randint(-(10**10), length - 1))
    to = price()
    # so that it stays within the calendar
    while any(value(p, now) / to.minor * to.seconds > 10**9 for p in periods):
        to = replace(to, minor=to.minor * 1000)
    return periods, now, to


@pytest.mark.parametrize("seed", range(500))
def test_no_value_is_made_and_less_than_a_second_is_lost(seed: int) -> None:
    periods, now, price = drawn(Random(seed))
    try:
        change = change_plan(subscribed(periods), periods, GOLD, price, now)
    except NotChangeable:
        # less than what the shortest time costs is left of one, and it is gone
        assert min(value(period, now) for period in periods) < Fraction(price.minor, price.seconds)
        return
    after = {period.payment_id: period for period in change.periods}
    assert sorted(after) == [p.payment_id for p in periods]
    a_second = Fraction(price.minor, price.seconds)
    for period in periods:
        was, is_now = value(period, now), value(after[period.payment_id], now)
        assert was - a_second < is_now <= was
        assert after[period.payment_id].worth == price
    assert after["pay_0"].starts_at == periods[0].starts_at
    assert change.subscription.dates.paid_through == max(p.ends_at for p in change.periods)


@pytest.mark.parametrize("seed", range(500))
def test_no_two_periods_overlap_nor_is_there_a_gap_on_the_way(seed: int) -> None:
    periods, now, price = drawn(Random(seed))
    standing = {period.payment_id: period for period in periods}
    try:
        change = change_plan(subscribed(periods), periods, GOLD, price, now)
    except NotChangeable:
        return
    for period in change.periods:
        standing[period.payment_id] = period
        in_order = sorted(standing.values(), key=lambda p: (p.starts_at, p.ends_at))
        assert all(before.ends_at <= next_.starts_at for before, next_ in pairwise(in_order))
        assert all(p.starts_at <= p.ends_at for p in in_order)
    in_order = sorted(standing.values(), key=lambda p: (p.starts_at, p.ends_at))
    assert all(before.ends_at == next_.starts_at for before, next_ in pairwise(in_order))


@pytest.mark.parametrize("seed", range(100))
def test_going_to_and_fro_gains_nothing(seed: int) -> None:
    dice = Random(seed)
    periods = in_a_row(30, 31)
    subscription, worth = subscribed(periods), sum(value(p, START) for p in periods)
    now = START
    for turn in range(20):
        price = (DEAR, CHEAP)[turn % 2]
        now += timedelta(seconds=dice.randint(0, 100))
        before = sum(value(p, now) for p in periods)
        change = change_plan(subscription, periods, GOLD, price, now)
        subscription = change.subscription
        periods = sorted(change.periods, key=lambda p: p.starts_at)
        assert sum(value(p, now) for p in periods) <= before <= worth
