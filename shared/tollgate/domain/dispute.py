"""A dispute: the client's bank takes a payment back, and somebody decides who is right."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tollgate.domain.money import Money


class DisputeStatus(StrEnum):
    """Where a dispute stands. While it is open, and once it is lost, the money is gone."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


_S = DisputeStatus

DISPUTE_EDGES: Mapping[DisputeStatus, frozenset[DisputeStatus]] = {
    _S.OPEN: frozenset({_S.WON, _S.LOST}),
    _S.WON: frozenset({_S.OPEN, _S.LOST}),  # a second round
    _S.LOST: frozenset({_S.OPEN, _S.WON}),  # an appeal
}
"""Every move that is allowed: all of them, because banks reopen what was decided."""

TAKEN = frozenset({_S.OPEN, _S.LOST})


@dataclass(frozen=True)
class Dispute:
    """One dispute, as its row in `disputes` stands."""

    id: str
    app_id: str
    payment_id: str
    psp: str
    psp_reference: str
    money: Money
    status: DisputeStatus
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def has_the_money(self) -> bool:
        """Whether the client's bank has it now."""
        return self.status in TAKEN
