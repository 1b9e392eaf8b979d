"""A Checkout Session as an Outcome: a payment on Stripe's own page.

Sources: docs.stripe.com/api/checkout/sessions, docs.stripe.com/payments/checkout/fulfillment
(delayed methods).
"""

from collections.abc import Mapping
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.answers import optional_text, text
from tollgate.psp.stripe.intents import (
    canceled_status,
    failure_of,
    method_of,
    received,
    references_of,
    saved_method_of,
)
from tollgate.psp.stripe.values import expanded, instant, money


def read_session(session: Mapping[str, Any]) -> Outcome:
    """The payment without its refunds, disputes and fee. UNKNOWN for a word that we don't know.

    Raises one of NOT_AS_DOCUMENTED.
    """
    intent = expanded(session.get("payment_intent"))
    status = _status(session, intent)
    if status is PaymentStatus.PENDING:
        return UNKNOWN
    awaits_client = status is PaymentStatus.REQUIRES_ACTION
    return Outcome(
        status,
        psp_reference=text(session["id"]),
        reference=optional_text(session.get("client_reference_id")),
        money=_money(session, intent, status),
        livemode=session.get("livemode"),
        method=method_of(intent),
        next_action=_redirect(session["url"]) if awaits_client else None,
        failure=failure_of(intent) if status is PaymentStatus.FAILED else None,
        expires_at=instant(session["expires_at"]),
        references=references_of(intent),
        saved_method=saved_method_of(intent, status),
    )


def _status(session: Mapping[str, Any], intent: Mapping[str, Any] | None) -> PaymentStatus:
    """Ours for Stripe's; a word that we don't know is PENDING, never a success."""
    match session.get("status"), session.get("payment_status"):
        case "open", _:
            return PaymentStatus.REQUIRES_ACTION
        case "expired", _:
            return PaymentStatus.EXPIRED
        case "complete", "paid":
            held = intent is not None and intent["status"] == "requires_capture"
            return PaymentStatus.AUTHORIZED if held else PaymentStatus.SUCCEEDED
        case "complete", "unpaid":
            return _unpaid(intent) if intent is not None else PaymentStatus.PROCESSING
        case _:
            return PaymentStatus.PENDING


def _unpaid(intent: Mapping[str, Any]) -> PaymentStatus:
    match intent["status"]:
        case "requires_capture":
            return PaymentStatus.AUTHORIZED
        case "succeeded":
            return PaymentStatus.SUCCEEDED  # captured; the session has not caught up
        case "requires_payment_method":
            return PaymentStatus.FAILED  # the page is closed: there is no other try on it
        case "canceled":
            return canceled_status(intent)
        case _:
            return PaymentStatus.PROCESSING  # a delayed method: the bank has not said yet


def _money(
    session: Mapping[str, Any], intent: Mapping[str, Any] | None, status: PaymentStatus
) -> Money | None:
    """What was received, once something was; what is asked for until then."""
    if status is not PaymentStatus.SUCCEEDED:
        return money(session["amount_total"], session["currency"])
    return received(intent) if intent is not None else None


def _redirect(url: object) -> Mapping[str, str]:
    return {"type": "redirect", "url": text(url, max_length=2048)}
