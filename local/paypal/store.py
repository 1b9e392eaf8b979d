"""What PayPal's stand-in remembers."""

from dataclasses import dataclass, field

from local.paypal.errors import Json
from local.standin.outbox import Outbox


@dataclass
class Order:
    """An order: `shown` is the JSON that PayPal would return.

    `funding_declined`: the client approved it with something that has no money on it. `say`: the
    word that the API says of it in the place of the true one. `saves_method`: what it is paid with
    is to be kept.
    """

    shown: Json
    return_url: str
    cancel_url: str
    lapses_at: float
    is_lapsed: bool = False
    funding_declined: bool = False
    say: str = ""
    saves_method: bool = False


@dataclass
class Capture:
    """A capture: which order it is of; its refunds, also one that the order does not list."""

    shown: Json
    order: str
    refunds: list[str] = field(default_factory=list)


@dataclass
class Refund:
    """A refund; a reversal is one that nobody asked for, and that the order does not list."""

    shown: Json
    capture: str
    is_reversal: bool = False


@dataclass
class Dispute:
    """A dispute about a capture."""

    shown: Json
    capture: str


@dataclass
class Done:
    """What a PayPal-Request-Id did, until `expires_at`: the same one again only looks at it."""

    fingerprint: str
    subject: str
    expires_at: float


@dataclass
class State(Outbox):
    """Every object by its id; `tokens` by their value, with the instant at which each ends."""

    orders: dict[str, Order] = field(default_factory=dict)
    captures: dict[str, Capture] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)
    vault: dict[str, str] = field(default_factory=dict)  # the customer of each kept method
    done: dict[str, Done] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    token_requests: int = 0
