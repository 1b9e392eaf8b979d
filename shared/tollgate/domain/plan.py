"""A plan: what an app sells, and by which rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tollgate.domain.billing import Interval
from tollgate.domain.money import Money


class RefundRule(StrEnum):
    """What becomes of access when the client has its money back, or disputes the payment."""

    END_NOW = "end_now"
    PERIOD_END = "period_end"
    NEVER = "never"


class Proration(StrEnum):
    """What a change of plan does to the time that is paid for.

    `credit`: it changes now, and the rest buys as much time of the other plan as it is worth.
    `charge_now`: the same, once the client has paid what is missing to a whole period from now.
    `none`: it changes when the paid time ends.
    """

    CREDIT = "credit"
    CHARGE_NOW = "charge_now"
    NONE = "none"


@dataclass(frozen=True)
class Plan:
    """What an app sells: a period of `product`. Prices are kept per currency beside it.

    `refund_rule` says what a full refund or a dispute does to the time that was paid for. A bill
    opens `renewal_lead_days` before the time ends, and is asked for again `dunning_days` after.

    An archived one can't be chosen any more, nor paid for by who does not have it; who has it goes
    on, and is billed for it.
    """

    app_id: str
    code: str
    product: str
    interval: Interval
    trial_days: int
    grace_days: int
    refund_rule: RefundRule = RefundRule.END_NOW
    archived_at: datetime | None = None
    renewal_lead_days: int = 3
    dunning_days: tuple[int, ...] = (1, 3, 5, 7)
    proration: Proration = Proration.CREDIT


@dataclass(frozen=True)
class PricedPlan:
    """A plan with its price in each currency."""

    plan: Plan
    prices: tuple[Money, ...]
    created_at: datetime
