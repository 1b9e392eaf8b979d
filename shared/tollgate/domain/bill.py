"""A bill: what a client is asked to pay for a subscription, and when it is asked.

One schedule serves both ways of paying. On each of its days a saved method is charged; where there
is none, the client is asked: by a prompt on its phone where a PSP has one, and by its app, which is
told and has a link to the pay page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tollgate.domain.billing import after
from tollgate.domain.money import Money
from tollgate.domain.plan import Plan
from tollgate.domain.principal import Tenant


class BillKind(StrEnum):
    """What it is for: a period, or what is missing to one of another plan from now on."""

    PERIOD = "period"
    CHANGE = "change"


class BillStatus(StrEnum):
    """Void: it is not asked for any more. Should it be paid all the same, it counts."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"


@dataclass(frozen=True)
class Bill:
    """One bill, as its row in `bills` stands.

    `due_at` is when what it is for begins, if it is paid in time. `price` is that of a whole period
    when the bill was opened, `money` what is asked. `is_charged`: a saved method may be charged;
    else only the client can pay. `closes_at` is when it is given up, `next_step_at` when somebody
    sees to it next.
    """

    id: str
    app_id: str
    client_id: str
    subscription_id: str
    kind: BillKind
    due_at: datetime
    plan: str
    product: str
    money: Money
    price: Money
    livemode: bool
    opened_at: datetime
    closes_at: datetime
    updated_at: datetime
    status: BillStatus = BillStatus.OPEN
    is_charged: bool = True
    next_step_at: datetime | None = None

    @property
    def tenant(self) -> Tenant:
        """Whose bill it is."""
        return Tenant(self.app_id)


_CHANGE_STANDS_FOR = timedelta(hours=23)
"""For how long the price of a change of plan is good; as long as a payment can be paid."""

_FIRST_ASKED = timedelta(days=1)
"""A day ahead, so that a charge that takes a while, or is declined once, costs no access."""


def closing(plan: Plan, due_at: datetime) -> datetime:
    """When a bill for a period is given up: after its last day, and not before grace is over."""
    days = max(plan.grace_days, *(day + 1 for day in plan.dunning_days), 1)
    return due_at + timedelta(days=days)


def change_closing(paid_through: datetime, now: datetime) -> datetime:
    """When a bill for a change of plan is given up: before there is nothing left to change, so that
    the renewal is asked for in time."""
    return min(now + _CHANGE_STANDS_FOR, paid_through)


def steps(plan: Plan, due_at: datetime) -> tuple[datetime, ...]:
    """When the bill is asked for, besides that the app is told when it opens."""
    a_quarter = (after(due_at, plan.interval, 1) - due_at) / 4  # a plan of a day was paid a day ago
    ahead = min(_FIRST_ASKED, a_quarter)
    return (due_at - ahead, *(due_at + timedelta(days=day) for day in plan.dunning_days))


def next_step(asked: Sequence[datetime], closes_at: datetime, now: datetime) -> datetime:
    """The first of these steps that lies ahead; after the last, the bill's end.

    What was missed meanwhile is not made up for: the client is asked once, then by the schedule.
    """
    return min((step for step in asked if now < step < closes_at), default=closes_at)


def first_step(asked: Sequence[datetime], now: datetime) -> datetime:
    """When a bill that opens now is asked for first: at once, where that is late already."""
    return max(min(asked), now)
