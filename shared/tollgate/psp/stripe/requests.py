"""What is sent to Stripe: the parameters of each POST that moves money.

Sources: docs.stripe.com/api (checkout sessions, payment intents, customers, refunds),
docs.stripe.com/payments/save-and-reuse, docs.stripe.com/payments/save-during-payment.
"""

from typing import TYPE_CHECKING

from tollgate.domain.order import Order, RefundOrder, SavedMethod
from tollgate.domain.payment import Capture
from tollgate.psp.stripe.amounts import to_stripe
from tollgate.psp.stripe.intents import CLIENT_AWAY

if TYPE_CHECKING:
    from stripe.params import (
        CustomerCreateParams,
        PaymentIntentCreateParams,
        RefundCreateParams,
    )
    from stripe.params.checkout import SessionCreateParams

_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
"""The only ones that Stripe takes; `fraudulent` puts the client's card on its block list."""


def session_params(order: Order) -> "SessionCreateParams":
    """A hosted Session for this order."""
    # our id is in both: the session's metadata is not copied to the PaymentIntent
    metadata = _metadata(order)
    params: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": order.payment_id,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": order.money.currency.lower(),
                    "unit_amount": to_stripe(order.money),
                    "product_data": {"name": order.description},
                },
            }
        ],
        "success_url": order.return_url,
        "cancel_url": order.cancel_url,
        "expires_at": int(order.expires_at.timestamp()),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
    }
    if order.capture is Capture.MANUAL:
        params["payment_intent_data"]["capture_method"] = "manual"
    if order.save_method:
        params["payment_intent_data"]["setup_future_usage"] = "off_session"
        params["customer_creation"] = "always"
    if order.method:
        params["allowed_payment_method_types"] = [order.method]
    if order.customer.email:
        params["customer_email"] = order.customer.email
    return params


def customer_params(order: Order) -> "CustomerCreateParams":
    """Whom to keep the method of this order's payment for: nobody by name."""
    return {"metadata": _metadata(order)}


def page_intent_params(order: Order, customer_id: str | None) -> "PaymentIntentCreateParams":
    """A PaymentIntent that the client pays on the app's own page; kept for this customer."""
    params = _intent_params(order)
    if order.method:
        params["allowed_payment_method_types"] = [order.method]
    else:
        params["automatic_payment_methods"] = {"enabled": True}
    if customer_id is not None:
        params["customer"] = customer_id
        params["setup_future_usage"] = "off_session"
    return params


def away_intent_params(order: Order, saved: SavedMethod) -> "PaymentIntentCreateParams":
    """A PaymentIntent that is charged at once, while the client is away."""
    params = _intent_params(order)
    params["metadata"] = {**_metadata(order), CLIENT_AWAY: "true"}
    params["customer"] = saved.customer_reference
    params["payment_method"] = saved.method_reference
    params["off_session"] = True
    params["confirm"] = True
    # nobody is there to be sent elsewhere: without that word Stripe wants a return_url
    params["automatic_payment_methods"] = {"enabled": True, "allow_redirects": "never"}
    return params


def refund_params(
    order: RefundOrder, payment_id: str | None, intent_id: str
) -> "RefundCreateParams":
    """A refund of this PaymentIntent, with both our references in it."""
    metadata = {"refund_id": order.refund_id}
    if payment_id is not None:
        metadata["payment_id"] = payment_id
    params: RefundCreateParams = {
        "payment_intent": intent_id,
        "amount": to_stripe(order.money),
        "metadata": metadata,
    }
    if order.reason in _REFUND_REASONS:
        params["reason"] = order.reason
    return params


def _intent_params(order: Order) -> "PaymentIntentCreateParams":
    params: PaymentIntentCreateParams = {
        "amount": to_stripe(order.money),
        "currency": order.money.currency.lower(),
        "description": order.description,
        "metadata": _metadata(order),
    }
    if order.capture is Capture.MANUAL:
        params["capture_method"] = "manual"
    return params


def _metadata(order: Order) -> dict[str, str]:
    return {"payment_id": order.payment_id}
