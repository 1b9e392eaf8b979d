"""What happens to payments at a PSP, drawn from a seed, and what must have come of it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.scripted_psp import ScriptedPsp
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.order import Order
from tollgate.domain.outcome import Outcome, RefundOutcome
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.refund import RefundStatus

AMOUNT_MINOR = 150_000
TWICE = 0.3
"""How many of the events arrive twice."""


@dataclass
class BusyPsp(ScriptedPsp):
    """Knows the state of each payment, and is asked about many at once."""

    states: dict[str, PaymentStatus] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    by_payment: dict[str, dict[str, RefundOutcome]] = field(default_factory=dict)

    def start(self, order: Order) -> Outcome:
        with self.lock:
            return super().start(order)

    def fetch(self, psp_reference: str) -> Outcome:
        with self.lock:
            self.status = self.states.get(psp_reference, PaymentStatus.REQUIRES_ACTION)
            return super().fetch(psp_reference)

    def say_of(self, psp_reference: str, refund: RefundOutcome) -> None:
        """What it says of a refund from now on."""
        self.by_payment.setdefault(psp_reference, {})[refund.psp_reference] = refund

    def _order(self, psp_reference: str) -> Order:
        return self.opened[f"tollgate-{psp_reference.removeprefix('ref_')}"]

    def _refunds_of(self, psp_reference: str) -> tuple[RefundOutcome, ...]:
        return tuple(self.by_payment.get(psp_reference, {}).values())


@dataclass
class Story:
    """One payment: what happens to it at the PSP, in order, and what follows from it."""

    payment_id: str
    facts: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    ends: PaymentStatus = PaymentStatus.SUCCEEDED
    refunds: dict[str, RefundOutcome] = field(default_factory=dict)
    dispute: DisputeStatus | None = None

    @property
    def refunded(self) -> int:
        """What went back in the end, in minor units."""
        done = (r.money for r in self.refunds.values() if r.status is RefundStatus.SUCCEEDED)
        return sum(money.amount_minor for money in done if money is not None)

    @property
    def expected(self) -> PaymentStatus:
        """The state that it ends in."""
        if self.ends is not PaymentStatus.SUCCEEDED:
            return self.ends
        if self.dispute in (DisputeStatus.OPEN, DisputeStatus.LOST):
            return PaymentStatus.DISPUTED
        if self.refunded == AMOUNT_MINOR:
            return PaymentStatus.REFUNDED
        return PaymentStatus.PARTIALLY_REFUNDED if self.refunded else PaymentStatus.SUCCEEDED

    def add(self, what: str, change: Callable[[], None]) -> None:
        """One more fact, with the id of the event that tells it."""
        self.facts.append((f"{self.payment_id}-{len(self.facts)}-{what}", change))


def story(random: Random, psp: BusyPsp, payment_id: str) -> Story:
    """A payment that fails, or is paid, refunded once or more, disputed, in any mixture."""
    told = Story(payment_id)
    reference = f"ref_{payment_id}"
    if random.random() < 0.1:
        told.ends = random.choice([PaymentStatus.FAILED, PaymentStatus.EXPIRED])
        told.add("ended", partial(psp.states.__setitem__, reference, told.ends))
        if random.random() < 0.5:
            return told
    told.ends = PaymentStatus.SUCCEEDED  # also after it had ended: money wins
    told.add("paid", partial(psp.states.__setitem__, reference, PaymentStatus.SUCCEEDED))
    for number in range(random.choice([0, 0, 1, 1, 2, 3])):
        _add_refund(random, psp, told, f"re_{payment_id}_{number}")
    if random.random() < 0.3:
        closed = random.choice([(), (DisputeStatus.WON,), (DisputeStatus.LOST,)])
        for status in (DisputeStatus.OPEN, *closed):
            whole = Money(AMOUNT_MINOR, "KES")
            told.add("dispute", partial(psp.dispute, payment_id, whole, status))
            told.dispute = status
    return told


def _add_refund(random: Random, psp: BusyPsp, told: Story, name: str) -> None:
    left = AMOUNT_MINOR - told.refunded
    if not left:
        return
    money = Money(random.choice([left, max(1, left // 3)]), "KES")
    ends = [RefundStatus.SUCCEEDED]
    if random.random() < 0.3:
        ends = [RefundStatus.PENDING, *ends]
    if random.random() < 0.3:
        ends.append(RefundStatus.FAILED)
    for status in ends:
        refund = RefundOutcome(name, None, money, status)
        told.add(f"refund-{status}", partial(psp.say_of, f"ref_{told.payment_id}", refund))
        told.refunds[name] = refund


@dataclass(frozen=True)
class Arrival:
    """An event that is delivered: of which payment, and under which id."""

    payment_id: str
    event_id: str


def shuffled(random: Random, stories: list[Story]) -> list[Arrival | Callable[[], None]]:
    """The facts of each payment in their order, among those of the others, and each event some time
    after its fact, often after the next ones; three in ten of them twice."""
    timed: list[tuple[float, Arrival | Callable[[], None]]] = []
    for told in stories:
        at = random.random()
        for event_id, change in told.facts:
            at += random.random() * 0.2
            timed.append((at, change))
            # a PSP tells most things by two events
            for name in (event_id, f"{event_id}-too"):
                for _ in range(2 if random.random() < TWICE else 1):
                    later = random.random() * random.choice([0.01, 0.5])
                    timed.append((at + later, Arrival(told.payment_id, name)))
    return [happening for _, happening in sorted(timed, key=lambda item: item[0])]
