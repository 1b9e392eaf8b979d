"""Objects of Stripe's API, as far as the adapter reads them."""

from typing import Any

AWAY = {"payment_id": "pay_1", "client_away": "true"}
"""Metadata of a PaymentIntent that was charged while the client was away."""


def charge(**more: Any) -> dict[str, Any]:
    """A Charge of KES 1,500.00, paid and captured, with Stripe's fee in another currency."""
    return {
        "id": "ch_1",
        "object": "charge",
        "amount": 150_000,
        "amount_captured": 150_000,
        "balance_transaction": {"created": 1_790_000_001, "currency": "usd", "fee": 64},
        "captured": True,
        "created": 1_790_000_000,
        "currency": "kes",
        "disputed": False,
        "metadata": {"payment_id": "pay_1"},
        "paid": True,
        "payment_intent": "pi_1",
        "payment_method_details": {"type": "card"},
        "refunds": listed(),
        "status": "succeeded",
    } | more


def listed(*found: dict[str, Any], has_more: bool = False) -> dict[str, Any]:
    """A page of a list."""
    return {"object": "list", "data": list(found), "has_more": has_more}


def refund(**more: Any) -> dict[str, Any]:
    """A Refund of KES 500.00 that we asked for."""
    return {
        "id": "re_1",
        "object": "refund",
        "amount": 50_000,
        "balance_transaction": "txn_2",
        "charge": "ch_1",
        "created": 1_790_000_100,
        "currency": "kes",
        "failure_reason": None,
        "metadata": {"refund_id": "ref_1", "payment_id": "pay_1"},
        "payment_intent": "pi_1",
        "status": "succeeded",
    } | more


def dispute(**more: Any) -> dict[str, Any]:
    """A Dispute of the whole charge."""
    return {
        "id": "dp_1",
        "object": "dispute",
        "amount": 150_000,
        "charge": "ch_1",
        "created": 1_790_000_200,
        "currency": "kes",
        "metadata": {},
        "payment_intent": "pi_1",
        "status": "needs_response",
    } | more


def intent(status: str = "succeeded", **more: Any) -> dict[str, Any]:
    """A PaymentIntent over KES 1,500.00."""
    received = 150_000 if status == "succeeded" else 0
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 150_000,
        "amount_received": received,
        "currency": "kes",
        "last_payment_error": None,
        "latest_charge": charge(),
        "livemode": False,
        "metadata": {"payment_id": "pay_1"},
        "status": status,
    } | more


def own_intent(status: str = "requires_payment_method", **more: Any) -> dict[str, Any]:
    """A PaymentIntent that was made without a session: nothing is paid of it yet."""
    return intent(status, **{"client_secret": "pi_1_secret_2", "latest_charge": None} | more)


def session(**more: Any) -> dict[str, Any]:
    """An open Checkout Session over KES 1,500.00."""
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "amount_total": 150_000,
        "client_reference_id": "pay_1",
        "currency": "kes",
        "expires_at": 1_790_086_400,
        "livemode": False,
        "metadata": {"payment_id": "pay_1"},
        "mode": "payment",
        "payment_intent": None,
        "payment_status": "unpaid",
        "status": "open",
        "url": "https://checkout.stripe.com/c/pay/cs_test_1",
    } | more


def paid_session(**more: Any) -> dict[str, Any]:
    """A Checkout Session that was paid."""
    paid = {"status": "complete", "payment_status": "paid", "url": None}
    return session(**paid, payment_intent=intent()) | more


def event(event_type: str, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An Event about an object."""
    return {
        "id": "evt_1",
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": 1_790_000_000,
        "data": {"object": subject},
        "livemode": False,
        "pending_webhooks": 1,
        "type": event_type,
    } | more
