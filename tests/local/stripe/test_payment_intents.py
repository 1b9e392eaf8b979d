"""PaymentIntents and events over the API, by the official SDK."""

import json
from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench, until

AMOUNT: Any = {"amount": 9_900, "currency": "usd", **STAYS}
GOOD = "pm_card_visa"
BAD = "pm_card_visa_chargeDeclined"


def create(bench: Bench, **more: Any) -> stripe.PaymentIntent:
    return bench.client.v1.payment_intents.create(AMOUNT | more)


def test_an_intent_goes_through_its_states(bench: Bench) -> None:
    intents = bench.client.v1.payment_intents
    intent = create(bench, metadata={"payment_id": "pay_1"})
    assert (intent.status, intent.latest_charge) == ("requires_payment_method", None)
    assert create(bench, payment_method=GOOD).status == "requires_confirmation"
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method"):
        intents.confirm(intent.id)
    done = intents.confirm(intent.id, {"payment_method": GOOD, "expand": ["latest_charge"]})
    assert isinstance(done.latest_charge, stripe.Charge)
    assert (done.status, done.amount_received) == ("succeeded", 9_900)
    assert done.latest_charge.metadata["payment_id"] == "pay_1"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        intents.cancel(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    again = intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert again.to_dict() == done.to_dict()


def test_a_decline_tells_why(bench: Bench) -> None:
    with pytest.raises(stripe.CardError) as declined:
        create(bench, payment_method=BAD, confirm=True, off_session=True)
    body: Any = declined.value.json_body
    assert (declined.value.http_status, declined.value.code) == (402, "card_declined")
    assert body["error"]["decline_code"] == "generic_decline"
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"
    assert bench.ledger()["charges"][0]["status"] == "failed"
    until(lambda: bench.receiver.types() == ["payment_intent.payment_failed"])


def test_a_card_that_needs_its_holder(bench: Bench) -> None:
    asking = {"payment_method": "pm_card_authenticationRequired", "confirm": True}
    assert create(bench, **asking).status == "requires_action"
    with pytest.raises(stripe.CardError) as declined:
        create(bench, off_session=True, **asking)
    assert declined.value.code == "authentication_required"


def test_a_manual_capture_may_be_partial(bench: Bench) -> None:
    intents = bench.client.v1.payment_intents
    held = create(bench, payment_method=GOOD, confirm=True, capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 9_900)
    with pytest.raises(stripe.InvalidRequestError):
        intents.capture(held.id, {"amount_to_capture": 9_901})
    taken = intents.capture(held.id, {"amount_to_capture": 9_000})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 9_000, 0)
    until(lambda: len(bench.receiver.events) == 2)
    assert bench.receiver.types()[0] == "payment_intent.amount_capturable_updated"


def test_cancelling(bench: Bench) -> None:
    intents = bench.client.v1.payment_intents
    intent = intents.cancel(create(bench).id, {"cancellation_reason": "abandoned"})
    assert (intent.status, intent.cancellation_reason) == ("canceled", "abandoned")
    with pytest.raises(stripe.InvalidRequestError, match="cancellation_reason"):
        intents.cancel(create(bench).id, {"cancellation_reason": "expired"})
    until(lambda: bench.receiver.types() == ["payment_intent.canceled"])


def test_the_intent_of_an_open_session_is_the_sessions(bench: Bench) -> None:
    session_id = bench.open_session().id
    bench.press(session_id, "decline")
    intent = bench.session(session_id).payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    with pytest.raises(stripe.InvalidRequestError, match="Checkout Session"):
        bench.client.v1.payment_intents.cancel(intent.id)


def test_a_held_session_is_paid_when_captured(bench: Bench) -> None:
    session_id = bench.open_session(payment_intent_data={"capture_method": "manual"}).id
    bench.press(session_id, "pay")
    session = bench.session(session_id)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert isinstance(session.payment_intent, stripe.PaymentIntent)
    bench.client.v1.payment_intents.capture(session.payment_intent.id)
    assert bench.session(session_id).payment_status == "paid"


def test_events_are_listed_newest_first(bench: Bench) -> None:
    for _ in range(3):
        create(bench, payment_method=GOOD, confirm=True)
    events = bench.client.v1.events
    bench.client.v1.payment_intents.cancel(create(bench).id)
    until(lambda: len(bench.receiver.events) == 4)
    newest = events.list({"limit": 2})
    assert newest.data[0].type == "payment_intent.canceled"
    assert newest.has_more
    rest = events.list({"starting_after": newest.data[1].id})
    assert (len(rest.data), rest.has_more) == (2, False)
    before = events.list({"ending_before": rest.data[0].id})
    assert [event.id for event in before.data] == [event.id for event in newest.data]
    paid = events.list({"types": ["payment_intent.succeeded"]})
    assert {event.type for event in paid.data} == {"payment_intent.succeeded"}
    assert len(paid.data) == 3
    assert events.list({"created": {"gt": newest.data[0].created}}).data == []
    found = events.retrieve(newest.data[0].id)
    assert found.pending_webhooks == 0
    assert events.list({"delivery_success": False}).data == []


def test_an_event_says_what_caused_it(bench: Bench) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "renewal-1"}
    params: Any = AMOUNT | {"payment_method": GOOD, "confirm": True}
    answer = bench.client.v1.payment_intents.create(params, options)
    until(lambda: bench.receiver.events)
    event = json.loads(bench.receiver.bodies[0])
    assert event["request"]["idempotency_key"] == "renewal-1"
    assert answer.last_response is not None
    assert event["request"]["id"] == answer.last_response.request_id
    assert (event["api_version"], event["livemode"]) == (stripe.api_version, False)
    assert event["data"]["object"]["id"] == answer.id


def test_ids_repeat_from_one_seed(start: Any) -> None:
    assert create(start()).id == create(start()).id
