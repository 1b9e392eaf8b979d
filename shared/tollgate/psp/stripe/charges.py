"""What became of a charge: its fee, its refunds, its disputes.

Sources: docs.stripe.com/api (charges, refunds, disputes, balance transactions), docs.stripe.com/
refunds (failed refunds), docs.stripe.com/disputes (how they work, inquiries).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, RefundOutcome
from tollgate.domain.payment import Failure
from tollgate.domain.refund import RefundStatus
from tollgate.psp.answers import text
from tollgate.psp.stripe.values import expanded, money, our_reference, stated_money

_REFUND_STATUSES: Mapping[object, RefundStatus] = {
    "succeeded": RefundStatus.SUCCEEDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_DISPUTE_ENDS: Mapping[object, DisputeStatus] = {
    "won": DisputeStatus.WON,
    "prevented": DisputeStatus.WON,
    "lost": DisputeStatus.LOST,
}


def fee_of(charge: Mapping[str, Any]) -> Money | None:
    """What Stripe keeps of it, in the currency it settles in; None while Stripe has not said.

    Raises one of NOT_AS_DOCUMENTED, as all reading here does.
    """
    entry = expanded(charge.get("balance_transaction"))
    return money(entry["fee"], entry["currency"]) if entry is not None else None


def read_refunds(
    refunds: Iterable[Mapping[str, Any]], charge: Mapping[str, Any]
) -> tuple[RefundOutcome, ...]:
    """Every refund that gives money back."""
    return tuple(_refund(refund) for refund in refunds if not is_release(refund, charge))


def read_disputes(disputes: Iterable[Mapping[str, Any]]) -> tuple[DisputeOutcome, ...]:
    """Every dispute that takes money back, or may."""
    read = ((dispute, dispute_status(dispute)) for dispute in disputes)
    return tuple(
        DisputeOutcome(text(dispute["id"]), stated_money(dispute), status)
        for dispute, status in read
        if status is not None
    )


def refund_status(refund: Mapping[str, Any]) -> RefundStatus:
    """Ours for Stripe's; what is neither done nor failed by any word we know is pending."""
    return _REFUND_STATUSES.get(refund.get("status"), RefundStatus.PENDING)


def dispute_status(dispute: Mapping[str, Any]) -> DisputeStatus | None:
    """Ours for Stripe's. None for an inquiry, which takes no money.

    A word that we don't know is open: to believe that the money is there would be the worse error.
    """
    status = text(dispute["status"])
    if status.startswith("warning_"):
        return None
    return _DISPUTE_ENDS.get(status, DisputeStatus.OPEN)


def is_release(refund: Mapping[str, Any], charge: Mapping[str, Any]) -> bool:
    """Whether it only lets go of money that was held and never taken.

    Stripe writes what a partial capture leaves, and a hold that ends, as refunds too. Such a one
    is in no balance, for the money never was; and nobody asked for it under a reference of ours.
    """
    wholly_captured = charge.get("amount_captured") == charge.get("amount")
    return (
        not wholly_captured
        and refund_status(refund) is RefundStatus.SUCCEEDED
        and refund.get("balance_transaction") is None
        and our_reference(refund, "refund_id") is None
    )


def _refund(refund: Mapping[str, Any]) -> RefundOutcome:
    status = refund_status(refund)
    return RefundOutcome(
        psp_reference=text(refund["id"]),
        refund_id=our_reference(refund, "refund_id"),
        money=stated_money(refund),
        status=status,
        failure=_failure(refund) if status is RefundStatus.FAILED else None,
    )


def _failure(refund: Mapping[str, Any]) -> Failure:
    code = refund.get("failure_reason") or refund.get("status")
    return Failure(text(code), "The money did not go back.")
