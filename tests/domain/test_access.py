"""Whether dates give access at an instant, and why. At an end it is over."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tollgate.domain.subscription import (
    NEVER_SUBSCRIBED,
    Dates,
    Reason,
    SubscriptionStatus,
    access,
    best_access,
)

TICK = timedelta(microseconds=1)


def at(days: float) -> datetime:
    return datetime(2026, 1, 31, 9, tzinfo=UTC) + timedelta(days=days)


def dates(**ends: float) -> Dates:
    """Dates by their distance in days, such as dates(paid_through=30)."""
    instants: dict[str, Any] = {name: at(days) for name, days in ends.items()}
    return Dates("sub_1", "pro", "monthly", **instants)


PAID = dates(paid_through=30, grace_until=30)
PAID_WITH_GRACE = dates(paid_through=30, grace_until=33)
TRIAL = dates(trial_end=7)
TRIAL_THEN_PAID = dates(trial_end=7, paid_through=38, grace_until=41)
CANCELED_AT_END = dates(paid_through=30, grace_until=33, cancel_at=30)
CANCELED_EARLY = dates(paid_through=30, grace_until=33, cancel_at=10)
CANCELED_TRIAL = dates(trial_end=7, cancel_at=3)
CANCELED_IN_GRACE = dates(paid_through=30, grace_until=33, cancel_at=31)
PAUSED = dates(paid_through=30, grace_until=33, paused_at=10)
PAUSED_THEN_CANCELED = dates(paid_through=30, grace_until=33, paused_at=10, cancel_at=20)
PAUSED_FOR_A_WHILE = dates(paid_through=30, grace_until=33, paused_at=10, resumes_at=15)
LEAVING_AFTER_A_PAUSE = dates(
    paid_through=30, grace_until=33, paused_at=10, resumes_at=15, cancel_at=20
)
PAUSED_TRIAL = dates(trial_end=7, paused_at=2)

INCOMPLETE = (SubscriptionStatus.INCOMPLETE, Reason.NEVER_SUBSCRIBED)
TRIALING = (SubscriptionStatus.TRIALING, Reason.TRIAL)
ACTIVE = (SubscriptionStatus.ACTIVE, Reason.PAID)
LEAVING = (SubscriptionStatus.ACTIVE, Reason.CANCELED_BUT_PAID)
PAST_DUE = (SubscriptionStatus.PAST_DUE, Reason.GRACE)
PAUSE = (SubscriptionStatus.PAUSED, Reason.PAUSED)
CANCELED = (SubscriptionStatus.CANCELED, Reason.EXPIRED)
EXPIRED = (SubscriptionStatus.EXPIRED, Reason.EXPIRED)

# Dates, then what they mean before the first of these days, from each day on, and so forth.
COURSES = [
    (dates(), [(0, INCOMPLETE), (9999, INCOMPLETE)]),
    (PAID, [(0, ACTIVE), (30, EXPIRED), (9999, EXPIRED)]),
    (PAID_WITH_GRACE, [(0, ACTIVE), (30, PAST_DUE), (33, EXPIRED), (9999, EXPIRED)]),
    (TRIAL, [(0, TRIALING), (7, EXPIRED)]),
    (TRIAL_THEN_PAID, [(0, ACTIVE), (7, ACTIVE), (38, PAST_DUE), (41, EXPIRED)]),
    (CANCELED_AT_END, [(0, LEAVING), (30, CANCELED), (33, CANCELED)]),
    (CANCELED_EARLY, [(0, LEAVING), (10, CANCELED), (30, CANCELED)]),
    (CANCELED_TRIAL, [(0, TRIALING), (3, CANCELED), (7, CANCELED)]),
    (CANCELED_IN_GRACE, [(0, LEAVING), (30, PAST_DUE), (31, CANCELED)]),
    (PAUSED, [(0, ACTIVE), (10, PAUSE), (30, PAUSE), (33, PAUSE)]),
    (PAUSED_THEN_CANCELED, [(0, LEAVING), (10, PAUSE), (20, PAUSE), (9999, PAUSE)]),
    (PAUSED_FOR_A_WHILE, [(0, ACTIVE), (10, PAUSE), (15, ACTIVE), (35, PAST_DUE), (38, EXPIRED)]),
    (LEAVING_AFTER_A_PAUSE, [(0, LEAVING), (10, PAUSE), (15, LEAVING), (25, CANCELED)]),
    (PAUSED_TRIAL, [(0, TRIALING), (2, PAUSE), (7, PAUSE)]),
]
GIVE_ACCESS = {TRIALING, ACTIVE, LEAVING, PAST_DUE}


@pytest.mark.parametrize(("given", "course"), COURSES)
def test_every_end_is_exclusive(
    given: Dates, course: list[tuple[float, tuple[SubscriptionStatus, Reason]]]
) -> None:
    before = course[0][1]
    for days, expected in course:
        for instant, meaning in ((at(days) - TICK, before), (at(days), expected)):
            answer = access(given, instant)
            assert (answer.status, answer.reason) == meaning
            assert answer.active is (meaning in GIVE_ACCESS)
            assert answer.dates == given.at(instant)
        before = expected


def has_access(given: Dates, now: datetime) -> bool:
    """The rule once more, as short as it can be said."""
    if given.paused_at and given.paused_at <= now:
        if given.resumes_at is None or given.resumes_at > now:
            return False
        now -= given.resumes_at - given.paused_at
    ends = (given.trial_end, given.paid_through, given.grace_until)
    is_over = given.cancel_at is not None and given.cancel_at <= now
    return any(end and end > now for end in ends) and not is_over


def test_access_is_until_the_last_end_unless_something_stops_it() -> None:
    random = Random(8)
    names = [
        field.name
        for field in fields(Dates)
        if field.default is None and field.name not in ("next_plan", "ended_by")
    ]
    seen = set()
    for _ in range(20_000):
        # few days, so that ends meet each other and the instant
        chosen = {name: random.randrange(6) for name in names if random.random() < 0.5}
        if chosen.get("resumes_at", 9) <= chosen.get("paused_at", 9):
            chosen.pop("resumes_at", None)
        given, now = dates(**chosen), at(random.randrange(6)) + random.choice([-TICK, 0 * TICK])
        given = replace(given, ended_by=random.choice((None, Reason.REFUNDED, Reason.DISPUTED)))
        answer = access(given, now)
        assert answer.active is has_access(given, now), (chosen, now)
        seen.add((answer.status, answer.reason))
    assert seen == {
        INCOMPLETE,
        TRIALING,
        ACTIVE,
        LEAVING,
        PAST_DUE,
        PAUSE,
        CANCELED,
        EXPIRED,
        *(
            (status, reason)
            for status in (SubscriptionStatus.EXPIRED, SubscriptionStatus.CANCELED)
            for reason in (Reason.REFUNDED, Reason.DISPUTED)
        ),
    }


@pytest.mark.parametrize("reason", [Reason.REFUNDED, Reason.DISPUTED])
class TestMoneyThatWentBack:
    def test_explains_why_there_is_no_access(self, reason: Reason) -> None:
        given = replace(dates(paid_through=10, grace_until=10), ended_by=reason)
        for days in (10, 11, 9999):
            answer = access(given, at(days))
            assert (answer.active, answer.status, answer.reason) == (
                False,
                SubscriptionStatus.EXPIRED,
                reason,
            )

    def test_explains_nothing_while_a_trial_gives_access(self, reason: Reason) -> None:
        given = replace(TRIAL, ended_by=reason)
        assert access(given, at(6)).reason is Reason.TRIAL
        assert access(given, at(7)).reason is reason

    def test_comes_after_a_pause_and_explains_a_cancellation(self, reason: Reason) -> None:
        for given, meaning in (
            (dates(paused_at=1), PAUSE),
            (dates(paused_at=1, cancel_at=1), (SubscriptionStatus.CANCELED, reason)),
        ):
            answer = access(replace(given, ended_by=reason), at(3))
            assert (answer.status, answer.reason) == meaning


def test_access_never_comes_back_by_waiting() -> None:
    random = Random(88)
    for _ in range(3_000):
        names = ("trial_end", "paid_through", "grace_until", "paused_at", "cancel_at")
        given = dates(**{name: random.randrange(40) for name in names if random.random() < 0.6})
        answers = [access(given, at(days)).active for days in range(41)]
        assert answers == sorted(answers, reverse=True)
        assert not answers[-1]


def test_without_a_subscription_nobody_subscribed() -> None:
    assert best_access((), at(0)) is NEVER_SUBSCRIBED
    assert not NEVER_SUBSCRIBED.active


def test_an_active_subscription_answers_before_a_longer_one_that_is_not() -> None:
    paused = dates(paid_through=300, grace_until=300, paused_at=0)
    for candidates in ((paused, PAID), (PAID, paused)):
        assert best_access(candidates, at(1)).dates is PAID


def test_of_several_active_the_longest_answers() -> None:
    for candidates in ((PAID, TRIAL, TRIAL_THEN_PAID), (TRIAL_THEN_PAID, TRIAL, PAID)):
        assert best_access(candidates, at(1)).dates is TRIAL_THEN_PAID


def test_of_none_active_the_one_that_was_longest_explains() -> None:
    answer = best_access((dates(), TRIAL, PAID), at(100))
    assert (answer.active, answer.dates, answer.reason) == (False, PAID, Reason.EXPIRED)
