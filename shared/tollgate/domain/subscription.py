"""A subscription: the dates it consists of, what a paid period adds, and whether it gives access.

Nothing here is a stored status: what a subscription is follows from its dates and the instant of
the question, so that no timer has to run for an answer to be right.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tollgate.domain.billing import Interval, Period, after
from tollgate.domain.money import Money


class SubscriptionStatus(StrEnum):
    """What a subscription is at an instant."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"


class Reason(StrEnum):
    """Why the check answers as it does."""

    PAID = "paid"
    TRIAL = "trial"
    GRACE = "grace"
    CANCELED_BUT_PAID = "canceled_but_paid"
    PAUSED = "paused"
    EXPIRED = "expired"
    PAYMENT_PENDING = "payment_pending"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    NEVER_SUBSCRIBED = "never_subscribed"


class RefundRule(StrEnum):
    """What becomes of access when the client has its money back, or disputes the payment."""

    END_NOW = "end_now"
    PERIOD_END = "period_end"
    NEVER = "never"


@dataclass(frozen=True)
class Plan:
    """What an app sells: a period of `product`. Prices are kept per currency beside it.

    `refund_rule` says what a full refund or a dispute does to the time that was paid for.

    An archived one can't be chosen or paid for any more; what was paid for stays.
    """

    app_id: str
    code: str
    product: str
    interval: Interval
    trial_days: int
    grace_days: int
    refund_rule: RefundRule = RefundRule.END_NOW
    archived_at: datetime | None = None


@dataclass(frozen=True)
class PricedPlan:
    """A plan with its price in each currency."""

    plan: Plan
    prices: tuple[Money, ...]
    created_at: datetime


@dataclass(frozen=True)
class Dates:
    """All that decides access; this, never a yes or no, is what the cache holds.

    `next_plan` is another plan of the product: paid for, and in force from `next_plan_at`; or,
    without that, chosen and not paid for yet. `ended_by` is refunded or disputed, where that took
    the time away.
    """

    subscription_id: str
    product: str
    plan: str
    trial_end: datetime | None = None
    paid_through: datetime | None = None
    grace_until: datetime | None = None
    paused_at: datetime | None = None
    cancel_at: datetime | None = None
    next_plan: str | None = None
    next_plan_at: datetime | None = None
    ended_by: Reason | None = None

    def plan_at(self, now: datetime) -> str:
        """The plan in force: `next_plan` from `next_plan_at` on, where it is paid for."""
        if self.next_plan and self.next_plan_at and self.next_plan_at <= now:
            return self.next_plan
        return self.plan


@dataclass(frozen=True)
class Subscription:
    """One client's subscription to one product of an app, as its row stands.

    `anchor_at` is where periods are counted from, `periods_since_anchor` how many were granted.
    """

    app_id: str
    client_id: str
    dates: Dates
    livemode: bool
    created_at: datetime
    updated_at: datetime
    anchor_at: datetime | None = None
    periods_since_anchor: int = 0


@dataclass(frozen=True)
class Standing:
    """A subscription, seen at an instant."""

    subscription: Subscription
    as_of: datetime

    @property
    def status(self) -> SubscriptionStatus:
        """What the subscription is at that instant."""
        return _standing(self.subscription.dates, self.as_of)[0]


@dataclass(frozen=True)
class Access:
    """The answer to "has this client paid?", and why."""

    active: bool
    reason: Reason
    status: SubscriptionStatus | None
    dates: Dates | None


NEVER_SUBSCRIBED = Access(False, Reason.NEVER_SUBSCRIBED, None, None)


def access(dates: Dates, now: datetime) -> Access:
    """Whether these dates give access at `now`. Every end is exclusive: at the end it is over."""
    status, reason = _standing(dates, now)
    active = status in _GIVES_ACCESS
    return Access(active, reason, status, dates)


