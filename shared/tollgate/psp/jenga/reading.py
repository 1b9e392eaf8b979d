"""What Jenga tells of a payment, as an Outcome.

Sources: Jenga's guides on querying an order's status (M-Pesa STK push) and transaction details.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, Method, PaymentStatus
from tollgate.psp.answers import mapping, optional_text
from tollgate.psp.jenga.api import code_of
from tollgate.psp.jenga.push import CURRENCY
from tollgate.psp.jenga.references import OrderReference, read_reference
from tollgate.psp.major_units import from_major

DEBITED_NOT_CREDITED = Failure(
    "debited_not_credited", "The client's money was taken, and did not arrive in our account."
)

_LOOK = {"type": "await_push", "phone": None}
"""Jenga does not tell which phone it prompts."""

_ENDS = {"Cancelled": PaymentStatus.CANCELED, "Expired": PaymentStatus.EXPIRED}
_INVOICE_STATUSES = frozenset({"Pending", "Paid", *_ENDS})


def read_order(body: Mapping[str, Any], asked: OrderReference, livemode: bool) -> Outcome:
    """A pushed order. UNKNOWN for a word that we don't know. Raises one of NOT_AS_DOCUMENTED.

    What was paid is compared by what the order was for: the client may have paid a service charge
    on top. No currency is told, and there is but one.
    """
    data = mapping(body["data"])
    order, invoices = mapping(data["order"]), _invoices(data)
    status = _order_status(order, invoices)
    if status is PaymentStatus.PENDING:
        return UNKNOWN
    paid = status is PaymentStatus.SUCCEEDED
    told = read_reference(order["orderReference"])
    return Outcome(
        status,
        psp_reference=asked.text,
        reference=told.payment_id if told is not None else None,
        money=_paid_money(order, invoices) if paid else _money(order["orderAmount"]),
        livemode=livemode,
        method=Method.MPESA,
        next_action=_LOOK if status is PaymentStatus.REQUIRES_ACTION else None,
        failure=DEBITED_NOT_CREDITED if status is PaymentStatus.NEEDS_REVIEW else None,
        references=_receipts(invoices),
    )


def _invoices(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What was asked of the client for it: a list by the documentation, and one alone as seen."""
    said = data.get("invoices", data.get("invoice"))
    if said is None:
        return ()
    return [mapping(one) for one in said] if isinstance(said, list) else (mapping(said),)


def _order_status(order: Mapping[str, Any], invoices: Sequence[Mapping[str, Any]]) -> PaymentStatus:
    """Ours for Jenga's; PENDING for what we don't know.

    `amountDebited` proves nothing: it is told of an invoice that nobody has paid yet. M-Pesa's
    receipt does: with it, what is not paid yet waits for Jenga, and what has ended unpaid is the
    client's money that did not arrive.
    """
    statuses = [invoice["invoiceStatus"] for invoice in invoices]
    if order["orderStatus"] == "Paid":
        return PaymentStatus.SUCCEEDED
    if order["orderStatus"] != "Pending" or not _INVOICE_STATUSES.issuperset(statuses):
        return PaymentStatus.PENDING
    taken = bool(_receipts(invoices))
    if "Paid" in statuses or (taken and "Pending" in statuses):
        return PaymentStatus.PROCESSING
    if taken:
        return PaymentStatus.NEEDS_REVIEW
    if not statuses or "Pending" in statuses:
        return PaymentStatus.REQUIRES_ACTION
    return _ENDS[statuses[-1]]


def _paid_money(order: Mapping[str, Any], invoices: Sequence[Mapping[str, Any]]) -> Money | None:
    """What the order was for, where what was paid is that, with the service charge or without;
    else what was paid, which then matches nothing."""
    asked, paid = _money(order["orderAmount"]), _money(order["amountPaid"])
    charges = [_money(invoice.get("charge") or 0) for invoice in invoices]
    if asked is None or paid is None or None in charges:
        return None
    charge_minor = sum(charge.amount_minor for charge in charges if charge is not None)
    is_explained = paid.amount_minor - asked.amount_minor in (0, charge_minor)
    return asked if is_explained else paid


def _money(amount: object) -> Money | None:
    return from_major(amount, CURRENCY)


def _receipts(invoices: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """M-Pesa's own, by which a person asks about it."""
    told = (optional_text(invoice.get("externalReference") or None) for invoice in invoices)
    return tuple(receipt for receipt in told if receipt is not None)


def read_details(body: Mapping[str, Any], asked: OrderReference, livemode: bool) -> Outcome:
    """A hosted checkout. UNKNOWN for a state that we don't know. Raises one of NOT_AS_DOCUMENTED.

    Where the state stands, and whether the currency is told, is known from few examples. A state
    is read wherever it may stand, and is unknown where two differ. Money counts as told only with
    its currency: there is no other query that tells it, and the notification that does is signed
    by nobody, so a payment without it is for a human. The service charge is never subtracted.
    """
    data = mapping(body.get("data") or {})
    states = {code_of(part["stateCode"]) for part in (data, body) if "stateCode" in part}
    status = _STATES.get(states.pop()) if len(states) == 1 else None
    if status is None:
        return UNKNOWN
    return Outcome(
        status,
        psp_reference=asked.text,
        reference=_payment_id(data, asked),
        money=_told_money(data),
        livemode=livemode,
        failure=_failure(data) if status is PaymentStatus.FAILED else None,
        references=_their_references(data),
    )


_STATES = {
    2: PaymentStatus.SUCCEEDED,
    1: PaymentStatus.FAILED,
    -1: PaymentStatus.REQUIRES_ACTION,
}


def _payment_id(data: Mapping[str, Any], asked: OrderReference) -> str:
    """Whom the answer names. It may name nobody, or by Jenga's own reference: then it is the one
    we asked for."""
    told = (read_reference(data.get(name)) for name in ("orderReference", "reference"))
    return next((one.payment_id for one in told if one is not None), asked.payment_id)


def _told_money(data: Mapping[str, Any]) -> Money | None:
    amount = data.get("orderAmount", data.get("amount"))
    currency = data.get("orderCurrency", data.get("currency"))
    if amount is None or currency is None:
        return None
    return from_major(amount, currency)


def _their_references(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Jenga's own names of the transaction."""
    told = (optional_text(data.get(name)) for name in ("transactionReference", "reference"))
    return tuple(name for name in told if name is not None and read_reference(name) is None)


def _failure(data: Mapping[str, Any]) -> Failure:
    code = code_of(data.get("code", 1))
    return Failure(f"jenga_{code}", "The payment did not go through.")
