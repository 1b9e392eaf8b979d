"""What access must be, once more and from nothing but what happened: a model of its own.

Each question replays the history from its beginning. Time is a list of paid stretches; nothing here
is shared with the product, not even how months are counted.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True)
class Terms:
    """The plan, as far as access depends on it; `unit` is day, month or year."""

    code: str
    unit: str
    count: int
    grace_days: int
    trial_days: int


TERMS = (
    Terms("h-month", "month", 1, grace_days=3, trial_days=0),
    Terms("h-month-trial", "month", 1, grace_days=0, trial_days=7),
    Terms("h-year", "year", 1, grace_days=10, trial_days=14),
    Terms("h-days", "day", 10, grace_days=2, trial_days=0),
)


@dataclass(frozen=True)
class Fact:
    """One thing that happened: what, when, and of what."""

    at: datetime
    what: str
    of: Any = None


@dataclass
class Stretch:
    """Paid time of one payment. `back` is set while its money is not here."""

    payment: str
    starts_at: datetime
    ends_at: datetime
    rest: timedelta = timedelta()
    back: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the check must say."""

    active: bool
    reason: str
    paid_through: datetime | None
    ends_at: datetime | None


@dataclass
class _Line:
    """One subscription, as it goes on."""

    terms: Terms
    trial_end: datetime | None = None
    stretches: list[Stretch] = field(default_factory=list)
    anchor: tuple[datetime, int] | None = None
    grace_ends: datetime | None = None
    paid_through: datetime | None = None
    cancel_at: datetime | None = None
    paused: tuple[datetime, datetime | None] | None = None
    lost_by: str | None = None

    def now(self, at: datetime) -> datetime:
        """Its own time: what was paid for is not used up in a pause."""
        if self.paused is not None:
            began, until = self.paused
            if at < began:  # by a clock that runs late
                return at
            if until is not None and until <= at:
                self.wake(until)
                return at
            return began
        return at

    def wake(self, at: datetime) -> None:
        """Everything that lay ahead when the pause began is later by as long as it lasted."""
        assert self.paused is not None
        began, away = self.paused[0], at - self.paused[0]
        for stretch in self.stretches:
            if stretch.ends_at > began:
                stretch.starts_at += away if stretch.starts_at >= began else timedelta()
                stretch.ends_at += away
        for name in ("trial_end", "grace_ends", "paid_through", "cancel_at"):
            instant = getattr(self, name)
            if instant is not None and instant > began:
                setattr(self, name, instant + away)
        self.paused = None

    def pay(self, at: datetime, payment: str) -> None:
        """One more period: behind what is left, or from now on; whoever pays wants it all back."""
        self.now(at)
        if self.paused is not None:
            self.wake(at)
        end = max(filter(None, (self.paid_through, self.trial_end)), default=None)
        goes_on = end is not None and at < max(end, self.grace_ends or end)
        if goes_on and end is not None and _later(self.terms, end, 1) <= at:
            goes_on = False
        starts_at = end if goes_on and end is not None else at
        if self.anchor is None or _later(self.terms, *self.anchor) != starts_at:
            self.anchor = (starts_at, 0)
        self.anchor = (self.anchor[0], self.anchor[1] + 1)
        ends_at = _later(self.terms, *self.anchor)
        self.stretches.append(Stretch(payment, starts_at, ends_at))
        self.paid_through, self.cancel_at, self.lost_by = ends_at, None, None
        self.grace_ends = ends_at + timedelta(days=self.terms.grace_days)

    def take(self, at: datetime, payment: str, why: str) -> None:
        """The money went back: its time is cut out, and what follows moves up."""
        clock = self.now(at)
        stretch = next(s for s in self.stretches if s.payment == payment)
        used = min(max(clock, stretch.starts_at), stretch.ends_at)
        rest, was_end = stretch.ends_at - used, stretch.ends_at
        for later in self.stretches:
            if later is not stretch and later.starts_at >= was_end:
                later.starts_at, later.ends_at = later.starts_at - rest, later.ends_at - rest
        stretch.ends_at, stretch.rest, stretch.back = used, rest, why
        if not rest and was_end != self.paid_through:
            return
        self._shorten(rest, why, clock)

    def _shorten(self, rest: timedelta, why: str, clock: datetime) -> None:
        assert self.paid_through is not None and self.grace_ends is not None
        if self.grace_ends <= clock:
            return
        at_end = self.cancel_at is not None and self.cancel_at == self.paid_through
        self.paid_through, self.grace_ends = self.paid_through - rest, self.grace_ends - rest
        if self.paid_through <= clock:
            self.grace_ends, self.lost_by = self.paid_through, why
        elif self.paid_through == self.trial_end:
            self.paid_through, self.grace_ends, self.lost_by = None, None, why
        if at_end:
            self.cancel_at = self.paid_through or self.trial_end

    def restore(self, at: datetime, payment: str) -> None:
        """The dispute was won: what was taken follows what is left."""
        clock = self.now(at)
        stretch = next(s for s in self.stretches if s.payment == payment)
        stretch.back = None
        grace = timedelta(days=self.terms.grace_days)
        if stretch.rest:
            ends = filter(None, (self.paid_through, self.trial_end, clock))
            was_end = self.paid_through or self.trial_end
            at_end = self.cancel_at is not None and self.cancel_at == was_end
            stretch.starts_at = max(ends)
            stretch.ends_at = stretch.starts_at + stretch.rest
            self.paid_through, self.lost_by = stretch.ends_at, None
            self.grace_ends = stretch.ends_at + grace
            if at_end:
                self.cancel_at = self.paid_through
        elif self.lost_by is not None and stretch.ends_at == self.paid_through:
            self.grace_ends, self.lost_by = stretch.ends_at + grace, None

    def answer(self, at: datetime) -> Answer:
        """What is true at this instant."""
        clock = self.now(at)
        if self.cancel_at is not None and self.cancel_at <= clock:
            return self._say(False, self.lost_by or "expired")
        if self.paused is not None and self.paused[0] <= at:
            return self._say(False, "paused")
        if self.paid_through is not None and clock < self.paid_through:
            return self._say(True, "canceled_but_paid" if self.cancel_at else "paid")
        if self.trial_end is not None and clock < self.trial_end:
            return self._say(True, "trial")
        if self.grace_ends is not None and clock < self.grace_ends:
            return self._say(True, "grace")
        if self.lost_by is not None:
            return self._say(False, self.lost_by)
        if self.paid_through is None and self.trial_end is None:
            return self._say(False, "never_subscribed")
        return self._say(False, "expired")

    def _say(self, active: bool, reason: str) -> Answer:
        ends = filter(None, (self.paid_through, self.trial_end, self.grace_ends))
        ends_at = max(ends, default=None)
        if ends_at is not None and self.cancel_at is not None:
            ends_at = min(ends_at, self.cancel_at)
        return Answer(active, reason, self.paid_through, ends_at)


