"""Whatever goes back and comes again: nobody loses time of another payment, and none is made.

The oracle is a queue: what is paid for is used up one payment after the other, a reversed one
leaves the queue with what is left of it, a restored one joins it at the end.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.granting import grant
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.reversal import Change, PaidPeriod, restore, reverse
from tollgate.domain.subscription import Dates, Reason, Subscription, access

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
NONE = timedelta()
BASIC = Plan("app_1", "basic", "pro", Interval(Unit.MONTH, 1), trial_days=7, grace_days=3)
PREMIUM = replace(BASIC, code="premium", interval=Interval(Unit.WEEK, 1))


@dataclass
class Story:
    """One client's subscription with its periods, and beside it the queue."""

    random: Random
    subscription: Subscription
    now: datetime = START
    periods: dict[str, PaidPeriod] = field(default_factory=dict)
    queue: dict[str, timedelta] = field(default_factory=dict)
    """What is left of each payment, in the order in which it is used up."""
    out: dict[str, timedelta] = field(default_factory=dict)
    """What was left of those that are reversed."""

    @property
    def dates(self) -> Dates:
        return self.subscription.dates

    def pass_time(self, span: timedelta) -> None:
        trial = max(NONE, (self.dates.trial_end or self.now) - self.now)
        self.now += span
        span -= min(span, trial)
        for payment_id in list(self.queue):
            used = min(span, self.queue[payment_id])
            self.queue[payment_id] -= used
            span -= used
            if not self.queue[payment_id]:
                del self.queue[payment_id]

    def pay(self) -> None:
        plan = self.random.choice((BASIC, BASIC, PREMIUM))
        self.subscription, period = grant(self.subscription, plan, self.now)
        payment_id = f"pay_{len(self.periods) + 1}"
        self.periods[payment_id] = PaidPeriod(payment_id, period.starts_at, period.ends_at)
        self.queue[payment_id] = period.ends_at - max(self.now, period.starts_at)

    def reverse(self, payment_id: str) -> None:
        given = self.periods[payment_id]
        later = sorted(
            (p for p in self.periods.values() if p.starts_at >= given.ends_at and p is not given),
            key=lambda p: p.starts_at,
        )
        rule = self.random.choice((RefundRule.END_NOW,) * 4 + (RefundRule.NEVER,))
        reason = self.random.choice((Reason.REFUNDED, Reason.DISPUTED))
        self._keep(reverse(self.subscription, (given, *later), reason, rule, self.now))
        if rule is RefundRule.END_NOW:
            self.out[payment_id] = self.queue.pop(payment_id, NONE)
        else:
            self.out[payment_id] = NONE

    def restore(self, payment_id: str) -> None:
        self._keep(restore(self.subscription, self.periods[payment_id], BASIC, self.now))
        rest = self.out.pop(payment_id)
        if rest:
            self.queue[payment_id] = rest

    def _keep(self, change: Change) -> None:
        self.subscription = change.subscription
        for period in change.periods:  # in this order, and no two overlap on the way
            self.periods[period.payment_id] = period
            self.check_overlap()

    def step(self) -> None:
        reversible = sorted(self.periods.keys() - self.out.keys())
        match self.random.choice(("pay", "wait", "wait", "reverse", "reverse", "restore")):
            case "pay":
                self.pay()
            case "wait":
                self.pass_time(timedelta(days=self.random.choice((0, 1, 3, 6, 7, 13, 28, 40))))
            case "reverse" if reversible:
                self.reverse(self.random.choice(reversible))
            case "restore" if self.out:
                self.restore(self.random.choice(sorted(self.out)))

    def check_overlap(self) -> None:
        held = sorted(
            (p.starts_at, p.ends_at) for p in self.periods.values() if p.starts_at != p.ends_at
        )
        assert all(start < end for start, end in held)
        assert all(end <= start for (_, end), (start, _) in pairwise(held))

    def check(self) -> None:
        dates, left = self.dates, sum(self.queue.values(), NONE)
        begins = max(self.now, dates.trial_end or self.now)
        if left:
            assert dates.paid_through == begins + left
            assert dates.grace_until == dates.paid_through + timedelta(days=3)
            assert dates.ended_by is None
            assert access(dates, self.now).active
        else:
            assert dates.paid_through is None or dates.paid_through <= self.now
        if dates.paid_through is not None:
            assert dates.grace_until is not None and dates.grace_until >= dates.paid_through
            assert dates.paid_through == max(p.ends_at for p in self.periods.values())
        if dates.ended_by is not None and begins == self.now:
            assert not access(dates, self.now).active
        for payment_id, period in self.periods.items():
            reversal = period.reversal
            assert (payment_id in self.out) is (reversal is not None)
            assert reversal is None or reversal.rest == self.out[payment_id]
            rest = max(NONE, period.ends_at - max(self.now, period.starts_at))
            assert rest == self.queue.get(payment_id, NONE)
        self.check_next_plan()

    def check_next_plan(self) -> None:
        begins_at = self.dates.next_plan_at
        if begins_at is not None and begins_at > self.now:
            starts = {p.starts_at for p in self.periods.values() if p.starts_at != p.ends_at}
            assert begins_at in starts, "a plan begins with time that was paid for"


@pytest.mark.parametrize("trial_days", [0, 7])
def test_time_is_neither_lost_nor_made(trial_days: int) -> None:
    random = Random(21 + trial_days)
    restored = 0
    for _ in range(1_200):
        trial_end = START + timedelta(days=trial_days) if trial_days else None
        dates = Dates("sub_1", "pro", "basic", trial_end=trial_end)
        story = Story(random, Subscription("app_1", "client-1", dates, False, START, START))
        for _ in range(random.randint(2, 16)):
            before = len(story.out)
            story.step()
            story.check()
            restored += len(story.out) < before
    assert restored > 300
