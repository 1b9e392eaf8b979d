"""Stripe: hosted Checkout Sessions.

A payment is opened through the official SDK. It is read back by a plain GET: the webhook and the
check only read, and must not pay for importing the SDK (docs/decisions/0003).
Sources: docs.stripe.com/api (checkout sessions, payment intents, errors, idempotent requests).
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tollgate.domain.errors import (
    Misconfigured,
    PspUnavailable,
    SignatureRefused,
    UnsupportedAmount,
    WebhookMalformed,
)
from tollgate.domain.money import Money
from tollgate.domain.payment import UNKNOWN, Failure, Hint, Order, Outcome, PaymentStatus
from tollgate.psp.stripe_amounts import from_stripe, to_stripe
from tollgate.psp.stripe_signature import verify
from tollgate.settings import Settings

if TYPE_CHECKING:
    import httpx
    from stripe import StripeClient
    from stripe.params.checkout import SessionCreateParams

API_VERSION = "2026-10-28.endive"
"""Of requests, and to be chosen for the webhook endpoint too: an event comes in its version."""
START_TIMEOUT_SECONDS = 10.0
READ_TIMEOUT_SECONDS = 5.0
"""Somebody waits for a read: a PSP, a browser, or the app that asks whether its client has paid."""
MAX_AMOUNT = 99_999_999
"""Stripe takes eight digits (docs.stripe.com/currencies, minimum and maximum charge amounts)."""


_NOT_A_SESSION = (
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What reading an answer raises that is not what Stripe documents: garbage on the way."""


class Stripe:
    """Stripe, as a Psp. Its reference of a payment is the Checkout Session's id."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_amount(self, money: Money) -> None:
        """See Psp.check_amount."""
        if to_stripe(money) > MAX_AMOUNT:
            raise UnsupportedAmount("Stripe takes amounts of at most eight digits.")

    def start(self, order: Order) -> Outcome:
        """Creates a Checkout Session under our idempotency key. See Psp.start."""
        import stripe

        try:
            session = self._sdk.v1.checkout.sessions.create(
                params=_session_params(order),
                options={"idempotency_key": order.idempotency_key},
            )
        except stripe.RateLimitError:
            raise PspUnavailable("Stripe refuses more requests for the moment.") from None
        except (stripe.AuthenticationError, stripe.PermissionError):
            raise Misconfigured("Stripe refuses this deployment's secret key.") from None
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return _refusal(error.code)
        except stripe.APIConnectionError as error:
            if _never_sent(error):
                raise PspUnavailable("Stripe can't be reached just now.") from None
            return UNKNOWN
        except stripe.StripeError:
            # a 409, a 5xx, our key seen with other fields: it may have happened
            return UNKNOWN
        try:
            return _outcome(session.to_dict())
        except _NOT_A_SESSION:
            return UNKNOWN

    def fetch(self, psp_reference: str) -> Outcome:
        """Reads the Checkout Session with its PaymentIntent. See Psp.fetch."""
        import httpx

        try:
            response = self._reader.get(
                f"/v1/checkout/sessions/{psp_reference}",
                params={"expand[]": "payment_intent.latest_charge"},
            )
            return _outcome(response.raise_for_status().json())
        except (httpx.HTTPError, *_NOT_A_SESSION):
            raise PspUnavailable("Stripe can't be read just now.") from None

    def read_event(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Hint:
        """Reads an Event after checking `Stripe-Signature`. See Psp.read_event."""
        secret = self._settings.stripe_webhook_secret
        if not secret:
            raise Misconfigured("The setting STRIPE_WEBHOOK_SECRET is missing.")
        header = headers.get("stripe-signature")
        if not header:
            raise SignatureRefused
        verify(header, body, secret, now)
        return _hint(body)

    @cached_property
    def _sdk(self) -> "StripeClient":
        import stripe

        stripe.enable_telemetry = False
        return stripe.StripeClient(
            self._secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": self._api_url},
            max_network_retries=0,
            http_client=stripe.HTTPXClient(timeout=START_TIMEOUT_SECONDS, allow_sync_methods=True),
        )

    @cached_property
    def _reader(self) -> "httpx.Client":
        import httpx

        headers = {"Authorization": f"Bearer {self._secret_key}", "Stripe-Version": API_VERSION}
        return httpx.Client(base_url=self._api_url, headers=headers, timeout=READ_TIMEOUT_SECONDS)

    @property
    def _secret_key(self) -> str:
        if not self._settings.stripe_secret_key:
            raise Misconfigured("The setting STRIPE_SECRET_KEY is missing.")
        return self._settings.stripe_secret_key

    @property
    def _api_url(self) -> str:
        return (self._settings.stripe_api_url or "https://api.stripe.com").rstrip("/")


def _session_params(order: Order) -> "SessionCreateParams":
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
    if order.method:
        params["allowed_payment_method_types"] = [order.method]
    if order.customer.email:
        params["customer_email"] = order.customer.email
    return params


def _never_sent(error: BaseException) -> bool:
    """Whether no connection came about, so that Stripe can't have heard of the request."""
    import httpx

    return isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)