NOBODY = Answer(False, "never_subscribed", None, None)


def replay(terms: Terms, facts: list[Fact], at: datetime) -> Answer:
    """What the check must say at this instant, after all this happened."""
    line: _Line | None = None
    had_one = False
    for fact in facts:
        over = line is not None and _is_over(line, fact.at) and not _may_come_back(line)
        if fact.what in ("subscribed", "paid") and (line is None or over):
            line = _Line(terms)
            if fact.what == "subscribed" and terms.trial_days and not had_one:
                line.trial_end = fact.at + timedelta(days=terms.trial_days)
            had_one = True
        assert line is not None
        _apply(line, fact)
    return line.answer(at) if line is not None else NOBODY


def _is_over(line: _Line, at: datetime) -> bool:
    return line.cancel_at is not None and line.cancel_at <= line.now(at)


def _may_come_back(line: _Line) -> bool:
    return any(stretch.back is not None and stretch.rest for stretch in line.stretches)


def _apply(line: _Line, fact: Fact) -> None:
    clock = line.now(fact.at)
    match fact.what:
        case "paid":
            line.pay(fact.at, fact.of)
        case "refunded" | "disputed" if any(s.payment == fact.of for s in line.stretches):
            line.take(fact.at, fact.of, fact.what)
        case "won" if any(s.payment == fact.of for s in line.stretches):
            line.restore(fact.at, fact.of)
        case "canceled":
            end = max(filter(None, (line.paid_through, line.trial_end)), default=None)
            at_end = fact.of == "period_end" and end is not None and end > clock
            line.cancel_at = end if at_end else clock
        case "kept":
            line.cancel_at = None
        case "paused":
            line.paused = (fact.at, fact.of)
        case "resumed":
            line.wake(fact.at)


def _later(terms: Terms, anchor: datetime, times: int) -> datetime:
    if terms.unit == "day":
        return anchor + timedelta(days=terms.count * times)
    month = anchor.month - 1 + terms.count * times * (12 if terms.unit == "year" else 1)
    year, month = anchor.year + month // 12, month % 12 + 1
    day = anchor.day
    while True:
        try:
            return anchor.replace(year=year, month=month, day=day)
        except ValueError:
            day -= 1
