"""Whatever is paid, changed, paused and taken back: what is left is worth what was paid for it.

The law that holds after each step, in exact fractions: what is left, what was used, what is taken
back and what was rounded away are together what was paid.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.errors import NotChangeable, NotPausable
from tollgate.domain.granting import Share, grant
from tollgate.domain.lifecycle import pause, wake
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.proration import change_plan, worth_of, worth_paid
from tollgate.domain.reversal import Change, PaidPeriod, restore, reverse
from tollgate.domain.subscription import Dates, Reason, Subscription

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
PRICES = {
    Plan("app_1", "monthly", "pro", Interval(Unit.MONTH, 1), 0, 3): 150_000,
    Plan("app_1", "gold", "pro", Interval(Unit.MONTH, 1), 0, 0): 300_001,
    Plan("app_1", "weekly", "pro", Interval(Unit.WEEK, 1), 0, 1): 999,
    Plan("app_1", "yearly", "pro", Interval(Unit.YEAR, 1), 0, 7): 1_000_000,
}
PLANS = {plan.code: plan for plan in PRICES}


def value(period: PaidPeriod, clock: datetime) -> Fraction:
    """What the rest of it is worth, in minor units."""
    rest = max(period.ends_at - max(period.starts_at, clock), timedelta())
    return _exact(rest) * period.worth.minor / period.worth.seconds


def _exact(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 1_000_000)


@dataclass
class Story:
    """One client's subscription, and the purse beside it."""

    dice: Random
    now: datetime = START
    periods: dict[str, PaidPeriod] = field(default_factory=dict)
    bought: dict[str, str] = field(default_factory=dict)
    """The plan that each payment was for."""
    paid: Fraction = Fraction()
    used: Fraction = Fraction()
    rounded: Fraction = Fraction()

    def __post_init__(self) -> None:
        dates = Dates("sub_1", "pro", "monthly")
        self.subscription = Subscription("app_1", "client-1", dates, False, START, START)

    @property
    def clock(self) -> datetime:
        return self.subscription.dates.clock(self.now)

    @property
    def left(self) -> Fraction:
        return sum((value(p, self.clock) for p in self.periods.values()), Fraction())

    @property
    def taken(self) -> Fraction:
        return sum(
            (
                _exact(p.reversal.rest) * p.worth.minor / p.worth.seconds
                for p in self.periods.values()
                if p.reversal
            ),
            Fraction(),
        )

    def wait(self) -> None:
        before, resumes_at = self.left, self.subscription.dates.resumes_at
        self.now += timedelta(seconds=self.dice.choice((1, 3_600, 86_400, 700_000, 2_000_001)))
        self.now += timedelta(microseconds=self.dice.randrange(1_000_000))
        if resumes_at is not None and resumes_at <= self.now:
            self._wake()
        self.used += before - self.left

    def pay(self) -> None:
        self._wake()
        plan, price = self.dice.choice(list(PRICES.items()))
        minor = self.dice.choice((price, price, price, price + 1, price // 3, 1))
        before, share = self.left, Share(minor, price)
        self.subscription, given = grant(self.subscription, plan, self.now, paid=share)
        payment_id, bought = f"pay_{len(self.periods)}", min(minor, price)
        self.bought[payment_id] = plan.code
        self.periods[payment_id] = PaidPeriod(
            payment_id, given.starts_at, given.ends_at, worth=worth_paid(given, bought)
        )
        self.paid += bought
        self.used += bought - (self.left - before)  # who pays in grace has used some of it

    def change(self) -> None:
        """By credit, as operations/plan_changes.py lets it."""
        dates, now = self.subscription.dates, self.now
        ahead = dates.next_plan_at is not None and dates.next_plan_at > now
        if dates.paused_at or ahead or not self.left:
            return
        plan, price = self.dice.choice(list(PRICES.items()))
        worth, before = worth_of(plan.interval, price, now), self.left
        left = sorted(
            (p for p in self.periods.values() if p.ends_at > now),
            key=lambda p: (p.starts_at, p.ends_at),
        )
        with suppress(NotChangeable):
            self._keep(change_plan(self.subscription, left, plan, worth, now))
        lost = before - self.left
        assert 0 <= lost < Fraction(worth.minor, worth.seconds) * len(left)
        self.rounded += lost

    def take_back(self) -> None:
        there = [p for p in self.periods.values() if p.reversal is None]
        if not there:
            return
        first = self.dice.choice(there)
        later = sorted(
            (p for p in self.periods.values() if p.starts_at >= first.ends_at and p is not first),
            key=lambda p: p.starts_at,
        )
        self._keep(
            reverse(
                self.subscription,
                (first, *later),
                Reason.DISPUTED,
                RefundRule.END_NOW,
                self.clock,
            )
        )

    def bring_back(self) -> None:
        away = [p for p in self.periods.values() if p.reversal is not None]
        if away:
            period = self.dice.choice(away)
            plan = PLANS[period.plan or self.bought[period.payment_id]]
            self._keep(restore(self.subscription, period, plan, self.clock))

    def pause(self) -> None:
        until = self.now + timedelta(days=self.dice.randint(1, 40))
        with suppress(NotPausable):
            resumes_at = self.dice.choice((until, None))
            self.subscription = pause(self.subscription, resumes_at, self.now)

    def resume(self) -> None:
        self._wake()

    def _wake(self) -> None:
        in_order = sorted(self.periods.values(), key=lambda p: p.starts_at)
        self._keep(wake(self.subscription, in_order, self.now))

    def _keep(self, change: Change) -> None:
        self.subscription = change.subscription
        for period in change.periods:
            self.periods[period.payment_id] = period


STEPS: tuple[Callable[[Story], None], ...] = (
    *(Story.wait,) * 4,
    *(Story.pay,) * 2,
    *(Story.change,) * 3,
    Story.take_back,
    Story.bring_back,
    Story.pause,
    Story.resume,
)


@pytest.mark.parametrize("seed", range(400))
def test_no_value_is_made_and_none_is_lost(seed: int) -> None:
    story = Story(Random(seed))
    for number in range(40):
        step = story.dice.choice(STEPS)
        step(story)
        whole = story.left + story.used + story.taken + story.rounded
        assert whole == story.paid, (number, step.__name__)
        in_order = sorted(story.periods.values(), key=lambda p: (p.starts_at, p.ends_at))
        held = [p for p in in_order if p.starts_at < p.ends_at]
        assert all(p.ends_at <= later.starts_at for p, later in pairwise(held))
        if story.left:
            assert story.subscription.dates.paid_through == held[-1].ends_at


def test_a_dispute_that_is_won_brings_back_time_of_the_plan_it_was_turned_into() -> None:
    story = Story(Random(0))
    monthly, gold = PLANS["monthly"], PLANS["gold"]
    story.subscription, given = grant(story.subscription, monthly, START)
    period = PaidPeriod("pay_0", given.starts_at, given.ends_at, worth=worth_paid(given, 150_000))
    story.bought["pay_0"] = "monthly"
    price = worth_of(gold.interval, 300_001, START)
    story._keep(change_plan(story.subscription, [period], gold, price, START))
    before = story.subscription
    story.take_back()
    assert story.subscription.dates.paid_through == START
    story.bring_back()
    assert story.subscription.dates == before.dates
    assert story.periods["pay_0"].worth == price
