"""Capture, cancel, refund: what is sent, and what each answer means."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from tests.psp.stripe_values import intent, paid_session, refund, session
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError, UnsupportedAmount
from tollgate.domain.money import Money
from tollgate.domain.order import RefundOrder
from tollgate.domain.payment import Failure
from tollgate.psp.stripe import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

API = "https://api.stripe.com/v1"
SESSION = f"{API}/checkout/sessions/cs_test_1"
ORDER = RefundOrder("ref_1", "cs_test_1", Money(50_000, "KES"))
HELD = session(status="complete", payment_intent=intent("requires_capture"))


@dataclass(frozen=True)
class Request:
    """Something that is asked of Stripe about a session, and where it goes."""

    of: dict[str, Any]
    ask: Callable[[Stripe], Failure | None]
    url: str
    refusal: str


REQUESTS = {
    "capture": Request(
        HELD,
        lambda stripe: stripe.capture("cs_test_1", Money(100_000, "KES"), "our-key"),
        f"{API}/payment_intents/pi_1/capture",
        "Stripe refused to capture this payment.",
    ),
    "expire": Request(
        session(),
        lambda stripe: stripe.cancel("cs_test_1", "our-key"),
        f"{SESSION}/expire",
        "Stripe refused to cancel this payment.",
    ),
    "cancel": Request(
        HELD,
        lambda stripe: stripe.cancel("cs_test_1", "our-key"),
        f"{API}/payment_intents/pi_1/cancel",
        "Stripe refused to cancel this payment.",
    ),
    "refund": Request(
        paid_session(payment_intent="pi_1"),
        lambda stripe: stripe.refund(ORDER),
        f"{API}/refunds",
        "Stripe refused this refund.",
    ),
}
each = pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS.keys())


def asked(
    settings: Settings, request: Request, answer: httpx.Response | Exception
) -> tuple[Failure | None, httpx.Request, dict[str, str]]:
    """What the adapter says to this answer, and the one request that it made for it."""
    with respx.mock:
        respx.get(url__startswith=SESSION).respond(json=request.of)
        route = respx.post(request.url).mock(side_effect=[answer])
        said = request.ask(Stripe(settings))
        assert route.call_count == 1
        sent = route.calls.last.request
    return said, sent, dict(parse_qsl(sent.content.decode(), strict_parsing=bool(sent.content)))


def agreed() -> httpx.Response:
    return httpx.Response(200, json=refund())


def refused(status: int, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "For ann@example.com.", **error}})


@pytest.mark.parametrize(
    ("name", "form", "key"),
    [
        ("capture", {"amount_to_capture": "100000"}, "our-key"),
        ("expire", {}, "our-key"),
        ("cancel", {}, "our-key-intent"),
        (
            "refund",
            {
                "payment_intent": "pi_1",
                "amount": "50000",
                "metadata[refund_id]": "ref_1",
                "metadata[payment_id]": "pay_1",
            },
            "tollgate-ref_1",
        ),
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
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("refused"), PspUnavailable),
        (httpx.ConnectTimeout("slow"), PspUnavailable),
        (refused(429, type="invalid_request_error", code="rate_limit"), PspUnavailable),
        (refused(401, type="invalid_request_error"), Misconfigured),
        (refused(403, type="invalid_request_error"), Misconfigured),
    ],
    ids=repr,
)
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
def test_nothing_is_sent_while_the_session_can_not_be_read(
    settings: Settings, request_: Request, answer: httpx.Response | Exception
) -> None:
    with respx.mock, pytest.raises(PspUnavailable):
        respx.get(url__startswith=SESSION).mock(side_effect=[answer])
        request_.ask(Stripe(settings))


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


@pytest.mark.parametrize(
    ("name", "done"),
    [
        ("expire", session(status="expired")),
        ("cancel", session(status="complete", payment_intent=intent("canceled"))),
        ("capture", paid_session(payment_intent=intent(amount_received=100_000))),
    ],
)
def test_what_was_done_before_is_agreed(
    settings: Settings, name: str, done: dict[str, Any]
) -> None:
    """Sent again long after the answer was lost, when Stripe has forgotten the key."""
    with respx.mock:
        respx.get(path="/v1/checkout/sessions/cs_test_1").respond(json=done)
        assert REQUESTS[name].ask(Stripe(settings)) is None


def test_another_amount_than_was_captured_is_asked_for(settings: Settings) -> None:
    request = replace(REQUESTS["capture"], of=paid_session())
    state = refused(400, type="invalid_request_error", code="payment_intent_unexpected_state")
    assert asked(settings, request, state)[0] is not None
