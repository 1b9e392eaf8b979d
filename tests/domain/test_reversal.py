"""What a refund or a dispute takes of the time that was paid for, and what comes back."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tollgate.domain.billing import Interval, Unit
from tollgate.domain.plan import Plan, RefundRule
from tollgate.domain.reversal import Change, PaidPeriod, Reversal, restore, reverse
from tollgate.domain.subscription import Dates, Reason, Subscription, SubscriptionStatus, access

GRACE = timedelta(days=3)
DAY = timedelta(days=1)
BASIC = Plan("app_1", "basic", "pro", Interval(Unit.MONTH, 1), 0, GRACE.days)
END_NOW, PERIOD_END, NEVER = RefundRule
REFUNDED, DISPUTED = Reason.REFUNDED, Reason.DISPUTED


def at(days: float) -> datetime:
    return datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=days)


def period(number: int, starts: float, ends: float, reversal: Reversal | None = None) -> PaidPeriod:
    return PaidPeriod(f"pay_{number}", at(starts), at(ends), reversal)


def taken(days_left: float, rule: RefundRule = END_NOW, reason: Reason = REFUNDED) -> Reversal:
    return Reversal(reason, rule, timedelta(days=days_left))


def subscription(paid_through: float | None, **changed: Any) -> Subscription:
    """Paid through this day, with three days of grace."""
    instants: dict[str, Any] = {
        name: at(value) if isinstance(value, int | float) else value
        for name, value in changed.items()
    }
    paid = at(paid_through) if paid_through is not None else None
    dates = Dates("sub_1", "pro", "basic", paid_through=paid, grace_until=paid and paid + GRACE)
    return Subscription(
        app_id="app_1",
        client_id="client-1",
        dates=replace(dates, **instants),
        livemode=False,
        created_at=at(0),
        updated_at=at(0),
        anchor_at=at(0),
        periods_since_anchor=1,
    )


def ended(change: Change) -> tuple[datetime | None, datetime | None, Reason | None]:
    dates = change.subscription.dates
    return dates.paid_through, dates.grace_until, dates.ended_by


class TestEndNow:
    @pytest.mark.parametrize("reason", [REFUNDED, DISPUTED])
    def test_the_current_period_ends_and_there_is_no_grace(self, reason: Reason) -> None:
        change = reverse(subscription(30), [period(1, 0, 30)], reason, END_NOW, at(10))
        assert change.periods == (period(1, 0, 10, taken(20, reason=reason)),)
        assert ended(change) == (at(10), at(10), reason)
        assert change.subscription.updated_at == at(10)
        answer = access(change.subscription.dates, at(10))
        assert (answer.active, answer.reason) == (False, reason)

    def test_what_follows_the_current_period_moves_up_to_now(self) -> None:
        periods = [period(1, 0, 30), period(2, 30, 60), period(3, 60, 70)]
        change = reverse(subscription(70), periods, REFUNDED, END_NOW, at(10))
        assert change.periods == (
            period(1, 0, 10, taken(20)),
            period(2, 10, 40),
            period(3, 40, 50),
        )
        assert ended(change) == (at(50), at(50) + GRACE, None)

    def test_a_future_period_is_taken_out_whole(self) -> None:
        periods = [period(2, 30, 60), period(3, 60, 70)]
        change = reverse(subscription(70), periods, REFUNDED, END_NOW, at(10))
        assert change.periods == (period(2, 30, 30, taken(30)), period(3, 30, 40))
        assert ended(change) == (at(40), at(40) + GRACE, None)

    def test_the_last_period_leaves_the_grace_of_the_one_before(self) -> None:
        change = reverse(subscription(60), [period(2, 30, 60)], REFUNDED, END_NOW, at(10))
        assert ended(change) == (at(30), at(30) + GRACE, None)

    @pytest.mark.parametrize("now", [30, 31, 500])
    def test_a_used_up_period_takes_nothing(self, now: float) -> None:
        start = subscription(60)
        periods = [period(1, 0, 30), period(2, 30, 60)]
        change = reverse(start, periods, REFUNDED, END_NOW, at(now))
        assert change.periods == (period(1, 0, 30, taken(0)),)
        assert change.subscription is start

    def test_one_that_begins_now_is_not_used_at_all(self) -> None:
        change = reverse(subscription(60), [period(2, 30, 60)], REFUNDED, END_NOW, at(30))
        assert change.periods == (period(2, 30, 30, taken(30)),)
        assert ended(change) == (at(30), at(30), REFUNDED)


class TestTrial:
    def test_goes_on_when_the_payment_after_it_goes_back(self) -> None:
        start = subscription(37, trial_end=7)
        change = reverse(start, [period(1, 7, 37)], REFUNDED, END_NOW, at(2))
        assert ended(change) == (None, None, REFUNDED)
        dates = change.subscription.dates
        assert access(dates, at(2)).reason is Reason.TRIAL
        assert access(dates, at(7)).status is SubscriptionStatus.EXPIRED
        assert access(dates, at(7)).reason is REFUNDED, "no grace for what was given back"

    def test_is_followed_by_what_else_was_paid_for(self) -> None:
        start = subscription(67, trial_end=7)
        periods = [period(1, 7, 37), period(2, 37, 67)]
        change = reverse(start, periods, REFUNDED, END_NOW, at(2))
        assert change.periods == (period(1, 7, 7, taken(30)), period(2, 7, 37))
        assert ended(change) == (at(37), at(37) + GRACE, None)

    def test_a_later_payment_that_went_back_before_holds_no_time(self) -> None:
        start = subscription(37, trial_end=7, next_plan="pro", next_plan_at=7)
        periods = [period(1, 7, 37), period(2, 37, 37, taken(30))]
        change = reverse(start, periods, REFUNDED, END_NOW, at(2))
        assert ended(change) == (None, None, REFUNDED)
        assert change.subscription.dates.next_plan is None

    def test_that_is_over_changes_nothing(self) -> None:
        start = subscription(37, trial_end=7)
        change = reverse(start, [period(1, 7, 37)], REFUNDED, END_NOW, at(10))
        assert ended(change) == (at(10), at(10), REFUNDED)


class TestNextPlan:
    def plans(
        self, periods: list[PaidPeriod], now: float, begins: float
    ) -> tuple[str | None, datetime | None]:
        """The change of plan that is left, where one was to begin on this day."""
        end = (periods[-1].ends_at - at(0)) / DAY
        start = subscription(end, next_plan="pro", next_plan_at=begins)
        dates = reverse(start, periods, REFUNDED, END_NOW, at(now)).subscription.dates
        return dates.next_plan, dates.next_plan_at

    def test_that_begins_with_the_period_goes_with_it(self) -> None:
        assert self.plans([period(2, 30, 60)], 10, begins=30) == (None, None)

    def test_that_begins_after_the_period_begins_earlier(self) -> None:
        assert self.plans([period(2, 30, 60), period(3, 60, 90)], 10, begins=60) == ("pro", at(30))
        assert self.plans([period(1, 0, 30), period(2, 30, 60)], 10, begins=30) == ("pro", at(10))

    def test_that_other_time_was_paid_for_stays(self) -> None:
        assert self.plans([period(2, 30, 60), period(3, 60, 90)], 10, begins=30) == ("pro", at(30))

    def test_that_began_before_stays(self) -> None:
        assert self.plans([period(3, 60, 90)], 40, begins=30) == ("pro", at(30))
        assert self.plans([period(3, 60, 90)], 10, begins=30) == ("pro", at(30))

    def test_that_took_effect_already_stays(self) -> None:
        assert self.plans([period(2, 30, 60)], 40, begins=30) == ("pro", at(30))
        assert self.plans([period(2, 30, 60)], 30, begins=30) == ("pro", at(30))

    def test_that_is_only_chosen_stays_chosen(self) -> None:
        start = subscription(60, next_plan="pro")
        dates = reverse(start, [period(2, 30, 60)], REFUNDED, END_NOW, at(10)).subscription.dates
        assert (dates.next_plan, dates.next_plan_at) == ("pro", None)


class TestPeriodEnd:
    def test_the_time_stays_and_it_ends_without_grace(self) -> None:
        periods = [period(1, 0, 30), period(2, 30, 60)]
        change = reverse(subscription(60), periods, DISPUTED, PERIOD_END, at(10))
        canceling = replace(taken(0, PERIOD_END, DISPUTED), cancels=True)
        assert change.periods == (period(1, 0, 30, canceling),)
        dates = change.subscription.dates
        assert dates == replace(subscription(60).dates, cancel_at=at(60))
        assert access(dates, at(59)).reason is Reason.CANCELED_BUT_PAID
        assert not access(dates, at(60)).active
        assert change.subscription.updated_at == at(10)

    @pytest.mark.parametrize("cancel_at", [20, 60, 70])
    def test_a_cancellation_that_was_asked_for_stays(self, cancel_at: float) -> None:
        start = subscription(60, cancel_at=cancel_at)
        change = reverse(start, [period(1, 0, 30)], REFUNDED, PERIOD_END, at(10))
        assert change.subscription is start


class TestCanceledAtTheEnd:
    """Who canceled at the end of paid time: the end moves, and the cancellation with it."""

    def test_it_ends_earlier_by_what_was_taken_out(self) -> None:
        start = subscription(60, cancel_at=60)
        change = reverse(start, [period(1, 0, 30), period(2, 30, 60)], REFUNDED, END_NOW, at(10))
        assert (ended(change)[0], change.subscription.dates.cancel_at) == (at(40), at(40))

    @pytest.mark.parametrize("won_at", [3, 9])
    def test_it_is_there_again_where_only_a_trial_was_left(self, won_at: float) -> None:
        start = subscription(37, trial_end=7, cancel_at=37)
        back = reverse(start, [period(1, 7, 37)], DISPUTED, END_NOW, at(2))
        assert (ended(back)[0], back.subscription.dates.cancel_at) == (None, at(7))
        won = restore(back.subscription, back.periods[0], BASIC, at(won_at))
        end = max(won_at, 7) + 30
        assert (ended(won)[0], won.subscription.dates.cancel_at) == (at(end), at(end))

    def test_with_nothing_left_it_says_why(self) -> None:
        start = subscription(30, cancel_at=30)
        dates = reverse(start, [period(1, 0, 30)], REFUNDED, END_NOW, at(10)).subscription.dates
        assert dates.cancel_at == at(10)
        assert access(dates, at(10)).reason is REFUNDED


class TestGrace:
    def test_ends_at_once_for_a_period_that_was_used_up(self) -> None:
        change = reverse(subscription(30), [period(1, 0, 30)], REFUNDED, END_NOW, at(31))
        assert ended(change) == (at(30), at(30), REFUNDED)

    def test_that_is_over_is_not_explained_anew(self) -> None:
        start = subscription(30)
        change = reverse(start, [period(1, 0, 30)], REFUNDED, END_NOW, at(33))
        assert change.subscription is start


def test_never_takes_nothing() -> None:
    start = subscription(30)
    change = reverse(start, [period(1, 0, 30)], REFUNDED, NEVER, at(10))
    assert change == Change(start, (period(1, 0, 30, taken(0, NEVER)),))
    assert change.subscription is start


class TestRestore:
    def test_follows_the_time_that_is_paid_for(self) -> None:
        change = restore(subscription(50), period(1, 0, 10, taken(20)), BASIC, at(12))
        assert change.periods == (period(1, 50, 70),)
        assert ended(change) == (at(70), at(70) + GRACE, None)
        assert change.subscription.updated_at == at(12)

    def test_starts_now_when_none_is_left(self) -> None:
        start = subscription(10, ended_by=DISPUTED)
        change = restore(start, period(1, 0, 10, taken(20, reason=DISPUTED)), BASIC, at(40))
        assert change.periods == (period(1, 40, 60),)
        assert ended(change) == (at(60), at(60) + GRACE, None)
        assert access(change.subscription.dates, at(40)).active

    def test_follows_the_trial(self) -> None:
        start = subscription(None, trial_end=7, ended_by=REFUNDED)
        change = restore(start, period(1, 7, 7, taken(30)), BASIC, at(2))
        assert change.periods == (period(1, 7, 37),)
        assert ended(change) == (at(37), at(37) + GRACE, None)

    def test_grace_is_that_of_the_plan(self) -> None:
        change = restore(
            subscription(50), period(1, 0, 10, taken(20)), replace(BASIC, grace_days=0), at(12)
        )
        assert ended(change) == (at(70), at(70), None)

    @pytest.mark.parametrize("rule", [END_NOW, PERIOD_END, NEVER])
    def test_of_what_took_nothing_gives_nothing(self, rule: RefundRule) -> None:
        start = subscription(60, ended_by=DISPUTED)
        change = restore(start, period(1, 0, 30, taken(0, rule)), BASIC, at(40))
        assert change == Change(start, (period(1, 0, 30),))
        assert change.subscription is start

    def test_it_goes_on_after_the_period_s_end(self) -> None:
        start = subscription(60, cancel_at=60)
        canceling = replace(taken(0, PERIOD_END), cancels=True)
        change = restore(start, period(1, 0, 30, canceling), BASIC, at(40))
        assert change.subscription.dates == subscription(60).dates
        assert change.subscription.updated_at == at(40)

    def test_a_cancellation_for_another_day_stays(self) -> None:
        start = subscription(60, cancel_at=50)
        assert restore(start, period(1, 0, 30, taken(0, PERIOD_END)), BASIC, at(40)) == Change(
            start, (period(1, 0, 30),)
        )

    def test_a_cancellation_that_the_client_asked_for_stays(self) -> None:
        start = subscription(60, cancel_at=60)
        change = restore(start, period(1, 0, 30, taken(0, PERIOD_END)), BASIC, at(40))
        assert change.subscription is start

    def test_who_canceled_at_the_end_of_paid_time_has_the_time_that_comes_back(self) -> None:
        start = subscription(60, cancel_at=60)
        change = restore(start, period(1, 0, 30, taken(20)), BASIC, at(40))
        assert ended(change) == (at(80), at(80) + GRACE, None)
        assert change.subscription.dates.cancel_at == at(80)

    def test_comes_back_on_the_plan_that_it_was_paid_for(self) -> None:
        premium = replace(BASIC, code="premium")
        later = restore(subscription(50), period(1, 0, 10, taken(20)), premium, at(12))
        dates = later.subscription.dates
        assert (dates.plan, dates.next_plan, dates.next_plan_at) == ("basic", "premium", at(50))
        at_once = restore(subscription(10), period(1, 0, 10, taken(20)), premium, at(40))
        assert at_once.subscription.dates.plan == "premium"


@pytest.mark.parametrize(
    "value", [period(1, 0, 30), taken(1), Change(subscription(30), (period(1, 0, 30),))]
)
def test_all_of_it_are_values(value: PaidPeriod | Reversal | Change) -> None:
    for name in vars(value):
        with pytest.raises(FrozenInstanceError):
            delattr(value, name)
