"""What the stand-in remembers, in memory and, when asked, in a file."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

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
class Attempt:
    """One delivery tried: the receiver's status, or the name of what went wrong instead."""

    at: float
    status: int | None
    error: str | None = None


@dataclass
class Event:
    """`body` is the exact text delivered each time."""

    id: str
    type: str
    created: int
    body: str
    attempts: list[Attempt] = field(default_factory=list)
    delivered_at: float | None = None


@dataclass(eq=False)  # two copies of one event are two deliveries
class Delivery:
    """One delivery to come. `order` decides among those due at one instant."""

    event: str
    due_at: float
    order: int
    held: bool = False
    failures: int = 0


@dataclass
class KeptAnswer:
    """What an idempotency key replays until `expires_at`."""

    fingerprint: str
    request_id: str
    status: int
    body: Json
    expires_at: float


@dataclass
class State:
    """Every object by its id; API objects are the JSON that Stripe would return."""

    sessions: dict[str, Json] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    payment_intents: dict[str, Json] = field(default_factory=dict)
    session_of_intent: dict[str, str] = field(default_factory=dict)
    charges: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    disputes: dict[str, Json] = field(default_factory=dict)
    balance_transactions: dict[str, Json] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
    payment_methods: dict[str, PaymentMethod] = field(default_factory=dict)
    settlements: list[Settlement] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    answers: dict[str, KeptAnswer] = field(default_factory=dict)


_STATE = TypeAdapter(State)


class Store:
    """Holds the state; `save` writes it where a crash leaves either the old file or the new one.

    Raises pydantic.ValidationError for a file that another version wrote: delete it then.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self.state = State()
        if file is not None and file.exists():
            self.state = _STATE.validate_json(file.read_bytes())

    def save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_STATE.dump_json(self.state))
        unfinished.replace(self._file)
