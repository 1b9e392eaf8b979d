"""What a paid period adds: no day is lost, none is given twice, and the day of month stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from tollgate.domain.billing import Interval, Period, Unit
from tollgate.domain.granting import Share, choose_plan, grant
from tollgate.domain.plan import Plan
from tollgate.domain.subscription import Dates, Reason, Subscription, access

START = datetime(2026, 1, 31, 9, tzinfo=UTC)
MONTHLY = Plan("app_1", "monthly", "pro", Interval(Unit.MONTH, 1), trial_days=0, grace_days=3)
YEARLY = replace(MONTHLY, code="yearly", interval=Interval(Unit.YEAR, 1))
TICK = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}T09:00:00+00:00")


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
    """Paid once, from 31 January to 28 February, with grace until 3 March."""
    return grant(fresh(), MONTHLY, START)[0]


def test_the_first_payment_starts_now() -> None:
    subscription, period = grant(fresh(), MONTHLY, START)
    assert period == Period(START, at("2026-02-28"))
    assert subscription.dates.paid_through == at("2026-02-28")
    assert subscription.dates.grace_until == at("2026-03-03")
    assert (subscription.anchor_at, subscription.periods_since_anchor) == (START, 1)
    assert subscription.updated_at == START


def test_an_early_payment_extends_from_the_old_end() -> None:
    subscription, period = grant(paid(), MONTHLY, at("2026-02-10"))
    assert period == Period(at("2026-02-28"), at("2026-03-31"))
    assert (subscription.anchor_at, subscription.periods_since_anchor) == (START, 2)
    assert subscription.updated_at == at("2026-02-10")


def test_a_late_payment_within_grace_continues_from_the_old_end() -> None:
    for now in (at("2026-02-28"), at("2026-03-01"), at("2026-03-03") - TICK):
        _, period = grant(paid(), MONTHLY, now)
        assert period == Period(at("2026-02-28"), at("2026-03-31"))


def test_a_payment_after_the_lapse_starts_now_on_a_new_anchor() -> None:
    for now in (at("2026-03-03"), at("2026-03-10"), at("2029-05-05")):
        subscription, period = grant(paid(), MONTHLY, now)
        assert period.starts_at == now
        assert (subscription.anchor_at, subscription.periods_since_anchor) == (now, 1)
        assert period.ends_at.day == now.day


def test_a_payment_in_the_trial_begins_at_its_end() -> None:
    subscription, period = grant(fresh(trial_end=at("2026-02-14")), MONTHLY, at("2026-02-03"))
    assert period == Period(at("2026-02-14"), at("2026-03-14"))
    assert subscription.anchor_at == at("2026-02-14")
    assert subscription.dates.trial_end == at("2026-02-14")


def test_a_payment_after_the_trial_begins_now() -> None:
    for now in (at("2026-02-14"), at("2026-02-20")):
        _, period = grant(fresh(trial_end=at("2026-02-14")), MONTHLY, now)
        assert period.starts_at == now


def test_another_plan_extends_from_the_old_end_on_a_new_anchor() -> None:
    subscription, period = grant(paid(), YEARLY, at("2026-02-10"))
    assert period == Period(at("2026-02-28"), at("2027-02-28"))
    assert (subscription.anchor_at, subscription.periods_since_anchor) == (at("2026-02-28"), 1)
    dates = subscription.dates
    assert dates.plan_at(at("2026-02-28") - TICK) == "monthly", "paid for as monthly"
    assert dates.plan_at(at("2026-02-28")) == "yearly"
    assert (dates.next_plan, dates.next_plan_at) == ("yearly", at("2026-02-28"))


def test_a_month_of_another_plan_does_not_rename_a_year_that_was_paid_for() -> None:
    premium = replace(MONTHLY, code="premium")
    year = grant(fresh(), YEARLY, START)[0]
    dates = grant(year, premium, at("2026-02-02"))[0].dates
    assert dates.plan_at(at("2026-12-01")) == "yearly"
    assert dates.plan_at(at("2027-02-01")) == "premium"
    assert dates.paid_through == at("2027-02-28")


def test_of_two_changes_that_are_paid_for_the_first_gives_its_name() -> None:
    premium, basic = replace(MONTHLY, code="premium"), replace(MONTHLY, code="basic")
    changed = grant(grant(paid(), premium, at("2026-02-10"))[0], basic, at("2026-02-11"))[0]
    assert changed.dates.plan_at(at("2026-04-01")) == "premium"
    assert changed.dates.paid_through == at("2026-04-30")


def test_after_a_change_took_effect_the_plan_is_the_new_one() -> None:
    premium = replace(MONTHLY, code="premium")
    changed = grant(paid(), premium, at("2026-02-10"))[0]
    again = grant(changed, premium, at("2026-03-10"))[0]
    assert (again.dates.plan, again.dates.next_plan) == ("premium", None)
    back = grant(changed, MONTHLY, at("2026-03-10"))[0].dates
    assert (back.plan, back.next_plan, back.next_plan_at) == (
        "premium",
        "monthly",
        at("2026-03-31"),
    )


def test_a_late_payment_for_another_plan_starts_it_now() -> None:
    dates = grant(paid(), YEARLY, at("2026-03-10"))[0].dates
    assert (dates.plan, dates.next_plan, dates.next_plan_at) == ("yearly", None, None)


def test_a_plan_that_was_chosen_stays_chosen_when_the_old_one_is_paid_again() -> None:
    chosen = replace(paid(), dates=replace(paid().dates, next_plan="yearly"))
    dates = grant(chosen, MONTHLY, at("2026-02-10"))[0].dates
    assert (dates.plan, dates.next_plan, dates.next_plan_at) == ("monthly", "yearly", None)


def test_paying_on_withdraws_a_cancellation() -> None:
    canceled = replace(paid(), dates=replace(paid().dates, cancel_at=at("2026-02-28")))
    dates = grant(canceled, MONTHLY, at("2026-02-10"))[0].dates
    assert access(dates, at("2026-03-15")).active


@pytest.mark.parametrize("is_moved_first", [False, True])
def test_another_plan_of_the_same_length_keeps_the_anchor(is_moved_first: bool) -> None:
    premium = replace(MONTHLY, code="premium")
    before = paid()
    if is_moved_first:
        before = replace(before, dates=replace(before.dates, plan="premium"))
    subscription, period = grant(before, premium, at("2026-02-10"))
    assert period == Period(at("2026-02-28"), at("2026-03-31"))
    assert (subscription.anchor_at, subscription.periods_since_anchor) == (at("2026-01-31"), 2)


def test_a_grace_longer_than_the_interval_sells_no_time_that_is_over() -> None:
    daily = replace(MONTHLY, interval=Interval(Unit.DAY, 1), grace_days=3)
    first, _ = grant(fresh(), daily, at("2026-01-31"))
    _, period = grant(first, daily, at("2026-02-02"))
    assert period == Period(at("2026-02-02"), at("2026-02-03"))


def test_a_grace_longer_than_the_share_that_is_paid_for_sells_no_time_that_is_over() -> None:
    patient = replace(MONTHLY, grace_days=30)
    first, _ = grant(fresh(), patient, at("2026-01-31"))
    for day, starts_at in (("2026-03-04", "2026-02-28"), ("2026-03-10", "2026-03-10")):
        extended, period = grant(first, patient, at(day), paid=Share(1, 4))  # a good seven days
        assert period.starts_at == at(starts_at)
        assert access(extended.dates, at(day)).reason is Reason.PAID


def test_a_plan_chosen_before_paying_has_its_own_anchor() -> None:
    moved = replace(paid(), dates=replace(paid().dates, plan="yearly"))
    subscription, period = grant(moved, YEARLY, at("2026-02-10"))
    assert period == Period(at("2026-02-28"), at("2027-02-28"))
    assert subscription.anchor_at == at("2026-02-28")


def test_a_plan_whose_interval_was_changed_starts_a_new_anchor() -> None:
    quarterly = replace(MONTHLY, interval=Interval(Unit.MONTH, 3))
    subscription, period = grant(paid(), quarterly, at("2026-02-10"))
    assert period == Period(at("2026-02-28"), at("2026-05-28"))
    assert subscription.anchor_at == at("2026-02-28")


def test_two_years_of_months_keep_the_day_of_the_anchor() -> None:
    subscription, now, ends = fresh(), START, []
    for _ in range(24):
        subscription, period = grant(subscription, MONTHLY, now)
        ends.append(period.ends_at)
        now = period.ends_at + timedelta(hours=1)
    assert ends[-1] == at("2028-01-31")
    assert subscription.periods_since_anchor == 24
    shorter = {end.month: end.day for end in ends if end.day != 31}
    assert shorter == {2: 28, 4: 30, 6: 30, 9: 30, 11: 30}


def test_what_is_paid_follows_on_without_gap_or_overlap() -> None:
    random = Random(7)
    for _ in range(400):
        subscription, now, periods = fresh(), START, list[Period]()
        for _ in range(12):
            plan = MONTHLY if random.random() < 0.8 else YEARLY
            lapsed = not access(subscription.dates, now).active
            subscription, period = grant(subscription, plan, now)
            if periods:
                expected = now if lapsed else periods[-1].ends_at
                assert period.starts_at == expected
            assert period.starts_at < period.ends_at == subscription.dates.paid_through
            periods.append(period)
            now += timedelta(days=random.choice([0, 1, 27, 30, 31, 32, 33, 34, 60]))


def test_a_payment_before_the_end_gives_access_at_once_and_to_the_end_of_the_period() -> None:
    for now in (at("2026-02-10"), at("2026-03-01"), at("2026-03-05")):
        subscription, period = grant(paid(), MONTHLY, now)
        assert access(subscription.dates, now).active
        assert access(subscription.dates, period.ends_at - TICK).active


def test_a_plan_is_chosen_for_the_end_of_the_time_that_is_left() -> None:
    chosen = choose_plan(paid(), "yearly", at("2026-02-10")).dates
    assert (chosen.plan, chosen.next_plan, chosen.next_plan_at) == ("monthly", "yearly", None)
    assert chosen.plan_at(at("2026-12-01")) == "monthly", "chosen, and not paid for"


def test_a_paused_client_keeps_the_plan_of_its_time_too() -> None:
    paused = replace(paid(), dates=replace(paid().dates, paused_at=at("2026-02-05")))
    assert choose_plan(paused, "yearly", at("2026-02-10")).dates.plan == "monthly"


def test_a_plan_is_chosen_at_once_when_no_time_is_left() -> None:
    dates = choose_plan(paid(), "yearly", at("2026-03-03")).dates
    assert (dates.plan, dates.next_plan) == ("yearly", None)


def test_choosing_what_is_so_already_changes_nothing() -> None:
    running, scheduled = paid(), grant(paid(), YEARLY, at("2026-02-10"))[0]
    assert choose_plan(running, "monthly", at("2026-02-10")) is running
    assert choose_plan(scheduled, "monthly", at("2026-02-11")) is scheduled, "paid for comes first"


def test_a_choice_can_be_taken_back() -> None:
    chosen = choose_plan(paid(), "yearly", at("2026-02-10"))
    assert choose_plan(chosen, "monthly", at("2026-02-11")).dates.next_plan is None