def _refusal(code: str | None) -> Outcome:
    failure = Failure(code or "invalid_request", "Stripe refused to open this payment.")
    return Outcome(PaymentStatus.FAILED, failure=failure)


def _outcome(session: Mapping[str, Any]) -> Outcome:
    intent = session.get("payment_intent")
    intent = intent if isinstance(intent, Mapping) else None
    status = _status(session, intent)
    if status is PaymentStatus.PENDING:
        return UNKNOWN
    awaits_client = status is PaymentStatus.REQUIRES_ACTION
    reference = session.get("client_reference_id")
    return Outcome(
        status,
        psp_reference=_text(session["id"]),
        reference=_text(reference) if reference is not None else None,
        money=_money(session, intent, status),
        livemode=session.get("livemode"),
        method=_method(intent),
        next_action=_redirect(session["url"]) if awaits_client else None,
        failure=_failure(intent) if status is PaymentStatus.FAILED else None,
        expires_at=datetime.fromtimestamp(session["expires_at"], UTC),
    )


def _status(session: Mapping[str, Any], intent: Mapping[str, Any] | None) -> PaymentStatus:
    """Ours for Stripe's; a word that we don't know is PENDING, never a success."""
    intent_status = intent["status"] if intent else None
    match session.get("status"), session.get("payment_status"), intent_status:
        case "open", _, _:
            return PaymentStatus.REQUIRES_ACTION
        case "expired", _, _:
            return PaymentStatus.EXPIRED
        case "complete", "paid", _:
            return PaymentStatus.SUCCEEDED
        case "complete", "unpaid", "requires_capture":
            return PaymentStatus.AUTHORIZED
        case "complete", "unpaid", "requires_payment_method":
            return PaymentStatus.FAILED
        case "complete", "unpaid", "canceled":
            return PaymentStatus.CANCELED
        case "complete", "unpaid", _:
            return PaymentStatus.PROCESSING  # a delayed method: the bank has not said yet
        case _:
            return PaymentStatus.PENDING


def _money(
    session: Mapping[str, Any], intent: Mapping[str, Any] | None, status: PaymentStatus
) -> Money | None:
    """What was received, once something was; what is asked for until then."""
    if status is not PaymentStatus.SUCCEEDED:
        amount, currency = session["amount_total"], session["currency"]
    elif intent is not None:
        amount, currency = intent["amount_received"], intent["currency"]
    else:
        return None
    if type(amount) is not int:
        raise TypeError
    return from_stripe(amount, currency)


def _redirect(url: object) -> Mapping[str, str]:
    return {"type": "redirect", "url": _text(url, max_length=2048)}


def _method(intent: Mapping[str, Any] | None) -> str | None:
    """What it was paid with (`card`, …), where the charge says so."""
    charge = (intent or {}).get("latest_charge")
    details = charge.get("payment_method_details") if isinstance(charge, Mapping) else None
    method = details.get("type") if isinstance(details, Mapping) else None
    return _text(method) if method is not None else None


def _failure(intent: Mapping[str, Any] | None) -> Failure:
    error = (intent or {}).get("last_payment_error") or {}
    code = error.get("decline_code") or error.get("code") or "payment_failed"
    return Failure(_text(code), "The payment did not go through.")


def _hint(body: bytes) -> Hint:
    try:
        event = json.loads(body)
        subject = event["data"]["object"]
        is_session = subject.get("object") == "checkout.session"
        payment_id = (subject.get("metadata") or {}).get("payment_id")
        return Hint(
            event_id=_text(event["id"]),
            type=_text(event["type"]),
            livemode=event["livemode"] is True,
            payment_id=_text(payment_id) if payment_id is not None else None,
            psp_reference=_text(subject["id"]) if is_session else None,
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        raise WebhookMalformed from None


def _text(value: object, max_length: int = 255) -> str:
    """A short printable text, as all of Stripe's ids are. Raises ValueError."""
    if isinstance(value, str) and 0 < len(value) <= max_length and value.isprintable():
        return value
    raise ValueError
