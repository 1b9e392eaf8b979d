"""What is sent to Stripe, and what its answer means for whether anything happened.

Sources: docs.stripe.com/api (checkout sessions, refunds, errors, idempotent requests).
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.payment import Capture, Failure
from tollgate.psp.stripe_amounts import to_stripe
from tollgate.psp.stripe_values import our_reference

if TYPE_CHECKING:
    from stripe.params import RefundCreateParams
    from stripe.params.checkout import SessionCreateParams

Answer = TypeVar("Answer")

_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
"""The only ones that Stripe takes; `fraudulent` puts the client's card on its block list."""


def ask(call: Callable[[], Answer], refusal: str) -> Answer | Failure | None:
    """What Stripe answers to a POST; its refusal; None for what may or may not have happened.

    Raises PspUnavailable and Misconfigured where it is certain that nothing did.
    """
    import httpx
    import stripe

    try:
        return call()
    except (httpx.ConnectError, httpx.ConnectTimeout):  # there was no connection to send it by
        raise PspUnavailable("Stripe can't be reached just now.") from None
    except httpx.HTTPError:
        return None
    except stripe.RateLimitError:
        raise PspUnavailable("Stripe refuses more requests for the moment.") from None
    except (stripe.AuthenticationError, stripe.PermissionError):
        raise Misconfigured("Stripe refuses this deployment's secret key.") from None
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        return Failure(error.code or "invalid_request", refusal)
    except stripe.StripeError:
        # a 409, a 5xx, our key seen with other fields: it may have happened
        return None


def session_params(order: Order) -> "SessionCreateParams":
    """A hosted Session for this order."""
    # our id is in both: the session's metadata is not copied to the PaymentIntent
    metadata = {"payment_id": order.payment_id}
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
    if order.method:
        params["allowed_payment_method_types"] = [order.method]
    if order.customer.email:
        params["customer_email"] = order.customer.email
    return params


def refund_params(
    order: RefundOrder, session: Mapping[str, Any], intent: str
) -> "RefundCreateParams":
    """A refund of the PaymentIntent of this session, with both our references in it."""
    metadata = {"refund_id": order.refund_id}
    payment_id = our_reference(session, "payment_id")
    if payment_id is not None:
        metadata["payment_id"] = payment_id
    params: RefundCreateParams = {
        "payment_intent": intent,
        "amount": to_stripe(order.money),
        "metadata": metadata,
    }
    if order.reason in _REFUND_REASONS:
        params["reason"] = order.reason
    return params
