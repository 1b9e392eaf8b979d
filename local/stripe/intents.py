"""PaymentIntents over the API: create, confirm, capture, cancel."""

from contextlib import suppress

from local.stripe import objects
from local.stripe.charging import Charging
from local.stripe.errors import (
    ApiError,
    Json,
    invalid_parameter,
    missing_parameter,
    no_such,
    unexpected_state,
)
from local.stripe.events import Cause, Events
from local.stripe.rules import (
    check_amount,
    check_currency,
    check_length,
    check_metadata,
    refuse_unmodelled,
)
from local.stripe.world import World

_UNMODELLED = (
    "amount_to_confirm application_fee_amount confirmation_token customer_account hooks mandate "
    "mandate_data on_behalf_of payment_details payment_method_data transfer_data"
)
# Taken over into the object as sent.
_COPIED = (
    "allowed_payment_method_types automatic_payment_methods capture_method confirmation_method "
    "customer description excluded_payment_method_types metadata receipt_email "
    "setup_future_usage shipping statement_descriptor statement_descriptor_suffix transfer_group"
)
HELD_SECONDS = 7 * 86_400
"""How long a hold lasts (docs.stripe.com/payments/place-a-hold-on-a-payment-method)."""
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture")


class Intents:
    """The life of a PaymentIntent (docs.stripe.com/payments/paymentintents/lifecycle)."""

    def __init__(self, world: World, events: Events, charging: Charging) -> None:
        self._world = world
        self._events = events
        self._charging = charging

    def check_create(self, params: Json) -> None:
        """Raises ApiError for what Stripe refuses before anything exists."""
        refuse_unmodelled(params, _UNMODELLED.split())
        check_amount(params["amount"], "amount")
        check_currency(params["currency"], "currency")
        check_metadata(params.get("metadata", {}))
        check_length(
            params.get("statement_descriptor_suffix", ""), 22, "statement_descriptor_suffix"
        )
        if "allowed_payment_method_types" in params and "automatic_payment_methods" in params:
            message = "Send either automatic_payment_methods or allowed_payment_method_types."
            raise invalid_parameter("allowed_payment_method_types", message)
        if not params.get("confirm"):
            for name in ("off_session", "error_on_requires_action", "return_url"):
                if name in params:
                    raise invalid_parameter(name, f"{name} may only be sent with confirm=true.")
        elif "payment_method" not in params:
            raise missing_parameter("payment_method")
        elif "return_url" not in params:
            _check_stays(params)

    def check_confirm(self, params: Json) -> None:
        """Raises ApiError for parameters the stand-in cannot honour."""
        refuse_unmodelled(params, _UNMODELLED.split())

    def create(self, params: Json, cause: Cause) -> Json:
        """A new intent, confirmed at once if `confirm` says so. Raises ApiError: 402 declined."""
        customer = params.get("customer")
        if customer is not None and customer not in self._world.state.customers:
            raise no_such("customer", customer, "customer")
        intent = self.new(params["amount"], params["currency"], params)
        if "payment_method" in params:
            self._charging.attach(intent, params["payment_method"])
            intent["status"] = "requires_confirmation"
        self._world.state.payment_intents[intent["id"]] = intent
        if params.get("confirm"):
            self._charging.charge(intent, params, cause)
        return intent

    def new(self, amount: int, currency: str, params: Json) -> Json:
        """An intent that is not stored yet, with the parameters it takes over."""
        intent_id = self._world.ids.new("pi_")
        secret = self._world.ids.new(f"{intent_id}_secret_")
        intent = objects.payment_intent(
            intent_id, secret, self._world.timestamp(), amount, currency
        )
        if "allowed_payment_method_types" in params:
            intent["automatic_payment_methods"] = None
        return intent | {name: params[name] for name in _COPIED.split() if name in params}

    def get(self, intent_id: str) -> Json:
        """Raises ApiError (404)."""
        if intent_id not in self._world.state.payment_intents:
            raise no_such("payment_intent", intent_id, "intent", status=404)
        return self._world.state.payment_intents[intent_id]

    def confirm(self, intent_id: str, params: Json, cause: Cause) -> Json:
        """Charges. Raises ApiError: 402 for a decline, 400 in a state that has no confirm."""
        intent = self._changeable(intent_id, "confirm", _CONFIRMABLE)
        if "payment_method" in params:
            self._charging.attach(intent, params["payment_method"])
        if intent["payment_method"] is None:
            raise unexpected_state(
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                intent,
            )
        if "return_url" not in params:
            _check_stays(intent)
        for name in ("capture_method", "receipt_email", "setup_future_usage", "shipping"):
            if name in params:
                intent[name] = params[name] or None
        self._charging.charge(intent, params, cause)
        return intent

    def find_by_secret(self, secret: str) -> Json | None:
        """The intent that an app's page knows by this client_secret."""
        intent = self._world.state.payment_intents.get(secret.partition("_secret_")[0])
        return intent if intent is not None and intent["client_secret"] == secret else None

    def client_confirms(self, intent_id: str, card: str) -> Json:
        """The client pays with this test card on the app's own page; a decline is on the intent.

        One that can't be confirmed (any more) stays as it is, and so does a Session's.
        """
        intent = self.get(intent_id)
        of_session = intent_id in self._world.state.session_of_intent
        if not of_session and intent["status"] in _CONFIRMABLE:
            self._charging.attach(intent, card)
            with suppress(ApiError):
                self._charging.charge(intent, {}, Cause())
        return intent

    def cancel(self, intent_id: str, params: Json, cause: Cause) -> Json:
        """Raises ApiError (400) once paid or canceled, and for the intent of a Session."""
        intent = self._changeable(intent_id, "cancel", _CANCELABLE)
        self.end(intent, params.get("cancellation_reason"), cause)
        return intent

    def end(self, intent: Json, reason: str | None, cause: Cause) -> None:
        """Cancels, whoever asked; an authorised charge is let go."""
        intent |= {
            "status": "canceled",
            "canceled_at": self._world.timestamp(),
            "cancellation_reason": reason,
            "amount_capturable": 0,
            "next_action": None,
        }
        charge = self._world.state.charges.get(intent["latest_charge"] or "")
        if charge is not None and charge["status"] == "succeeded":
            lapsed = "expired_uncaptured_charge" if reason == "automatic" else None
            self._charging.release(charge, charge["amount"], lapsed)
        self._events.record("payment_intent.canceled", intent, cause)

    def lapse_due(self) -> bool:
        """Cancels those whose hold has lapsed; whether there were any."""
        now = self._world.clock.time()
        lapsed = [
            intent
            for intent in self._world.state.payment_intents.values()
            if intent["status"] == "requires_capture"
            and self._world.state.charges[intent["latest_charge"]]["created"] + HELD_SECONDS <= now
        ]
        for intent in lapsed:
            self.end(intent, "automatic", Cause())
        return bool(lapsed)

    def capture(self, intent_id: str, params: Json, cause: Cause) -> Json:
        """Takes an authorised amount or part of it. Raises ApiError (400) for more than that."""
        intent = self.get(intent_id)
        if intent["status"] != "requires_capture":
            raise _wrong_state(intent, "capture", ("requires_capture",))
        capturable: int = intent["amount_capturable"]
        amount: int = params.get("amount_to_capture", capturable)
        if not 1 <= amount <= capturable:
            message = "amount_to_capture is not within the capturable amount."
            raise invalid_parameter("amount_to_capture", message, "amount_too_large")
        intent["metadata"] |= params.get("metadata") or {}
        self._charging.capture(intent, amount, cause)
        return intent

    def _changeable(self, intent_id: str, verb: str, statuses: tuple[str, ...]) -> Json:
        intent = self.get(intent_id)
        owner = self._world.state.sessions.get(
            self._world.state.session_of_intent.get(intent_id, "")
        )
        if owner is not None and owner["status"] == "open":
            raise unexpected_state(
                f"You cannot {verb} a PaymentIntent created by a Checkout Session. "
                "Expire the Session instead.",
                intent,
            )
        if intent["status"] not in statuses:
            raise _wrong_state(intent, verb, statuses)
        return intent


def _check_stays(intent: Json) -> None:
    """Raises ApiError where a method might send the client elsewhere, and nobody said where back
    to (docs.stripe.com/changelog, 2023-08-16: automatic payment methods by default)."""
    automatic = intent.get("automatic_payment_methods") or {}
    only_cards = intent.get("allowed_payment_method_types") == ["card"]
    if automatic.get("allow_redirects") != "never" and not only_cards:
        message = (
            "Some of the payment methods of this PaymentIntent might redirect the client. Send a "
            "return_url, or automatic_payment_methods[allow_redirects]=never."
        )
        raise invalid_parameter("return_url", message)


def _wrong_state(intent: Json, verb: str, statuses: tuple[str, ...]) -> Exception:
    allowed = ", ".join(statuses)
    return unexpected_state(
        f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of these statuses may be: {allowed}.",
        intent,
    )
