"""What Stripe's stand-in remembers."""

from dataclasses import dataclass, field

from local.standin.outbox import Outbox
from local.stripe.errors import Json


@dataclass
class Line:
    """One thing the client pays for: its name and how many of it."""

    name: str
    quantity: int


@dataclass
class Checkout:
    """What a session needs beside its public object."""

    lines: list[Line]
    merchant: str
    intent: Json  # payment_intent_data, for the PaymentIntent made when the client acts


@dataclass
class PaymentMethod:
    """A card that has been used; `customer` when it was saved for reuse."""

    card: str
    customer: str | None = None


@dataclass
class Settlement:
    """A delayed payment whose outcome comes at `due_at` (seconds since 1970)."""

    payment_intent: str
    due_at: float
    succeeds: bool


@dataclass
class KeptAnswer:
    """What an idempotency key replays until `expires_at`."""

    fingerprint: str
    request_id: str
    status: int
    body: Json
    expires_at: float


@dataclass
class State(Outbox):
    """Every object by its id; API objects are the JSON that Stripe would return."""

    sessions: dict[str, Json] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    payment_intents: dict[str, Json] = field(default_factory=dict)
    session_of_intent: dict[str, str] = field(default_factory=dict)
    charges: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    disputes: dict[str, Json] = field(default_factory=dict)
    balance_transactions: dict[str, Json] = field(default_factory=dict)
    customers: dict[str, Json] = field(default_factory=dict)
    payment_methods: dict[str, PaymentMethod] = field(default_factory=dict)
    away: list[str] = field(default_factory=list)  # intents charged while the client was away
    said: dict[str, str] = field(default_factory=dict)  # a state of nobody's, by object id
    settlements: list[Settlement] = field(default_factory=list)
    answers: dict[str, KeptAnswer] = field(default_factory=dict)
