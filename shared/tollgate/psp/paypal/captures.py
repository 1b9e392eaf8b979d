"""What was taken of an order, and what went back.

Sources: PayPal's OpenAPI documents of Orders v2 and Payments v2 (payment_collection, capture,
capture_status_details, refund, seller_receivable_breakdown).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.domain.dispute import TAKEN
from tollgate.domain.money import Money
from tollgate.domain.outcome import DisputeOutcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.answers import mapping, optional_text, text
from tollgate.psp.paypal.amounts import money, stated_money

_CAPTURE_STATUSES: Mapping[str, PaymentStatus] = {
    "COMPLETED": PaymentStatus.SUCCEEDED,
    "PARTIALLY_REFUNDED": PaymentStatus.SUCCEEDED,
    "REFUNDED": PaymentStatus.SUCCEEDED,
    "PENDING": PaymentStatus.PROCESSING,
    "DECLINED": PaymentStatus.FAILED,
    "FAILED": PaymentStatus.FAILED,
}
_REFUND_STATUSES: Mapping[str, RefundStatus] = {
    "COMPLETED": RefundStatus.SUCCEEDED,
    "PENDING": RefundStatus.PENDING,
    "FAILED": RefundStatus.FAILED,
    "CANCELLED": RefundStatus.FAILED,
}
_TAKEN_BACK = ("BUYER_COMPLAINT", "CHARGEBACK")
"""Why money that had been taken is pending or declined again."""


@dataclass(frozen=True)
class Captured:
    """One capture. `status` is what a payment of it alone would be; pending: a word that we don't
    know. `is_contested`: not there, and the reason is the client's complaint."""

    id: str
    status: PaymentStatus
    word: str
    money: Money | None
    reference: str | None
    fee: Money | None
    is_contested: bool

    @property
    def may_be_disputed(self) -> bool:
        """Whether there is money, or was, that somebody can want back."""
        return self.status is PaymentStatus.SUCCEEDED or self.is_contested


def read_captures(unit: Mapping[str, Any]) -> tuple[Captured, ...]:
    """Every capture of a purchase unit. Raises one of NOT_AS_DOCUMENTED, as all reading here."""
    return tuple(_capture(one) for one in _payments(unit).get("captures") or ())


def authorization_ids(unit: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(text(one["id"]) for one in _payments(unit).get("authorizations") or ())


def total(captures: Iterable[Captured]) -> Money | None:
    """What these took together; None where that is no one sum."""
    moneys = [capture.money for capture in captures]
    known = [one for one in moneys if one is not None]
    currencies = {one.currency for one in known}
    if len(currencies) != 1 or len(known) != len(moneys):
        return None
    return Money(sum(one.amount_minor for one in known), currencies.pop())


def read_refunds(
    unit: Mapping[str, Any],
    captures: Iterable[Captured],
    disputes: tuple[DisputeOutcome, ...],
) -> tuple[RefundOutcome, ...]:
    """Every refund that PayPal lists, and what went back without being listed.

    A capture's own word is what tells of a reversal, which no list need show. ValueError where it
    says that a part went back and nothing says how much.
    """
    listed = tuple(_refund(one, unit) for one in _payments(unit).get("refunds") or ())
    counted = [one.money for one in listed if one.status is not RefundStatus.FAILED]
    counted += [one.money for one in disputes if one.status in TAKEN]
    for capture in captures:
        if capture.word == "PARTIALLY_REFUNDED" and not counted:
            raise ValueError
        if capture.word == "REFUNDED" and capture.money is not None:
            told = sum(one.amount_minor for one in counted if one is not None)
            missing = Money(capture.money.amount_minor - told, capture.money.currency)
            if missing.amount_minor > 0:
                reversal = RefundOutcome(capture.id, None, missing, RefundStatus.SUCCEEDED)
                return (*listed, reversal)
    return listed


def _payments(unit: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(unit.get("payments") or {})


def _capture(capture: Mapping[str, Any]) -> Captured:
    word = text(capture["status"])
    status = _CAPTURE_STATUSES.get(word, PaymentStatus.PENDING)
    reason = mapping(capture.get("status_details") or {}).get("reason")
    breakdown = mapping(capture.get("seller_receivable_breakdown") or {})
    fee = breakdown.get("paypal_fee") or breakdown.get("paypal_fee_in_receivable_currency")
    return Captured(
        id=text(capture["id"]),
        status=status,
        word=word,
        money=money(capture["amount"]),
        reference=optional_text(capture.get("custom_id")),
        fee=money(fee) if fee is not None else None,
        is_contested=status is not PaymentStatus.SUCCEEDED and reason in _TAKEN_BACK,
    )


def _refund(refund: Mapping[str, Any], unit: Mapping[str, Any]) -> RefundOutcome:
    """A word that we don't know is pending."""
    word = text(refund["status"])
    status = _REFUND_STATUSES.get(word, RefundStatus.PENDING)
    failed = status is RefundStatus.FAILED
    return RefundOutcome(
        psp_reference=text(refund["id"]),
        refund_id=_our_refund_id(refund, unit),
        money=stated_money(refund["amount"]),
        status=status,
        failure=Failure(word.lower(), "The money did not go back.") if failed else None,
    )


def _our_refund_id(refund: Mapping[str, Any], unit: Mapping[str, Any]) -> str | None:
    """What we sent with it. One that was made in PayPal's pages bears its payment's own ids."""
    of_payment = {unit.get("custom_id"), unit.get("invoice_id"), unit.get("reference_id")}
    for name in ("custom_id", "invoice_id"):
        if (given := refund.get(name)) is not None and given not in of_payment:
            return text(given)
    return None
