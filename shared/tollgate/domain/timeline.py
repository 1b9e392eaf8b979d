"""What happened to a payment, as its app may see it."""

from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.audit import AuditRow
from tollgate.domain.dispute import Dispute
from tollgate.domain.payment import Payment
from tollgate.domain.refund import Refund


@dataclass(frozen=True)
class PaymentDetails:
    """A payment with its refunds, its disputes, and what happened to them all, oldest first."""

    payment: Payment
    refunds: tuple[Refund, ...]
    disputes: tuple[Dispute, ...]
    timeline: tuple[AuditRow, ...]


@dataclass(frozen=True)
class Moment:
    """One thing that happened: when, what (`refund.succeeded`), to which object, and by whom."""

    at: datetime
    what: str
    object_id: str
    by: str


_OURS = frozenset({"reader", "reconcile"})


def moment(row: AuditRow) -> Moment:
    """A row of the audit log without what is nobody else's business: which key, which operator."""
    return Moment(row.at, row.action, row.object_id, _by(row))


def _by(row: AuditRow) -> str:
    if row.actor.startswith("webhook:"):
        return "psp"
    if row.actor in _OURS:
        return "tollgate"
    if row.actor.startswith("operator:") or row.action.startswith("payment.review_"):
        return "operator"
    return "app"
