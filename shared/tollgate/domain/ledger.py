"""Our books beside a PSP's: what both know, and where they differ."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tollgate.domain.money import Money
from tollgate.domain.outcome import Movement, MovementKind

Key = tuple[MovementKind, str]
"""What a movement goes by in both books."""


@dataclass(frozen=True)
class Booked:
    """A capture, refund or dispute in our ledger; `money` is positive.

    `reference` is our payment's id for a capture, else the PSP's of the refund or dispute.
    """

    kind: MovementKind
    reference: str
    payment_id: str
    money: Money
    at: datetime


@dataclass(frozen=True)
class Difference:
    """One thing on which the books differ; None: it is not in them."""

    kind: MovementKind
    reference: str
    payment_id: str | None
    here: Money | None
    there: Money | None


@dataclass
class Comparison:
    """What was compared: `matched` counts and sums by kind and currency."""

    matched: dict[tuple[MovementKind, str], tuple[int, int]] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    def compare(self, movement: Movement, booked: Booked | None) -> None:
        """What the PSP tells, beside what is booked of it here."""
        if booked is None or booked.money != movement.money:
            kind, reference = key_of(movement)
            here = booked.money if booked else None
            self.differences.append(
                Difference(kind, reference, movement.payment_id, here, movement.money)
            )
            return
        name = (movement.kind, movement.money.currency)
        count, total = self.matched.get(name, (0, 0))
        self.matched[name] = (count + 1, total + movement.money.amount_minor)

    def add_missing_there(self, booked: Iterable[Booked]) -> None:
        """What is booked here and the PSP did not tell of."""
        self.differences += [
            Difference(item.kind, item.reference, item.payment_id, item.money, None)
            for item in booked
        ]


def key_of(movement: Movement) -> Key:
    """What a movement goes by in our books: a capture by our payment, where the PSP knows it."""
    if movement.kind is MovementKind.CAPTURE and movement.payment_id is not None:
        return movement.kind, movement.payment_id
    return movement.kind, movement.psp_reference
