"""What moves money at Stripe: POSTs through the official SDK, each under a key of ours.

Each answers with Stripe's object, its refusal, or None for what may or may not have happened.
Raises PspUnavailable and Misconfigured where it is certain that nothing did.
Sources: docs.stripe.com/api (errors, idempotent requests), docs.stripe.com/error-handling.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.payment import Failure
from tollgate.psp.answers import NOT_AS_DOCUMENTED, text
from tollgate.psp.client import SEND_SECONDS
from tollgate.psp.stripe.requests import (
    away_intent_params,
    customer_params,
    page_intent_params,
    refund_params,
    session_params,
)

if TYPE_CHECKING:
    from stripe import CardError, RequestOptions, StripeClient, StripeObject

Answer: TypeAlias = Mapping[str, Any] | Failure | None

_NOT_OPENED = "Stripe refused to open this payment."
_NOT_CAPTURED = "Stripe refused to capture this payment."
_NOT_CANCELED = "Stripe refused to cancel this payment."
_NOT_REFUNDED = "Stripe refused this refund."


class Commands:
    """Sends over connections that it keeps."""

    def __init__(self, api_url: str, secret_key: str, api_version: str) -> None:
        self._api_url = api_url
        self._secret_key = secret_key
        self._api_version = api_version

    def open_session(self, order: Order) -> Answer:
        """A Checkout Session that waits for its client."""
        return _ask(
            lambda: self._sdk.v1.checkout.sessions.create(
                params=session_params(order), options=_under(order.idempotency_key)
            ),
            _NOT_OPENED,
        )

    def open_intent(self, order: Order) -> Answer:
        """A PaymentIntent that waits for its client; with a Customer where the method is kept."""
        customer_id = None
        if order.save_method:
            customer = _ask(
                lambda: self._sdk.v1.customers.create(
                    params=customer_params(order),
                    options=_under(f"{order.idempotency_key}-customer"),
                ),
                _NOT_OPENED,
            )
            if customer is None or isinstance(customer, Failure):
                return customer
            try:
                customer_id = text(customer["id"])
            except NOT_AS_DOCUMENTED:
                return None
        return _ask(
            lambda: self._sdk.v1.payment_intents.create(
                params=page_intent_params(order, customer_id),
                options=_under(order.idempotency_key),
            ),
            _NOT_OPENED,
        )

    def charge(self, order: Order) -> Answer:
        """A PaymentIntent that was charged to the saved method, or declined."""
        import stripe

        saved = order.saved_method
        assert saved is not None

        def create() -> "StripeObject | Mapping[str, Any]":
            try:
                return self._sdk.v1.payment_intents.create(
                    params=away_intent_params(order, saved),
                    options=_under(order.idempotency_key),
                )
            except stripe.CardError as error:
                return _declined_intent(error)

        return _ask(create, _NOT_OPENED)

    def capture(self, intent_id: str, amount: int, key: str) -> Answer:
        """Takes this much, in Stripe's units, of what is held."""
        return _ask(
            lambda: self._sdk.v1.payment_intents.capture(
                intent_id, params={"amount_to_capture": amount}, options=_under(key)
            ),
            _NOT_CAPTURED,
        )

    def cancel_intent(self, intent_id: str, key: str) -> Answer:
        """Lets go of what is held, or ends what nobody has paid."""
        return _ask(
            lambda: self._sdk.v1.payment_intents.cancel(intent_id, options=_under(key)),
            _NOT_CANCELED,
        )

    def expire_session(self, session_id: str, key: str) -> Answer:
        """Closes a page that nobody has paid on."""
        return _ask(
            lambda: self._sdk.v1.checkout.sessions.expire(session_id, options=_under(key)),
            _NOT_CANCELED,
        )

    def refund(self, order: RefundOrder, payment_id: str | None, intent_id: str) -> Answer:
        """Gives back a part of what was taken."""
        return _ask(
            lambda: self._sdk.v1.refunds.create(
                params=refund_params(order, payment_id, intent_id),
                options=_under(order.idempotency_key),
            ),
            _NOT_REFUNDED,
        )

    @cached_property
    def _sdk(self) -> "StripeClient":
        import stripe

        from tollgate.psp.stripe.http import DeadlineClient

        stripe.enable_telemetry = False
        return stripe.StripeClient(
            self._secret_key,
            stripe_version=self._api_version,
            base_addresses={"api": self._api_url},
            max_network_retries=0,
            http_client=DeadlineClient(SEND_SECONDS),
        )


def _ask(call: "Callable[[], StripeObject | Mapping[str, Any]]", refusal: str) -> Answer:
    import httpx
    import stripe

    try:
        answer = call()
        return answer if isinstance(answer, Mapping) else answer.to_dict()
    except (httpx.ConnectError, httpx.ConnectTimeout):  # there was no connection to send it by
        raise PspUnavailable("Stripe can't be reached just now.") from None
    except httpx.HTTPError:
        return None
    except stripe.RateLimitError:
        raise PspUnavailable("Stripe refuses more requests for the moment.") from None
    except (stripe.AuthenticationError, stripe.PermissionError):
        raise Misconfigured("Stripe refuses this deployment's secret key.") from None
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        return Failure(_code(error.code), refusal)
    except stripe.StripeError:
        # a 409, a 5xx, our key seen with other fields: it may have happened
        return None
    except AttributeError:
        return None  # it answered with something that is no object


def _code(told: object) -> str:
    try:
        return text(told)
    except ValueError:
        return "invalid_request"


def _declined_intent(error: "CardError") -> Mapping[str, Any]:
    """The PaymentIntent that a decline names, with the decline as what it failed by.

    Raises the decline again where it names none.
    """
    body = error.json_body
    told = body.get("error") if isinstance(body, Mapping) else None
    intent = told.get("payment_intent") if isinstance(told, Mapping) else None
    if not isinstance(intent, Mapping):
        raise error
    return {**intent, "last_payment_error": told}


def _under(idempotency_key: str) -> "RequestOptions":
    return {"idempotency_key": idempotency_key}
