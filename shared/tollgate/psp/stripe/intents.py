"""A PaymentIntent as an Outcome: one that the client pays on the app's own page, or one that is
charged to what the client let us keep.

Sources: docs.stripe.com/api/payment_intents, docs.stripe.com/payments/paymentintents/lifecycle,
docs.stripe.com/payments/save-and-reuse, docs.stripe.com/payments/place-a-hold-on-a-payment-method.
"""

from collections.abc import Mapping
from typing import Any

from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus, RetryAdvice
from tollgate.psp.answers import optional_text, text
from tollgate.psp.stripe.values import expanded, id_of, money, our_reference

CLIENT_AWAY = "client_away"
"""In the metadata of a PaymentIntent that was charged off session, which Stripe does not tell:
nobody tries again on such a one."""

_RAN_OUT = ("automatic", "expired")
"""Why Stripe itself cancels a PaymentIntent: the hold on the client's money has lapsed."""


def read_intent(intent: Mapping[str, Any], publishable_key: str | None) -> Outcome:
    """The payment without its refunds, disputes and fee. UNKNOWN for a word that we don't know.

    With the `publishable_key` of this deployment, an unpaid one says how the client may pay. Raises
    one of NOT_AS_DOCUMENTED.
    """
    status = _status(intent)
    if status is PaymentStatus.PENDING:
        return UNKNOWN
    paid = status is PaymentStatus.SUCCEEDED
    awaits_client = status is PaymentStatus.REQUIRES_ACTION
    return Outcome(
        status,
        psp_reference=text(intent["id"]),
        reference=our_reference(intent, "payment_id"),
        money=received(intent) if paid else money(intent["amount"], intent["currency"]),
        livemode=intent.get("livemode"),
        method=method_of(intent),
        next_action=_client_secret(intent, publishable_key) if awaits_client else None,
        failure=failure_of(intent) if status is PaymentStatus.FAILED else None,
        references=references_of(intent),
        saved_method=saved_method_of(intent, status),
    )


def canceled_status(intent: Mapping[str, Any]) -> PaymentStatus:
    """Whether a canceled one was let go, or ran out of time."""
    ran_out = intent.get("cancellation_reason") in _RAN_OUT
    return PaymentStatus.EXPIRED if ran_out else PaymentStatus.CANCELED


def received(intent: Mapping[str, Any]) -> Money | None:
    """What was taken of the client."""
    return money(intent["amount_received"], intent["currency"])


def charge_of(intent: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The last try to take the money, where it was asked for and there is one."""
    return expanded((intent or {}).get("latest_charge"))


def method_of(intent: Mapping[str, Any] | None) -> str | None:
    """What it was paid with (`card`, …), where the charge says so."""
    details = expanded((charge_of(intent) or {}).get("payment_method_details"))
    return optional_text((details or {}).get("type"))


def references_of(intent: Mapping[str, Any] | None) -> tuple[str, ...]:
    """How Stripe's events speak of the payment: by its PaymentIntent, or by its charge."""
    if intent is None:
        return ()
    charge_id = id_of(intent.get("latest_charge"))
    return (text(intent["id"]), *([charge_id] if charge_id is not None else []))


def saved_method_of(intent: Mapping[str, Any] | None, status: PaymentStatus) -> SavedMethod | None:
    """What the client agreed to pay with later too; None unless this payment was agreed to."""
    agreed = status in (PaymentStatus.SUCCEEDED, PaymentStatus.AUTHORIZED)
    if intent is None or not agreed or intent.get("setup_future_usage") != "off_session":
        return None
    customer, method = id_of(intent.get("customer")), id_of(intent.get("payment_method"))
    if customer is None or method is None:
        return None
    return SavedMethod(customer, method)


# docs.stripe.com/declines: what the card networks and Stripe say of trying again
_ADVICE = {
    "try_again_later": RetryAdvice.LATER,
    "do_not_try_again": RetryAdvice.NEVER,
    "confirm_card_data": RetryAdvice.CLIENT,
}


def failure_of(intent: Mapping[str, Any] | None) -> Failure:
    """Why the last try failed, by the bank's code where Stripe passes it on."""
    error = (intent or {}).get("last_payment_error") or {}
    code = text(error.get("decline_code") or error.get("code") or "payment_failed")
    if code == "authentication_required":
        return Failure(
            code,
            "The client's bank wants the client to confirm: let the client pay on a page.",
            RetryAdvice.CLIENT,
        )
    advice = _ADVICE.get(str(error.get("advice_code")))
    return Failure(code, "The payment did not go through.", advice)


def _status(intent: Mapping[str, Any]) -> PaymentStatus:
    """Ours for Stripe's; a word that we don't know is PENDING, never a success."""
    match intent.get("status"):
        case "requires_payment_method" if our_reference(intent, CLIENT_AWAY):
            return PaymentStatus.FAILED
        case "requires_payment_method" | "requires_confirmation" | "requires_action":
            return PaymentStatus.REQUIRES_ACTION  # after a decline too: the client may try again
        case "processing":
            return PaymentStatus.PROCESSING
        case "requires_capture":
            return PaymentStatus.AUTHORIZED
        case "succeeded":
            return PaymentStatus.SUCCEEDED
        case "canceled":
            return canceled_status(intent)
        case _:
            return PaymentStatus.PENDING


def _client_secret(
    intent: Mapping[str, Any], publishable_key: str | None
) -> Mapping[str, str] | None:
    if publishable_key is None:
        return None
    return {
        "type": "client_secret",
        "value": text(intent["client_secret"]),
        "publishable_key": publishable_key,
    }
