"""Capture, cancel, refund, by how the payment stands: what is done, was done, or is over."""

from dataclasses import replace
from typing import Any

import pytest
import respx

from tests.psp.stripe_requests import INTENT, REQUESTS, SESSION, agreed, asked, refused
from tests.psp.stripe_values import intent, own_intent, paid_session, session
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.mark.parametrize(
    ("name", "code"), [("capture", "not_capturable"), ("refund", "not_refundable")]
)
def test_nothing_is_asked_of_a_session_without_a_payment(
    settings: Settings, name: str, code: str
) -> None:
    with respx.mock:
        respx.get(url__startswith=SESSION).respond(json=session())
        failure = REQUESTS[name].ask(Stripe(settings))
    assert failure is not None
    assert failure.code == code


@pytest.mark.parametrize(
    "over",
    [
        session(status="a_new_word", payment_intent=intent("requires_capture")),
        paid_session(),
        *(
            session(status="complete", payment_intent=intent(status))
            for status in ("processing", "requires_payment_method", "succeeded")
        ),
        session(status="complete"),
    ],
    ids=lambda over: (
        f"{over['status']}-{over['payment_intent'] and over['payment_intent']['status']}"
    ),
)
def test_what_is_over_is_not_cancelable(settings: Settings, over: dict[str, Any]) -> None:
    with respx.mock:
        respx.get(url__startswith=SESSION).respond(json=over)
        failure = Stripe(settings).cancel("cs_test_1", "our-key")
    assert failure is not None
    assert failure.code == "not_cancelable"


@pytest.mark.parametrize("status", ["processing", "succeeded", "a_new_word"])
def test_an_intent_that_is_over_is_not_cancelable(settings: Settings, status: str) -> None:
    with respx.mock:
        respx.get(url__startswith=INTENT).respond(json=own_intent(status))
        failure = Stripe(settings).cancel("pi_1", "our-key")
    assert failure is not None
    assert failure.code == "not_cancelable"


@pytest.mark.parametrize(
    "status",
    ["requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"],
)
def test_an_intent_is_canceled_as_long_as_nothing_was_taken(
    settings: Settings, status: str
) -> None:
    request = replace(REQUESTS["cancel-intent"], of=own_intent(status))
    assert asked(settings, request, agreed())[0] is None


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("expire", session(status="expired")),
        ("cancel", session(status="complete", payment_intent=intent("canceled"))),
        ("capture", paid_session(payment_intent=intent(amount_received=100_000))),
        ("capture-intent", own_intent("succeeded", amount_received=100_000)),
        ("cancel-intent", own_intent("canceled")),
    ],
)
def test_what_was_done_before_is_agreed(
    settings: Settings, name: str, done: dict[str, Any]
) -> None:
    """Sent again long after the answer was lost, when Stripe has forgotten the key."""
    with respx.mock:
        respx.get(url__startswith=REQUESTS[name].read_at).respond(json=done)
        assert REQUESTS[name].ask(Stripe(settings)) is None


def test_another_amount_than_was_captured_is_asked_for(settings: Settings) -> None:
    request = replace(REQUESTS["capture"], of=paid_session())
    state = refused(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    assert asked(settings, request, state)[0] is not None
