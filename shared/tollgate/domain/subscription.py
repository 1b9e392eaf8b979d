"""A subscription: the dates it consists of, and whether they give access.

Nothing here is a stored status: what a subscription is follows from its dates and the instant of
the question, so that no timer has to run for an answer to be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tollgate.domain.payment import Method
from tollgate.domain.principal import Tenant


class SubscriptionStatus(StrEnum):
    """What a subscription is at an instant."""

    INCOMPLETE = "incomplete"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELED = "canceled"
    EXPIRED = "expired"


_S = SubscriptionStatus

SUBSCRIPTION_EDGES: Mapping[SubscriptionStatus, frozenset[SubscriptionStatus]] = {
    _S.INCOMPLETE: frozenset({_S.ACTIVE, _S.CANCELED, _S.EXPIRED}),
    _S.TRIALING: frozenset({_S.ACTIVE, _S.PAUSED, _S.CANCELED, _S.EXPIRED}),
    _S.ACTIVE: frozenset({_S.TRIALING, _S.PAST_DUE, _S.PAUSED, _S.CANCELED, _S.EXPIRED}),
    _S.PAST_DUE: frozenset({_S.ACTIVE, _S.PAUSED, _S.CANCELED, _S.EXPIRED}),
    _S.PAUSED: frozenset({_S.TRIALING, _S.ACTIVE, _S.PAST_DUE, _S.CANCELED, _S.EXPIRED}),
    _S.CANCELED: frozenset(
        {_S.INCOMPLETE, _S.TRIALING, _S.ACTIVE, _S.PAST_DUE, _S.PAUSED, _S.EXPIRED}
    ),
    _S.EXPIRED: frozenset({_S.TRIALING, _S.ACTIVE, _S.PAST_DUE, _S.PAUSED, _S.CANCELED}),
}
"""Every move that is allowed, by time, money or wish: a dispute that is won brings back what it had
ended, and a clock that runs late sees time left where another one has told of its end. The trigger
`subscriptions_guard` in migrations/ holds the same list."""


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


@dataclass(frozen=True)
class Dates:
    """All that decides access; this, never a yes or no, is what the cache holds.

    `next_plan` is another plan of the product: paid for, and in force from `next_plan_at`; or,
    without that, chosen and not paid for yet. `ended_by` is refunded or disputed, where that took
    the time away. What lies behind `paused_at` moves by as long as the pause lasts.
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
    resumes_at: datetime | None = None

    def is_paused(self, now: datetime) -> bool:
        """Whether a pause lasts at `now`."""
        return (
            self.paused_at is not None
            and self.paused_at <= now
            and (self.resumes_at is None or now < self.resumes_at)
        )

    def clock(self, now: datetime) -> datetime:
        """The subscription's own time: it stands while that is paused, and runs late by a pause
        that is over and was not written into the dates yet."""
        if self.paused_at is None or now < self.paused_at:
            return now
        if self.resumes_at is not None and self.resumes_at <= now:
            return now - (self.resumes_at - self.paused_at)
        return self.paused_at

    def at(self, now: datetime) -> "Dates":
        """The dates as they are at `now`: a pause that is over has moved what lay behind it."""
        if self.paused_at is None or self.resumes_at is None or now < self.resumes_at:
            return self
        return self.resumed(self.resumes_at)

    def resumed(self, at: datetime) -> "Dates":
        """The dates once a pause that lasts ends at this instant."""
        assert self.paused_at is not None
        began, away = self.paused_at, at - self.paused_at

        def moved(instant: datetime | None) -> datetime | None:
            return instant + away if instant is not None and instant > began else instant

        return replace(
            self,
            trial_end=moved(self.trial_end),
            paid_through=moved(self.paid_through),
            grace_until=moved(self.grace_until),
            cancel_at=moved(self.cancel_at),
            next_plan_at=moved(self.next_plan_at),
            paused_at=None,
            resumes_at=None,
        )

    def plan_at(self, now: datetime) -> str:
        """The plan in force: `next_plan` from `next_plan_at` on, where it is paid for."""
        if self.next_plan and self.next_plan_at and self.next_plan_at <= self.clock(now):
            return self.next_plan
        return self.plan

    @property
    def renews_on(self) -> str:
        """The plan that the next period is for."""
        return self.next_plan or self.plan

    @property
    def ends_at(self) -> datetime | None:
        """The end of what was paid for or is free; None before there was any."""
        return max(filter(None, (self.paid_through, self.trial_end)), default=None)


class Language(StrEnum):
    """What the client reads: English or Swahili."""

    ENGLISH = "en"
    SWAHILI = "sw"


@dataclass(frozen=True)
class RenewalWishes:
    """How the client is asked to pay for more: by a prompt of this method, where a PSP has one, at
    this hour of its day (0 to 23) in this time zone (IANA), in this language."""

    method: Method | None = None
    hour: int = 9
    time_zone: str = "Africa/Nairobi"
    language: Language = Language.ENGLISH


@dataclass(frozen=True)
class Subscription:
    """One client's subscription to one product of an app, as its row stands.

    `anchor_at` is where periods are counted from, `periods_since_anchor` how many were granted.
    `currency` is what it is billed in; None: the app's default.
    """

    app_id: str
    client_id: str
    dates: Dates
    livemode: bool
    created_at: datetime
    updated_at: datetime
    anchor_at: datetime | None = None
    periods_since_anchor: int = 0
    currency: str | None = None
    renewal: RenewalWishes = RenewalWishes()

    @property
    def tenant(self) -> Tenant:
        """Whose subscription it is."""
        return Tenant(self.app_id)


@dataclass(frozen=True)
class Standing:
    """A subscription, seen at an instant. `pay_url` is where its client can pay what is due."""

    subscription: Subscription
    as_of: datetime
    pay_url: str | None = None

    @property
    def status(self) -> SubscriptionStatus:
        """What the subscription is at that instant."""
        return _standing(self.subscription.dates, self.as_of)[0]

    @property
    def dates(self) -> Dates:
        """The dates as they are at that instant."""
        return self.subscription.dates.at(self.as_of)


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
    return Access(active, reason, status, dates.at(now))


_GIVES_ACCESS = frozenset(
    {SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE}
)


def _standing(dates: Dates, now: datetime) -> tuple[SubscriptionStatus, Reason]:
    clock = dates.clock(now)

    def ahead(instant: datetime | None) -> bool:
        return instant is not None and clock < instant

    if dates.cancel_at is not None and dates.cancel_at <= clock:
        return SubscriptionStatus.CANCELED, dates.ended_by or Reason.EXPIRED
    if dates.is_paused(now):
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
