"""The routes of Stripe's API that the stand-in has, and what each does."""

import operator
from copy import deepcopy

from stripe.params import (
    EventListParams,
    EventRetrieveParams,
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionRetrieveParams,
)

from local.stripe.api import Operation
from local.stripe.errors import Json, invalid_parameter, no_such
from local.stripe.events import Cause, as_listed
from local.stripe.intents import Intents
from local.stripe.session_rules import check_session
from local.stripe.sessions import Sessions
from local.stripe.store import Event, State
from local.stripe.world import World

_OF_INTENT = frozenset({"latest_charge"})
_OF_SESSION = frozenset({"payment_intent", "payment_intent.latest_charge"})
_COMPARISONS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


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
    """Newest first, by type, creation time and delivery; pages by cursor, ten unless told."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid_parameter("limit", "limit must be between 1 and 100.")
    events = [event for event in reversed(state.events.values()) if _wanted(event, params)]
    ids = [event.id for event in events]
    first, last = 0, len(events)
    if "starting_after" in params:
        first = _position(ids, params["starting_after"], "starting_after") + 1
    if "ending_before" in params:
        last = _position(ids, params["ending_before"], "ending_before")
        first = max(0, last - limit)
    return {
        "object": "list",
        "data": [as_listed(event) for event in events[first:last][:limit]],
        "has_more": first > 0 if "ending_before" in params else last - first > limit,
        "url": "/v1/events",
    }


def _position(ids: list[str], event_id: str, param: str) -> int:
    if event_id not in ids:
        raise no_such("event", event_id, param)
    return ids.index(event_id)


def _wanted(event: Event, params: Json) -> bool:
    types = params.get("types", [params["type"]] if "type" in params else [event.type])
    if event.type not in types:
        return False
    if params.get("delivery_success", event.delivered_at is not None) != (
        event.delivered_at is not None
    ):
        return False
    created = params.get("created", {})
    if isinstance(created, int):
        return event.created == created
    return all(_COMPARISONS[name](event.created, bound) for name, bound in created.items())


def expanded(state: State, subject: Json, paths: list[str]) -> Json:
    """A copy of an API object, with the objects the paths name in place of their ids."""
    shown = deepcopy(subject)
    for path in paths:
        inner: Json | None = shown
        for name in path.split("."):
            if inner is None:
                break
            if isinstance(inner[name], str):
                found = state.charges if name == "latest_charge" else state.payment_intents
                inner[name] = deepcopy(found[inner[name]])
            inner = inner[name]
    return shown
