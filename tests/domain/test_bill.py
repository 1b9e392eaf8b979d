"""When a bill is asked for: on the days of its schedule, each once, and then no more."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest

from tollgate.domain.bill import change_closing, closing, first_step, next_step, steps
from tollgate.domain.billing import Interval, Unit
from tollgate.domain.plan import Plan

DUE = datetime(2026, 2, 28, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN = Plan("app_1", "monthly", "pro", Interval(Unit.MONTH, 1), trial_days=0, grace_days=3)


def at(*days: float) -> tuple[datetime, ...]:
    return tuple(DUE + day * DAY for day in days)


@pytest.mark.parametrize(
    ("dunning", "grace", "asked", "closes"),
    [
        ((1, 3, 5, 7), 0, (-1, 1, 3, 5, 7), 8),
        ((1, 3, 5, 7), 30, (-1, 1, 3, 5, 7), 30),
        ((), 0, (-1,), 1),
        ((), 5, (-1,), 5),
        ((0,), 0, (-1, 0), 1),
        ((7, 1), 0, (-1, 7, 1), 8),
        ((60,), 0, (-1, 60), 61),
    ],
)
def test_is_asked_a_day_ahead_and_on_the_plans_days(
    dunning: tuple[int, ...], grace: int, asked: tuple[int, ...], closes: int
) -> None:
    plan = replace(PLAN, dunning_days=dunning, grace_days=grace)
    assert steps(plan, DUE) == at(*asked)
    assert closing(plan, DUE) == DUE + closes * DAY


@pytest.mark.parametrize(
    ("now", "expected"), [(-3, -1), (-1, 1), (-0.5, 1), (0, 1), (1, 3), (4, 5), (7, 8), (7.5, 8)]
)
def test_the_next_step_lies_ahead_and_the_last_is_its_end(now: float, expected: int) -> None:
    closes_at = closing(PLAN, DUE)
    assert next_step(steps(PLAN, DUE), closes_at, *at(now)) == DUE + expected * DAY


@pytest.mark.parametrize(("hours_left", "stands_for"), [(720, 23), (23, 23), (22.5, 22.5), (0, 0)])
def test_a_change_is_asked_for_while_there_is_something_to_change(
    hours_left: float, stands_for: float
) -> None:
    paid_through = DUE + timedelta(hours=hours_left)
    assert change_closing(paid_through, DUE) == DUE + timedelta(hours=stands_for)


@pytest.mark.parametrize(("now", "expected"), [(-3, -1), (-1, -1), (-0.5, -0.5), (5, 5)])
def test_the_first_step_of_a_late_one_is_at_once(now: float, expected: float) -> None:
    (opened,) = at(now)
    assert first_step(steps(PLAN, DUE), opened) == DUE + expected * DAY


@pytest.mark.parametrize("seed", range(300))
def test_a_timer_that_comes_when_it_likes_asks_each_step_at_most_once(seed: int) -> None:
    """It walks to the end: what it missed is made up for once, and nothing is asked for after."""
    dice = Random(seed)
    plan = replace(
        PLAN,
        grace_days=dice.randint(0, 20),
        dunning_days=tuple(dice.choices(range(61), k=dice.randint(0, 10))),
    )
    hours = timedelta(hours=dice.randint(-12, 12))  # the hour that a client chose
    asked, closes_at = [step + hours for step in steps(plan, DUE)], closing(plan, DUE)
    now = DUE + timedelta(hours=dice.randint(-72, 48))
    due, walked = first_step(asked, now), []
    while due < closes_at:
        now = max(due, now) + timedelta(minutes=dice.choice((0, 1, 60, 60 * 24 * 3)))
        if now >= closes_at:
            break
        missed = {step for step in asked if due <= step <= now}
        walked.append(now)
        due = next_step(asked, closes_at, now)
        assert due > now
        assert not missed & {due}
        assert not [step for step in asked if now < step < due and step < closes_at]
    assert all(earlier < later for earlier, later in pairwise(walked))
    assert len(walked) <= len(set(asked))
    assert next_step(asked, closes_at, closes_at - timedelta(microseconds=1)) == closes_at
