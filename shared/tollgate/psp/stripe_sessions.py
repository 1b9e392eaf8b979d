"""A Checkout Session as an Outcome: where the payment stands until it is paid.

Sources: docs.stripe.com/api (checkout sessions, payment intents),
docs.stripe.com/payments/place-a-hold-on-a-payment-method.
"""

from collections.abc import Mapping
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.stripe_values import expanded, instant, money, optional_text, text

_RAN_OUT = ("automatic", "expired")
"""Why Stripe itself cancels a PaymentIntent: the hold on the client's money has lapsed."""


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
        method=_method(intent),
        next_action=_redirect(session["url"]) if awaits_client else None,
        failure=_failure(intent) if status is PaymentStatus.FAILED else None,
        expires_at=instant(session["expires_at"]),
    )


def charge_of(session: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The last try to take the money, where it was asked for and there is one."""
    intent = expanded(session.get("payment_intent"))
    return expanded((intent or {}).get("latest_charge"))


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
            return PaymentStatus.FAILED
        case "canceled":
            ran_out = intent.get("cancellation_reason") in _RAN_OUT
            return PaymentStatus.EXPIRED if ran_out else PaymentStatus.CANCELED
        case _:
            return PaymentStatus.PROCESSING  # a delayed method: the bank has not said yet


def _money(
    session: Mapping[str, Any], intent: Mapping[str, Any] | None, status: PaymentStatus
) -> Money | None:
    """What was received, once something was; what is asked for until then."""
    if status is not PaymentStatus.SUCCEEDED:
        return money(session["amount_total"], session["currency"])
    if intent is not None:
        return money(intent["amount_received"], intent["currency"])
    return None


def _redirect(url: object) -> Mapping[str, str]:
    return {"type": "redirect", "url": text(url, max_length=2048)}


def _method(intent: Mapping[str, Any] | None) -> str | None:
    """What it was paid with (`card`, …), where the charge says so."""
    charge = expanded((intent or {}).get("latest_charge"))
    details = expanded((charge or {}).get("payment_method_details"))
    return optional_text((details or {}).get("type"))


def _failure(intent: Mapping[str, Any] | None) -> Failure:
    error = (intent or {}).get("last_payment_error") or {}
    code = error.get("decline_code") or error.get("code") or "payment_failed"
    return Failure(text(code), "The payment did not go through.")
