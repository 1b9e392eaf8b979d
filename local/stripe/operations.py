"""The routes of Stripe's API that the stand-in has, and what each does."""

from stripe.params import (
    CustomerCreateParams,
    CustomerRetrieveParams,
    EventListParams,
    EventRetrieveParams,
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListParams,
    SessionRetrieveParams,
)

from local.standin.outbox import Event
from local.stripe.api import Operation
from local.stripe.customers import check_customer, create_customer, get_customer
from local.stripe.errors import Json, no_such
from local.stripe.events import Cause, as_listed
from local.stripe.intents import Intents
from local.stripe.listing import created_as_asked, listed, newest_first
from local.stripe.rules import refuse_unmodelled
from local.stripe.session_rules import check_session
from local.stripe.sessions import Sessions
from local.stripe.store import State
from local.stripe.world import World

_OF_INTENT = frozenset(
    {"latest_charge", "latest_charge.balance_transaction", "latest_charge.refunds"}
)
_OF_SESSION = frozenset({"payment_intent", *(f"payment_intent.{path}" for path in _OF_INTENT)})
_UNMODELLED_OF_LIST = ("customer_account", "customer_details", "payment_link", "subscription")


def operations(
    world: World, intents: Intents, sessions: Sessions
) -> dict[tuple[str, str], Operation]:
    """By method and path pattern."""

    def capture(intent_id: str, params: Json, cause: Cause) -> Json:
        captured = intents.capture(intent_id, params, cause)
        sessions.follow(captured)
        return captured

    session = "/v1/checkout/sessions"
    intent = "/v1/payment_intents"
    return {
        ("POST", session): Operation(
            SessionCreateParams,
            lambda _, params, cause: sessions.create(params, cause),
            lambda params: check_session(params, world.clock.time()),
            _OF_SESSION,
        ),
        ("GET", session): Operation(
            SessionListParams,
            lambda _, params, _cause: _sessions(world.state, params),
            expandable=frozenset({"data.payment_intent"}),
        ),
        ("GET", session + "/{id}"): Operation(
            SessionRetrieveParams,
            lambda session_id, _params, _cause: sessions.get(session_id),
            expandable=_OF_SESSION,
        ),
        ("POST", session + "/{id}/expire"): Operation(
            SessionExpireParams,
            lambda session_id, _params, cause: sessions.expire(session_id, cause),
            expandable=_OF_SESSION,
        ),
        ("POST", intent): Operation(
            PaymentIntentCreateParams,
            lambda _, params, cause: intents.create(params, cause),
            intents.check_create,
            _OF_INTENT,
        ),
        ("GET", intent): Operation(
            PaymentIntentListParams,
            lambda _, params, _cause: _intents(world.state, params),
            expandable=frozenset(f"data.{path}" for path in _OF_INTENT),
        ),
        ("GET", intent + "/{id}"): Operation(
            PaymentIntentRetrieveParams,
            lambda intent_id, _params, _cause: intents.get(intent_id),
            expandable=_OF_INTENT,
        ),
        ("POST", intent + "/{id}/confirm"): Operation(
            PaymentIntentConfirmParams, intents.confirm, intents.check_confirm, _OF_INTENT
        ),
        ("POST", intent + "/{id}/cancel"): Operation(
            PaymentIntentCancelParams, intents.cancel, expandable=_OF_INTENT
        ),
        ("POST", intent + "/{id}/capture"): Operation(
            PaymentIntentCaptureParams, capture, expandable=_OF_INTENT
        ),
        ("POST", "/v1/customers"): Operation(
            CustomerCreateParams,
            lambda _, params, _cause: create_customer(world, params),
            check_customer,
        ),
        ("GET", "/v1/customers/{id}"): Operation(
            CustomerRetrieveParams,
            lambda customer_id, _params, _cause: get_customer(world.state, customer_id),
        ),
        ("GET", "/v1/events"): Operation(
            EventListParams, lambda _, params, _cause: _listed(world.state, params)
        ),
        ("GET", "/v1/events/{id}"): Operation(
            EventRetrieveParams, lambda event_id, _params, _cause: _event(world.state, event_id)
        ),
    }


def _event(state: State, event_id: str) -> Json:
    if event_id not in state.events:
        raise no_such("event", event_id, "id", status=404)
    return as_listed(state.events[event_id])


def _listed(state: State, params: Json) -> Json:
    """By type, creation time and delivery."""
    events = reversed(state.events.values())
    found = {event.id: event for event in events if _wanted(event, params)}
    return listed(found, params, "event", "/v1/events", as_listed)


def _wanted(event: Event, params: Json) -> bool:
    types = params.get("types", [params["type"]] if "type" in params else [event.type])
    if event.type not in types:
        return False
    if params.get("delivery_success", event.delivered_at is not None) != (
        event.delivered_at is not None
    ):
        return False
    return created_as_asked(event.created, params)


def _intents(state: State, params: Json) -> Json:
    refuse_unmodelled(params, ["customer_account"])
    found = newest_first(state.payment_intents, params, "customer")
    return listed(found, params, "payment_intent", "/v1/payment_intents", dict)


def _sessions(state: State, params: Json) -> Json:
    refuse_unmodelled(params, _UNMODELLED_OF_LIST)
    found = newest_first(state.sessions, params, "customer payment_intent status")
    return listed(found, params, "checkout.session", "/v1/checkout/sessions", dict)
