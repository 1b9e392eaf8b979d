"""Capture, cancel, refund: what is sent, and what each answer means."""

import traceback
from dataclasses import replace

import httpx
import pytest
import respx

from tests.psp.stripe_requests import (
    DID_NOT_HAPPEN,
    HELD,
    ORDER,
    REQUESTS,
    SESSION,
    Request,
    agreed,
    asked,
    refused,
)
from tollgate.domain.errors import PspUnavailable, TollgateError, UnsupportedAmount
from tollgate.domain.money import Money
from tollgate.domain.payment import Failure
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

each = pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())

REFUND = {
    "payment_intent": "pi_1",
    "amount": "50000",
    "metadata[refund_id]": "ref_1",
    "metadata[payment_id]": "pay_1",
}


@pytest.mark.parametrize(
    ("name", "form", "key"),
    [
        ("capture", {"amount_to_capture": "100000"}, "our-key"),
        ("capture-intent", {"amount_to_capture": "100000"}, "our-key"),
        ("expire", {}, "our-key"),
        ("cancel", {}, "our-key-intent"),
        ("cancel-intent", {}, "our-key-intent"),
        ("refund", REFUND, "tollgate-ref_1"),
        ("refund-intent", REFUND, "tollgate-ref_1"),
    ],
)
def test_sends_what_is_asked_under_our_key(
    settings: Settings, name: str, form: dict[str, str], key: str
) -> None:
    said, request, sent = asked(settings, REQUESTS[name], agreed())
    assert (said, sent) == (None, form)
    assert request.headers["idempotency-key"] == key
    assert request.headers["stripe-version"] == "2026-10-28.endive"


@pytest.mark.parametrize(
    ("reason", "sent"),
    [
        ("duplicate", {"reason": "duplicate"}),
        ("requested_by_customer", {"reason": "requested_by_customer"}),
        ("fraudulent", {"reason": "fraudulent"}),
        ("expired_uncaptured_charge", {}),
        ("Ann did not like it", {}),
        (None, {}),
    ],
)
def test_passes_on_a_reason_that_stripe_knows(
    settings: Settings, reason: str | None, sent: dict[str, str]
) -> None:
    order = replace(ORDER, reason=reason)
    request = replace(REQUESTS["refund"], ask=lambda stripe: stripe.refund(order))
    form = asked(settings, request, agreed())[2]
    assert {name: value for name, value in form.items() if name == "reason"} == sent


def test_sends_amounts_as_stripe_counts_them(settings: Settings) -> None:
    order = replace(ORDER, money=Money(5_000, "UGX"))
    request = replace(REQUESTS["refund"], ask=lambda stripe: stripe.refund(order))
    assert asked(settings, request, agreed())[2]["amount"] == "500000"
    with respx.mock, pytest.raises(UnsupportedAmount):
        respx.get(url__startswith=SESSION).respond(json=HELD)
        Stripe(settings).capture("cs_test_1", Money(1_001, "KWD"), "our-key")


@each
@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(402, type="card_error", code="card_declined"), "card_declined"),
        (refused(400, type="invalid_request_error", code="charge_disputed"), "charge_disputed"),
        (refused(400, type="invalid_request_error"), "invalid_request"),
        (refused(400, type="invalid_request_error", code="a\nb"), "invalid_request"),
        (refused(402, type="card_error", code=["card_declined"]), "invalid_request"),
        (refused(402, type="card_error", code="x" * 256), "invalid_request"),
        (refused(404, type="invalid_request_error", code="resource_missing"), "resource_missing"),
    ],
)
def test_a_refusal_is_told_in_our_words(
    settings: Settings, request_: Request, answer: httpx.Response, code: str
) -> None:
    assert asked(settings, request_, answer)[0] == Failure(code, request_.refusal)


@each
@pytest.mark.parametrize(
    "answer",
    [
        refused(500, type="api_error"),
        refused(503),
        refused(409, type="idempotency_error", code="idempotency_key_in_use"),
        refused(400, type="idempotency_error"),
        httpx.Response(200, text="<html>"),
        httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
    ids=repr,
)
def test_what_may_have_happened_is_no_refusal(
    settings: Settings, request_: Request, answer: httpx.Response | Exception
) -> None:
    assert asked(settings, request_, answer)[0] is None


@each
@pytest.mark.parametrize(("answer", "error"), DID_NOT_HAPPEN, ids=repr)
def test_what_certainly_did_not_happen_is_an_error(
    settings: Settings,
    request_: Request,
    answer: httpx.Response | Exception,
    error: type[TollgateError],
) -> None:
    with pytest.raises(error) as raised:
        asked(settings, request_, answer)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert "sk_test_of_the_suite" not in told
    assert "ann@example.com" not in told


@each
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500),
        httpx.Response(404, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.ReadTimeout("slow"),
    ],
    ids=repr,
)
def test_nothing_is_sent_while_the_payment_can_not_be_read(
    settings: Settings, request_: Request, answer: httpx.Response | Exception
) -> None:
    with respx.mock, pytest.raises(PspUnavailable):
        respx.get(url__startswith=request_.read_at).mock(side_effect=[answer])
        request_.ask(Stripe(settings))
