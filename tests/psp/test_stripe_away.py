"""Charging what a client let us keep, while the client is away."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from tests.psp.stripe_values import AWAY, intent, own_intent
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order, SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import (
    Capture,
    Failure,
    Method,
    PaymentPage,
    PaymentStatus,
    RetryAdvice,
)
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

API = "https://api.stripe.com/v1"


@pytest.fixture
def renewal(order: Order) -> Order:
    return replace(order, saved_method=SavedMethod("cus_1", "pm_1"))


def charge(settings: Settings, order: Order, answer: httpx.Response | Exception) -> Outcome:
    with respx.mock:
        respx.post(f"{API}/payment_intents").mock(side_effect=[answer])
        return Stripe(settings).start(order)


def declined(error: dict[str, Any], **more: Any) -> httpx.Response:
    """As Stripe answers: the error, with the PaymentIntent as it is now."""
    of = own_intent(metadata=AWAY, last_payment_error=error, **more)
    told = {"type": "card_error", "message": "For ann@example.com.", **error}
    return httpx.Response(402, json={"error": {**told, "payment_intent": of}})


FORM = {
    "amount": "150000",
    "currency": "kes",
    "description": "Gold <plan> & more",
    "metadata[payment_id]": "pay_1",
    "metadata[client_away]": "true",
    "customer": "cus_1",
    "payment_method": "pm_1",
    "off_session": "true",
    "confirm": "true",
    "automatic_payment_methods[enabled]": "true",
    "automatic_payment_methods[allow_redirects]": "never",
}


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({}, {}),
        ({"page": PaymentPage.EMBEDDED}, {}),
        ({"method": Method.CARD}, {}),
        ({"capture": Capture.MANUAL}, {"capture_method": "manual"}),
    ],
)
def test_charges_the_saved_method_and_asks_nobody(
    settings: Settings, renewal: Order, more: dict[str, Any], fields: dict[str, str]
) -> None:
    with respx.mock:
        route = respx.post(f"{API}/payment_intents").respond(json=intent(metadata=AWAY))
        Stripe(settings).start(replace(renewal, **more))
        request = route.calls.last.request
    assert dict(parse_qsl(request.content.decode(), strict_parsing=True)) == FORM | fields
    assert request.headers["idempotency-key"] == renewal.idempotency_key


def test_a_charge_that_went_through_is_paid(settings: Settings, renewal: Order) -> None:
    paid = intent(metadata=AWAY, latest_charge="ch_1")
    assert charge(settings, renewal, httpx.Response(200, json=paid)) == Outcome(
        PaymentStatus.SUCCEEDED,
        psp_reference="pi_1",
        reference="pay_1",
        money=Money(150_000, "KES"),
        livemode=False,
        references=("pi_1", "ch_1"),
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("processing", PaymentStatus.PROCESSING),
        ("requires_capture", PaymentStatus.AUTHORIZED),
        ("a_new_word", PaymentStatus.PENDING),
    ],
)
def test_a_charge_that_is_under_way_is_open(
    settings: Settings, renewal: Order, status: str, expected: PaymentStatus
) -> None:
    answer = httpx.Response(200, json=own_intent(status, metadata=AWAY))
    assert charge(settings, renewal, answer).status is expected


NOT_THROUGH = "The payment did not go through."
LET_PAY = "The client's bank wants the client to confirm: let the client pay on a page."
CARD_DECLINED = {"code": "card_declined", "decline_code": "insufficient_funds"}
NEEDS_CLIENT = {"code": "authentication_required", "decline_code": "authentication_required"}
DECLINES: list[tuple[dict[str, Any], Failure]] = [
    (CARD_DECLINED, Failure("insufficient_funds", NOT_THROUGH)),
    (
        CARD_DECLINED | {"advice_code": "do_not_try_again"},
        Failure("insufficient_funds", NOT_THROUGH, RetryAdvice.NEVER),
    ),
    (
        CARD_DECLINED | {"advice_code": "try_again_later"},
        Failure("insufficient_funds", NOT_THROUGH, RetryAdvice.LATER),
    ),
    (
        CARD_DECLINED | {"advice_code": "confirm_card_data"},
        Failure("insufficient_funds", NOT_THROUGH, RetryAdvice.CLIENT),
    ),
    (
        CARD_DECLINED | {"advice_code": "something_new"},
        Failure("insufficient_funds", NOT_THROUGH),
    ),
    ({"code": "expired_card", "decline_code": None}, Failure("expired_card", NOT_THROUGH)),
    ({"code": "processing_error"}, Failure("processing_error", NOT_THROUGH)),
    ({}, Failure("payment_failed", NOT_THROUGH)),
    (NEEDS_CLIENT, Failure("authentication_required", LET_PAY, RetryAdvice.CLIENT)),
    (
        {"code": "authentication_required"},
        Failure("authentication_required", LET_PAY, RetryAdvice.CLIENT),
    ),
    (
        {"code": "card_declined", "decline_code": "authentication_required"},
        Failure("authentication_required", LET_PAY, RetryAdvice.CLIENT),
    ),
]


@pytest.mark.parametrize(("error", "failure"), DECLINES)
def test_a_decline_is_a_failed_payment_with_all_that_is_known_of_it(
    settings: Settings, renewal: Order, error: dict[str, Any], failure: Failure
) -> None:
    told = charge(settings, renewal, declined(error))
    assert told == Outcome(
        PaymentStatus.FAILED,
        psp_reference="pi_1",
        reference="pay_1",
        money=Money(150_000, "KES"),
        livemode=False,
        failure=failure,
        references=("pi_1",),
    )


@pytest.mark.parametrize(("error", "failure"), DECLINES)
def test_a_decline_is_read_back_as_it_was_answered(
    settings: Settings, renewal: Order, error: dict[str, Any], failure: Failure
) -> None:
    """Also where the answer was lost: nobody will try again on this intent."""
    answer = declined(error)
    with respx.mock:
        read = json.loads(answer.content)["error"]["payment_intent"]
        respx.get(path__regex="/pi_1$").respond(json=read)
        assert Stripe(settings).fetch("pi_1") == charge(settings, renewal, answer)


@pytest.mark.parametrize("name", ["card_declined", "authentication_required"])
def test_the_error_says_why_where_its_intent_does_not(
    settings: Settings, renewal: Order, name: str
) -> None:
    error = {"code": name, "type": "card_error"}
    body = {"error": error | {"payment_intent": own_intent(metadata=AWAY)}}
    failure = charge(settings, renewal, httpx.Response(402, json=body)).failure
    assert failure is not None
    assert failure.code == name


@pytest.mark.parametrize(
    ("named", "fact"),
    [
        ({"metadata": AWAY | {"payment_id": "pay_2"}}, "reference"),
        ({"livemode": True}, "livemode"),
        ({"amount": 1}, "money"),
        ({"currency": "usd"}, "money"),
    ],
)
def test_what_a_decline_states_is_passed_on_to_be_compared(
    settings: Settings, renewal: Order, named: dict[str, Any], fact: str
) -> None:
    error = {"type": "card_error", "payment_intent": own_intent(metadata=AWAY) | named}
    as_asked = charge(settings, renewal, declined({}))
    told = charge(settings, renewal, httpx.Response(402, json={"error": error}))
    assert getattr(told, fact) != getattr(as_asked, fact)


@pytest.mark.parametrize(
    "error",
    [
        {"type": "card_error", "code": "card_declined"},
        {"type": "card_error", "code": "card_declined", "payment_intent": None},
        {"type": "card_error", "code": "card_declined", "payment_intent": "pi_1"},
    ],
)
def test_a_decline_that_names_no_intent_is_one(
    settings: Settings, renewal: Order, error: dict[str, Any]
) -> None:
    told = charge(settings, renewal, httpx.Response(402, json={"error": error}))
    refusal = Failure("card_declined", "Stripe refused to open this payment.")
    assert told == Outcome(PaymentStatus.FAILED, failure=refusal)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"type": "invalid_request_error", "code": "resource_missing"}, "resource_missing"),
        ({"type": "invalid_request_error"}, "invalid_request"),
    ],
)
def test_a_method_that_is_gone_is_a_refusal(
    settings: Settings, renewal: Order, answer: dict[str, Any], code: str
) -> None:
    told = charge(settings, renewal, httpx.Response(400, json={"error": answer}))
    assert told.failure == Failure(code, "Stripe refused to open this payment.")


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(409, json={"error": {"type": "idempotency_error"}}),
        httpx.Response(402, text="<html>"),
        httpx.Response(402, json={"error": {"type": "card_error", "payment_intent": {}}}),
        httpx.Response(
            402,
            json={"error": {"type": "card_error", "payment_intent": {"object": "payment_intent"}}},
        ),
        httpx.Response(200, json=[]),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
    ids=repr,
)
def test_what_may_have_happened_is_unknown(
    settings: Settings, renewal: Order, answer: httpx.Response | Exception
) -> None:
    assert charge(settings, renewal, answer) == UNKNOWN


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("refused"), PspUnavailable),
        (httpx.Response(429, json={"error": {"code": "rate_limit"}}), PspUnavailable),
        (httpx.Response(401, json={"error": {}}), Misconfigured),
    ],
    ids=repr,
)
def test_what_certainly_did_not_happen_is_an_error(
    settings: Settings,
    renewal: Order,
    answer: httpx.Response | Exception,
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        charge(settings, renewal, answer)
