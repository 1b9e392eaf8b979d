"""An order as an Outcome.

Source: PayPal's OpenAPI document of Orders v2 (order, order_status, payment_source_response). An
order that is COMPLETED says only that a capture was tried: whether money was taken stands in its
captures.
"""

from collections.abc import Mapping
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN, DisputeOutcome, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.answers import mapping, optional_text, text
from tollgate.psp.paypal.amounts import money
from tollgate.psp.paypal.captures import (
    Captured,
    authorization_ids,
    read_captures,
    read_refunds,
    total,
)

PAGE_LINKS = ("payer-action", "approve")
"""Where the client approves: the first of an order that names its payment_source, as ours do."""

_WORDS: Mapping[str, PaymentStatus] = {
    "CREATED": PaymentStatus.REQUIRES_ACTION,
    "SAVED": PaymentStatus.REQUIRES_ACTION,
    "PAYER_ACTION_REQUIRED": PaymentStatus.REQUIRES_ACTION,
    "APPROVED": PaymentStatus.AUTHORIZED,
    "VOIDED": PaymentStatus.CANCELED,
    "COMPLETED": PaymentStatus.FAILED,
}
"""Of an order of which nothing was taken."""


def unit_of(order: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one purchase unit of our orders. Raises one of NOT_AS_DOCUMENTED, as all reading here."""
    (unit,) = order["purchase_units"]
    return mapping(unit)


def read_order(
    order: Mapping[str, Any], livemode: bool, disputes: tuple[DisputeOutcome, ...] = ()
) -> Outcome:
    """The payment with what became of it. UNKNOWN for a word that we don't know.

    `livemode` is our own: PayPal states none, and its two modes share no address and no account.
    """
    unit = unit_of(order)
    captures = read_captures(unit)
    taken = [one for one in captures if _is_taken(one, disputes)]
    status = _status(text(order["status"]), captures, bool(taken))
    if status is PaymentStatus.PENDING:
        return UNKNOWN
    fees = [one.fee for one in taken if one.fee is not None]
    return Outcome(
        status,
        psp_reference=text(order["id"]),
        reference=_reference(unit, captures),
        money=total(taken) if taken else _asked(unit, captures),
        livemode=livemode,
        method=_method(order),
        next_action=_page(order) if status is PaymentStatus.REQUIRES_ACTION else None,
        failure=_failure(captures) if status is PaymentStatus.FAILED else None,
        fee=fees[0] if fees else None,
        references=(*(one.id for one in captures), *authorization_ids(unit)),
        saved_method=_saved_method(order),
        refunds=read_refunds(unit, taken, disputes) if taken else (),
        disputes=disputes if taken else (),
    )


def _is_taken(capture: Captured, disputes: tuple[DisputeOutcome, ...]) -> bool:
    """Money that a dispute holds was taken before."""
    return capture.status is PaymentStatus.SUCCEEDED or (capture.is_contested and bool(disputes))


def _status(word: str, captures: tuple[Captured, ...], is_taken: bool) -> PaymentStatus:
    """PENDING, which is never a success, for a word that we don't know, be it of one capture."""
    said = {capture.status for capture in captures}
    if PaymentStatus.PENDING in said or word not in _WORDS:
        return PaymentStatus.PENDING
    if is_taken:
        return PaymentStatus.SUCCEEDED
    if PaymentStatus.PROCESSING in said:
        return PaymentStatus.PROCESSING
    if word == "COMPLETED" and not captures:
        return PaymentStatus.PENDING  # none of ours: it was authorized, or its captures are hidden
    return _WORDS[word]


def _asked(unit: Mapping[str, Any], captures: tuple[Captured, ...]) -> Money | None:
    """The answer to a capture does not repeat the order's amount."""
    amount = unit.get("amount")
    return money(amount) if amount is not None else total(captures)


def _reference(unit: Mapping[str, Any], captures: tuple[Captured, ...]) -> str | None:
    """Our id, as the order bears it, or as its captures do."""
    of_captures = (capture.reference for capture in captures if capture.reference is not None)
    return optional_text(unit.get("custom_id")) or next(of_captures, None)


def _page(order: Mapping[str, Any]) -> Mapping[str, str] | None:
    for link in order.get("links") or ():
        if link["rel"] in PAGE_LINKS:
            return {"type": "redirect", "url": text(link["href"], max_length=2048)}
    return None


def _method(order: Mapping[str, Any]) -> str | None:
    """What it is paid with (`paypal`, `card`, …), where there is one."""
    sources = list(mapping(order.get("payment_source") or {}))
    return text(sources[0]) if len(sources) == 1 else None


def _saved_method(order: Mapping[str, Any]) -> SavedMethod | None:
    """What the client let us keep; None while PayPal has only agreed to keep it."""
    found = order
    for name in ("payment_source", "paypal", "attributes", "vault"):
        found = mapping(found.get(name) or {})
    vault_id = optional_text(found.get("id"))
    if vault_id is None or found.get("status", "VAULTED") != "VAULTED":
        return None
    customer = mapping(found.get("customer") or {})
    return SavedMethod(optional_text(customer.get("id")) or "", vault_id)


def _failure(captures: tuple[Captured, ...]) -> Failure:
    return Failure(f"capture_{captures[-1].word.lower()}", "The payment did not go through.")
