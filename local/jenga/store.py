"""What Jenga's stand-in remembers."""

from dataclasses import dataclass, field
from typing import Literal

from local.standin.outbox import Outbox

Way = Literal["checkout", "push"]
Status = Literal["open", "paid", "failed", "expired", "canceled"]


@dataclass
class Order:
    """One order, by the hosted checkout or by a push. Amounts are in cents of the currency.

    reference     the merchant's; page, the unguessable part of its checkout's address
    callback_url  where the browser goes back to, or where a push's callback goes
    ends_at       when nobody can pay it any more; prompt_ends_at, when the phone's prompt is gone
    paid          what it was paid with, in `paid_currency`, without the charge on top
    receipt       M-Pesa's; set without `paid` where the money went astray
    said          a state that nobody has documented, told instead of the true one
    """

    reference: str
    way: Way
    amount: int
    currency: str
    description: str
    callback_url: str
    customer: str
    phone: str
    opened_at: float
    ends_at: float
    page: str
    invoice: str
    status: Status = "open"
    channel: str = ""
    prompt_ends_at: float | None = None
    paid: int = 0
    paid_currency: str = ""
    charge: int = 0
    paid_at: float | None = None
    receipt: str | None = None
    transaction: str | None = None
    remarks: str = ""
    payment_reference: str = ""
    said: str = ""


@dataclass
class State(Outbox):
    """Orders by the merchant's reference; tokens with the instant at which each ends."""

    orders: dict[str, Order] = field(default_factory=dict)
    payment_references: list[str] = field(default_factory=list)
    tokens: dict[str, float] = field(default_factory=dict)
    token_requests: int = 0