_GIVES_ACCESS = frozenset(
    {SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
)


def _standing(dates: Dates, now: datetime) -> tuple[SubscriptionStatus, Reason]:
    def ahead(instant: datetime | None) -> bool:
        return instant is not None and now < instant

    if dates.cancel_at is not None and dates.cancel_at <= now:
        return SubscriptionStatus.CANCELED, dates.ended_by or Reason.EXPIRED
    if dates.paused_at is not None and dates.paused_at <= now:
        return SubscriptionStatus.PAUSED, Reason.PAUSED
    if ahead(dates.paid_through):
        canceled = dates.cancel_at is not None
        return SubscriptionStatus.ACTIVE, Reason.CANCELED_BUT_PAID if canceled else Reason.PAID
    if ahead(dates.trial_end):
        return SubscriptionStatus.TRIALING, Reason.TRIAL
    if ahead(dates.grace_until):
        return SubscriptionStatus.PAST_DUE, Reason.GRACE
    if dates.ended_by is not None:
        return SubscriptionStatus.EXPIRED, dates.ended_by
    if dates.paid_through is None and dates.trial_end is None:
        return SubscriptionStatus.INCOMPLETE, Reason.NEVER_SUBSCRIBED
    return SubscriptionStatus.EXPIRED, Reason.EXPIRED


def best_access(candidates: tuple[Dates, ...], now: datetime) -> Access:
    """The answer over several subscriptions: an active one before others, then the longest."""
    answers = [access(dates, now) for dates in candidates]
    return max(answers, key=_rank, default=NEVER_SUBSCRIBED)


def _rank(answer: Access) -> tuple[bool, float]:
    dates = answer.dates
    assert dates is not None
    ends = (dates.paid_through, dates.trial_end, dates.grace_until)
    return answer.active, max((end.timestamp() for end in ends if end is not None), default=0.0)


def choose_plan(subscription: Subscription, code: str, now: datetime) -> Subscription:
    """The subscription once its client chose a plan of the product: on it at once when no time is
    left, else when it is paid for. The same object when that changes nothing."""
    dates = subscription.dates
    if dates.next_plan_at is not None and dates.next_plan_at > now:
        return subscription  # a change that is paid for comes first
    current = dates.plan_at(now)
    if _has_time_left(dates, now):
        chosen = code if code != current else None
        dates = replace(dates, plan=current, next_plan=chosen, next_plan_at=None)
    else:
        dates = replace(dates, plan=code, next_plan=None, next_plan_at=None)
    if dates == subscription.dates:
        return subscription
    return replace(subscription, dates=dates, updated_at=now)


def _has_time_left(dates: Dates, now: datetime) -> bool:
    """Whether time that was paid for or granted lies ahead, also while it is paused."""
    ends = (dates.paid_through, dates.trial_end, dates.grace_until)
    return any(end is not None and now < end for end in ends)


def grant(subscription: Subscription, plan: Plan, now: datetime) -> tuple[Subscription, Period]:
    """The subscription with one more paid period, and that period.

    A payment before the end of paid time, trial or grace extends from the old end, so no day is
    lost; a later one starts anew, at `now`. Periods are counted from a new anchor where they would
    not follow from the old one: after a gap, and for another interval. Time that was paid for keeps
    the plan it was paid for.
    """
    dates = subscription.dates
    starts_at = _continues_from(dates, plan, now) or now
    anchor_at, granted = subscription.anchor_at, subscription.periods_since_anchor
    if anchor_at is None or after(anchor_at, plan.interval, granted) != starts_at:
        anchor_at, granted = starts_at, 0
    ends_at = after(anchor_at, plan.interval, granted + 1)

    extended = replace(
        paid_on_plan(dates, plan.code, starts_at, now),
        paid_through=ends_at,
        grace_until=ends_at + timedelta(days=plan.grace_days),
        cancel_at=None,  # who pays for more wants more
        ended_by=None,
    )
    subscription = replace(
        subscription,
        dates=extended,
        anchor_at=anchor_at,
        periods_since_anchor=granted + 1,
        updated_at=now,
    )
    return subscription, Period(starts_at, ends_at)


def _continues_from(dates: Dates, plan: Plan, now: datetime) -> datetime | None:
    """The end that a payment at `now` extends from; None where it starts anew."""
    old_end = max(filter(None, (dates.paid_through, dates.trial_end)), default=None)
    if old_end is None or now >= max(old_end, dates.grace_until or old_end):
        return None
    # a grace longer than the interval must not sell time that is over already
    return old_end if after(old_end, plan.interval, 1) > now else None


def paid_on_plan(dates: Dates, code: str, starts_at: datetime, now: datetime) -> Dates:
    """The dates once this plan is paid for from `starts_at` on.

    Of two changes that are both paid for before the first takes effect, the first gives its name.
    """
    if starts_at <= now:
        chosen = dates.next_plan if dates.next_plan_at is None else None
        return replace(
            dates, plan=code, next_plan=chosen if chosen != code else None, next_plan_at=None
        )
    current = dates.plan_at(now)
    if current != dates.plan:  # the change before has taken effect
        dates = replace(dates, plan=current, next_plan=None, next_plan_at=None)
    if code == current or dates.next_plan_at is not None:
        return dates
    return replace(dates, next_plan=code, next_plan_at=starts_at)
