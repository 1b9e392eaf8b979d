"""What Pesapal's stand-in remembers."""

from dataclasses import dataclass, field
from typing import Literal

from local.standin.outbox import Outbox

NotificationType = Literal["GET", "POST"]
OrderStatus = Literal["open", "paid", "failed", "canceled"]


@dataclass
class Ipn:
    """An address that was registered to be told of payments."""

    id: str
    url: str
    type: NotificationType
    created: float


@dataclass
class Charge:
    """What a client paid with, and how that went: what Pesapal says of an order after a try."""

    method: str
    account: str
    amount_minor: int
    currency: str
    confirmation_code: str = ""
    failure_code: str = ""


@dataclass
class Order:
    """One order. `reference` is the merchant's, as sent; amounts are in minor units.

    `refund_asked_minor` waits for somebody to approve it; `state` is what the API calls the order
    whatever it is, unless that is empty.
    """

    id: str
    reference: str
    amount_minor: int
    currency: str
    description: str
    callback_url: str
    cancellation_url: str
    notification_id: str
    created: float
    status: OrderStatus = "open"
    charge: Charge | None = None
    refund_asked_minor: int | None = None
    refunded_minor: int = 0
    state: str = ""


@dataclass
class State(Outbox):
    """Every order, address and token (with its end, in seconds since 1970) by its id."""

    orders: dict[str, Order] = field(default_factory=dict)
    ipns: dict[str, Ipn] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    token_requests: int = 0
