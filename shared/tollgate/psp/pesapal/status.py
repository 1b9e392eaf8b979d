"""A transaction's status as an Outcome.

Source: developer.pesapal.com, API 3.0 (get transaction status). Only `status_code` is believed; the
texts beside it are written in several ways. Pesapal has no state for an order that was canceled or
that nobody will pay: it stays unpaid.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, Method, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.answers import optional_text, text
from tollgate.psp.major_units import from_major
from tollgate.psp.pesapal.answers import Answer
from tollgate.psp.pesapal.requests import payment_id_of

NOT_PAID_YET = "payment_details_not_found"
"""The error of an order that waits for its client. Its body may repeat nothing of the order."""

INVALID, COMPLETED, FAILED, REVERSED = 0, 1, 2, 3

_CARDS = ("visa", "mastercard", "amex", "americanexpress", "card")
_MOBILE_MONEY = (Method.MPESA, Method.AIRTEL, Method.EQUITEL, "mtn", "tigo", "tnm", "zamtel")
_METHOD_MAX_LENGTH = 32


@dataclass(frozen=True)
class Transaction:
    """What the status says. `code` is None where it says only that nobody has paid yet;
    `money` is None where it says none that we can have asked."""

    code: int | None
    reference: str | None
    money: Money | None
    method: str | None
    confirmation_code: str | None
    failure_code: str | None

    @property
    def is_mobile_money(self) -> bool:
        return (self.method or "").startswith(_MOBILE_MONEY)


def read_transaction(answer: Answer, tracking_id: str) -> Transaction:
    """The transaction that was asked for. Raises one of NOT_AS_DOCUMENTED for any other answer."""
    body, unpaid = answer.body, answer.error_code == NOT_PAID_YET
    code = _code(body.get("status_code"))
    if not answer.went_well and not (unpaid and code in (None, INVALID)):
        raise ValueError
    if code is None and not unpaid:
        raise ValueError
    told_of = body.get("order_tracking_id")
    if told_of and text(told_of).lower() != tracking_id.lower():
        raise ValueError
    return Transaction(
        code,
        reference=_reference(body.get("merchant_reference")),
        money=_money(body, needed=code in (COMPLETED, REVERSED)),
        method=_method(body.get("payment_method")),
        confirmation_code=optional_text(body.get("confirmation_code") or None),
        failure_code=_harmless(body.get("payment_status_code")),
    )


def outcome_of(transaction: Transaction, tracking_id: str, *, livemode: bool) -> Outcome:
    """The payment as it stands; UNKNOWN for a code that Pesapal does not document.

    What was reversed may have been refunded or charged back, wholly or in part: Pesapal does not
    tell. It counts as one refund of an amount that is not told.
    """
    status = _STATUSES.get(transaction.code)
    if status is None:
        return UNKNOWN
    refunds: tuple[RefundOutcome, ...] = ()
    if transaction.code == REVERSED:
        reversal = f"{tracking_id}-reversed"
        refunds = (RefundOutcome(reversal, None, None, RefundStatus.SUCCEEDED),)
    failure = None
    if status is PaymentStatus.FAILED:
        code = transaction.failure_code or "payment_failed"
        failure = Failure(code, "The payment did not go through at Pesapal.")
    return Outcome(
        status,
        psp_reference=tracking_id,
        reference=transaction.reference,
        money=transaction.money,
        livemode=livemode,
        method=transaction.method,
        failure=failure,
        refunds=refunds,
    )


_STATUSES = {
    None: PaymentStatus.REQUIRES_ACTION,
    INVALID: PaymentStatus.REQUIRES_ACTION,
    COMPLETED: PaymentStatus.SUCCEEDED,
    # for this try: the client may pay again on the same page, and then it is COMPLETED
    FAILED: PaymentStatus.FAILED,
    REVERSED: PaymentStatus.SUCCEEDED,
}


def _code(said: object) -> int | None:
    """A number, be it written as one or as a text. Raises TypeError, ValueError."""
    if said is None:
        return None
    if isinstance(said, bool) or not isinstance(said, int | str):
        raise TypeError
    return int(said)


def _reference(said: object) -> str | None:
    """Our payment id; another's reference as it is, so that it is seen not to be ours."""
    if said is None or said == "":
        return None
    return payment_id_of(said) or text(said)


def _money(body: Mapping[str, Any], *, needed: bool) -> Money | None:
    """Before anybody has paid, an amount of nothing, or none, says nothing."""
    amount, currency = body.get("amount"), body.get("currency")
    if not needed and (not currency or not amount or Decimal(amount) == 0):
        return None
    return from_major(amount, currency)


def _method(said: object) -> str | None:
    """`Visa` and `MasterCard` are card, `MpesaKE` is mpesa, `AirtelUG` is airtel."""
    if not said:
        return None
    name = re.sub(r"[^a-z0-9]", "", text(said).lower())
    if name.startswith(_CARDS):
        return Method.CARD
    for known in _MOBILE_MONEY:
        if isinstance(known, Method) and name.startswith(known):
            return known
    return name[:_METHOD_MAX_LENGTH] or None


def _harmless(said: object) -> str | None:
    if isinstance(said, str) and re.fullmatch(r"[a-z0-9_]{1,64}", said):
        return said
    return None
