"""What a stand-in has told its receiver, and what it has still to tell."""

from dataclasses import dataclass, field


@dataclass
class Attempt:
    """One delivery tried: the receiver's status, or the name of what went wrong instead."""

    at: float
    status: int | None
    error: str | None = None
    accepted: bool = False


@dataclass
class Event:
    """Something that happened. `body` is the same text each time it is delivered.

    `to` is for a PSP that knows more than one receiver: an address, or the id of one registered.
    """

    id: str
    type: str
    created: int
    body: str
    attempts: list[Attempt] = field(default_factory=list)
    delivered_at: float | None = None
    to: str = ""


@dataclass(eq=False)  # two copies of one event are two deliveries
class Delivery:
    """One delivery to come. `order` decides among those due at one instant."""

    event: str
    due_at: float
    order: int
    held: bool = False
    failures: int = 0


@dataclass
class Outbox:
    """The part of every stand-in's state that deliveries need; a PSP's state derives from it."""

    events: dict[str, Event] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
