"""An end, a pause and their undoing: what each wish does to the dates, and what it never does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.errors import AlreadyCanceled, InvalidFields, NotCanceled, NotPausable
from tollgate.domain.granting import grant
from tollgate.domain.lifecycle import CancelAt, cancel, pause, wake
from tollgate.domain.plan import Plan
from tollgate.domain.reversal import PaidPeriod
from tollgate.domain.subscription import Dates, Subscription, SubscriptionStatus, access

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)
PLAN = Plan("app_1", "monthly", "pro", Interval(Unit.MONTH, 1), trial_days=0, grace_days=3)

Status = SubscriptionStatus


def fresh(**dates: Any) -> Subscription:
    return Subscription(
        app_id="app_1",
        client_id="client-1",
        dates=Dates("sub_1", "pro", "monthly", **dates),
        livemode=False,
        created_at=START,
        updated_at=START,
    )


def paid() -> Subscription:
    """From 31 January to 28 February, with grace until 3 March."""
    return grant(fresh(), PLAN, START)[0]


def trying() -> Subscription:
    return fresh(trial_end=START + 7 * DAY)


def status(subscription: Subscription, now: datetime) -> SubscriptionStatus:
    told = access(subscription.dates, now).status
    assert told is not None
    return told


class TestCancel:
    @pytest.mark.parametrize(
        ("subscription", "at", "days", "expected"),
        [
            (paid(), CancelAt.PERIOD_END, 5, START + 28 * DAY),
            (paid(), CancelAt.NOW, 5, START + 5 * DAY),
            (trying(), CancelAt.PERIOD_END, 2, START + 7 * DAY),
            (trying(), CancelAt.NOW, 2, START + 2 * DAY),
            # without paid or free time left it ends at once
            (paid(), CancelAt.PERIOD_END, 29, START + 29 * DAY),
            (paid(), CancelAt.PERIOD_END, 40, START + 40 * DAY),
            (fresh(), CancelAt.PERIOD_END, 1, START + DAY),
            (paid(), CancelAt.PERIOD_END, 28, START + 28 * DAY),
        ],
    )
    def test_ends_it_then(
        self, subscription: Subscription, at: CancelAt, days: int, expected: datetime
    ) -> None:
        now = START + days * DAY
        canceled = cancel(subscription, at, now)
        assert canceled.dates == replace(subscription.dates, cancel_at=expected)
        assert canceled.updated_at == now
        assert status(canceled, expected) is Status.CANCELED
        if expected > now:
            assert access(canceled.dates, expected - TICK).active

    def test_now_is_sooner_than_at_the_end(self) -> None:
        ends = cancel(paid(), CancelAt.PERIOD_END, START)
        assert cancel(ends, CancelAt.NOW, START + DAY).dates.cancel_at == START + DAY

    @pytest.mark.parametrize("at", [CancelAt.PERIOD_END, CancelAt.NOW])
    def test_twice_is_refused(self, at: CancelAt) -> None:
        over = cancel(paid(), CancelAt.NOW, START)
        with pytest.raises(AlreadyCanceled):
            cancel(over, at, START + DAY)

    def test_at_the_end_twice_is_refused(self) -> None:
        with pytest.raises(AlreadyCanceled):
            cancel(cancel(paid(), CancelAt.PERIOD_END, START), CancelAt.PERIOD_END, START + DAY)

    def test_is_taken_back_before_the_end_alone(self) -> None:
        ends = cancel(paid(), CancelAt.PERIOD_END, START)
        back = cancel(ends, CancelAt.NEVER, START + 28 * DAY - TICK)
        assert back.dates == paid().dates
        for gone in (paid(), cancel(paid(), CancelAt.NOW, START)):
            with pytest.raises(NotCanceled):
                cancel(gone, CancelAt.NEVER, START)
        with pytest.raises(NotCanceled):
            cancel(ends, CancelAt.NEVER, START + 28 * DAY)

    def test_of_a_paused_one_keeps_its_time_till_the_end(self) -> None:
        paused = pause(paid(), None, START + 8 * DAY)
        ends = cancel(paused, CancelAt.PERIOD_END, START + 50 * DAY)
        assert status(ends, START + 60 * DAY) is Status.PAUSED
        woken = wake(ends, (), START + 60 * DAY).subscription
        assert woken.dates.cancel_at == woken.dates.paid_through == START + 80 * DAY
        assert access(woken.dates, START + 80 * DAY - TICK).active
        assert status(woken, START + 80 * DAY) is Status.CANCELED

    def test_of_a_paused_one_now_is_now(self) -> None:
        paused = pause(paid(), None, START + 8 * DAY)
        over = cancel(paused, CancelAt.NOW, START + 50 * DAY)
        assert status(over, START + 50 * DAY) is Status.CANCELED


class TestPause:
    @pytest.mark.parametrize("subscription", [paid(), trying()])
    def test_takes_access_at_once(self, subscription: Subscription) -> None:
        now = START + 2 * DAY
        paused = pause(subscription, None, now)
        assert (paused.dates.paused_at, paused.dates.resumes_at) == (now, None)
        for later in (timedelta(), DAY, 1000 * DAY):
            assert status(paused, now + later) is Status.PAUSED
        assert access(paused.dates, now - TICK).active

    @pytest.mark.parametrize(
        ("subscription", "days"),
        [
            (fresh(), 0),
            (paid(), 28),  # in grace
            (paid(), 31),
            (trying(), 7),
            (cancel(paid(), CancelAt.NOW, START), 1),
            (pause(paid(), None, START), 1),
        ],
    )
    def test_without_time_to_keep_is_refused(self, subscription: Subscription, days: int) -> None:
        with pytest.raises(NotPausable):
            pause(subscription, None, START + days * DAY)

    @pytest.mark.parametrize("back", [timedelta(), TICK, 400 * DAY])
    def test_until_the_past_is_refused(self, back: timedelta) -> None:
        now = START + DAY
        with pytest.raises(InvalidFields) as caught:
            pause(paid(), now - back, now)
        assert [error.path for error in caught.value.errors] == ["resumes_at"]

    def test_again_after_one_that_is_over_counts_both(self) -> None:
        first = pause(paid(), START + 3 * DAY, START + DAY)  # two days
        again = pause(first, None, START + 10 * DAY)
        assert again.dates.paid_through == START + 30 * DAY
        woken = wake(again, (), START + 15 * DAY).subscription
        assert woken.dates.paid_through == START + 35 * DAY


class TestWake:
    def test_without_a_pause_changes_nothing(self) -> None:
        subscription = paid()
        assert wake(subscription, (), START + DAY).subscription is subscription

    def test_ends_when_it_was_over_and_not_later(self) -> None:
        paused = pause(paid(), START + 3 * DAY, START + DAY)
        woken = wake(paused, (), START + 20 * DAY).subscription
        assert woken.dates == paused.dates.at(START + 20 * DAY)
        assert woken.dates.paid_through == START + 30 * DAY

    def test_by_hand_ends_now(self) -> None:
        paused = pause(paid(), START + 30 * DAY, START + DAY)
        woken = wake(paused, (), START + 4 * DAY).subscription
        assert woken.dates.paid_through == START + 31 * DAY
        assert (woken.dates.paused_at, woken.dates.resumes_at) == (None, None)

    def test_moves_the_periods_that_had_time_left_last_first(self) -> None:
        def period(number: int, first: int, last: int) -> PaidPeriod:
            return PaidPeriod(f"pay_{number}", START + first * DAY, START + last * DAY)

        periods = [period(1, 0, 10), period(2, 10, 20), period(3, 20, 30)]
        subscription = fresh(
            paid_through=START + 30 * DAY,
            grace_until=START + 33 * DAY,
            paused_at=START + 12 * DAY,
        )
        moved = wake(subscription, periods, START + 17 * DAY)
        assert list(moved.periods) == [period(3, 25, 35), period(2, 10, 25)]
        assert moved.subscription.dates.grace_until == START + 38 * DAY


@pytest.mark.parametrize("seed", range(200))
def test_pauses_move_the_rest_by_exactly_as_long_as_they_last(seed: int) -> None:
    """Against a count of its own: each pause is from `began` to `until`, or to the wish."""
    dice, now, away = Random(seed), START, timedelta()
    before = subscription = grant(paid(), PLAN, START)[0]
    for _ in range(dice.randint(1, 6)):
        began = now + timedelta(seconds=dice.randint(0, 40_000))
        until = began + timedelta(seconds=dice.randint(1, 40_000)) if dice.random() < 0.5 else None
        now = began + timedelta(seconds=dice.randint(1, 40_000))
        if until is not None and dice.random() < 0.5:
            now = max(now, until)  # nobody writes it down: the next pause does
            subscription = pause(subscription, until, began)
        else:
            subscription = wake(pause(subscription, until, began), (), now).subscription
        away += min(now, until or now) - began
    after = wake(subscription, (), now).subscription.dates
    assert before.dates.paid_through is not None and before.dates.grace_until is not None
    assert after == replace(
        before.dates,
        paid_through=before.dates.paid_through + away,
        grace_until=before.dates.grace_until + away,
    )


@pytest.mark.parametrize("seed", range(100))
def test_a_pause_that_is_over_is_the_same_whether_or_not_it_was_written_down(seed: int) -> None:
    """No timer needs to run for an answer to be right."""
    dice = Random(seed)
    subscription = grant(paid(), PLAN, START)[0]
    began = START + dice.randint(0, 50) * DAY
    over = began + timedelta(hours=dice.randint(1, 900))
    if dice.random() < 0.3:
        subscription = cancel(subscription, CancelAt.PERIOD_END, START)
    if dice.random() < 0.5:
        dates = replace(subscription.dates, next_plan="yearly", next_plan_at=START + 28 * DAY)
        subscription = replace(subscription, dates=dates)
    paused = pause(subscription, over, began)
    written = wake(paused, (), over).subscription
    for hours in range(0, 3000, 7):
        now = over + timedelta(hours=hours)
        told, kept = access(paused.dates, now), access(written.dates, now)
        assert (told, paused.dates.plan_at(now)) == (kept, written.dates.plan_at(now))


def test_what_a_client_gets_in_all_is_what_was_paid_for() -> None:
    """Access, watched each hour through three pauses, lasts as long as the period."""
    subscription, period = grant(fresh(), replace(PLAN, grace_days=0), START)
    told = [(5, 9), (12, 12.5), (20, 50)]
    for began, over in told:
        subscription = pause(subscription, START + over * DAY, START + began * DAY)
    hours = [START + 20 * DAY + timedelta(hours=hour) for hour in range(24 * 80)]
    active = sum(access(subscription.dates, hour).active for hour in hours)
    used = 20 - sum(over - began for began, over in told[:2])
    assert timedelta(hours=active) == period.ends_at - period.starts_at - timedelta(days=used)
