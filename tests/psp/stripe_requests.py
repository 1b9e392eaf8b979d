"""Capture, cancel, refund: each as it is asked of Stripe about a session or an intent."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import respx

from tests.psp.stripe_values import intent, own_intent, paid_session, refund, session
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import RefundOrder
from tollgate.domain.payment import Failure
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

API = "https://api.stripe.com/v1"
SESSION = f"{API}/checkout/sessions/cs_test_1"
INTENT = f"{API}/payment_intents/pi_1"
ORDER = RefundOrder("ref_1", "cs_test_1", Money(50_000, "KES"))
HELD = session(status="complete", payment_intent=intent("requires_capture"))


@dataclass(frozen=True)
class Request:
    """Something that is asked of Stripe about a session or an intent, and where it goes."""

    of: dict[str, Any]
    ask: Callable[[Stripe], Failure | None]
    url: str
    refusal: str
    read_at: str = SESSION


REQUESTS = {
    "capture": Request(
        HELD,
        lambda stripe: stripe.capture("cs_test_1", Money(100_000, "KES"), "our-key"),
        f"{INTENT}/capture",
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
        f"{INTENT}/cancel",
        "Stripe refused to cancel this payment.",
    ),
    "refund": Request(
        paid_session(),
        lambda stripe: stripe.refund(ORDER),
        f"{API}/refunds",
        "Stripe refused this refund.",
    ),
    "capture-intent": Request(
        own_intent("requires_capture"),
        lambda stripe: stripe.capture("pi_1", Money(100_000, "KES"), "our-key"),
        f"{INTENT}/capture",
        "Stripe refused to capture this payment.",
        INTENT,
    ),
    "cancel-intent": Request(
        own_intent(),
        lambda stripe: stripe.cancel("pi_1", "our-key"),
        f"{INTENT}/cancel",
        "Stripe refused to cancel this payment.",
        INTENT,
    ),
    "refund-intent": Request(
        own_intent("succeeded"),
        lambda stripe: stripe.refund(replace(ORDER, psp_reference="pi_1")),
        f"{API}/refunds",
        "Stripe refused this refund.",
        INTENT,
    ),
}


def asked(
    settings: Settings, request: Request, answer: httpx.Response | Exception
) -> tuple[Failure | None, httpx.Request, dict[str, str]]:
    """What the adapter says to this answer, and the one request that it made for it."""
    with respx.mock:
        respx.get(url__startswith=request.read_at).respond(json=request.of)
        route = respx.post(request.url).mock(side_effect=[answer])
        said = request.ask(Stripe(settings))
        assert route.call_count == 1
        sent = route.calls.last.request
    return said, sent, dict(parse_qsl(sent.content.decode(), strict_parsing=bool(sent.content)))


def agreed() -> httpx.Response:
    return httpx.Response(200, json=refund())


def refused(status: int, **error: Any) -> httpx.Response:
    return httpx.Response(status, json={"error": {"message": "For ann@example.com.", **error}})


DID_NOT_HAPPEN = [
    (httpx.ConnectError("refused"), PspUnavailable),
    (httpx.ConnectTimeout("slow"), PspUnavailable),
    (refused(429, type="invalid_request_error", code="rate_limit"), PspUnavailable),
    (refused(401, type="invalid_request_error"), Misconfigured),
    (refused(403, type="invalid_request_error"), Misconfigured),
]
"""Answers after which certainly nothing has happened at Stripe, and what the adapter raises."""
