"""Everything that the adapter sends, as Stripe's published specification judges it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import product
from operator import methodcaller
from typing import Any

import httpx
import pytest
import respx

from tests.psp.stripe_specification import wrong_with_request
from tests.psp.stripe_values import charge, intent, listed, own_intent, paid_session, session
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, RefundOrder, SavedMethod
from tollgate.domain.payment import Capture, Method, PaymentPage
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

API = "https://api.stripe.com/v1"


def requests_of(
    settings: Settings, ask: Callable[[Stripe], object], **said: Any
) -> list[httpx.Request]:
    """Whatever the adapter sends for this, where Stripe says of a session and an intent `said`."""
    answers = {
        "checkout/sessions/cs_test_1": said.get("session", session()),
        "payment_intents/pi_1": said.get("intent", own_intent()),
        "customers": {"id": "cus_1", "object": "customer"},
    }
    with respx.mock(assert_all_called=False) as stripe:
        for path, answer in answers.items():
            stripe.route(url__regex=rf"{API}/{path}(\?.*)?$").respond(json=answer)
        stripe.get().respond(json=listed())
        stripe.post().respond(500)
        with suppress(PspUnavailable):
            ask(Stripe(settings))
        return [call.request for call in stripe.calls]


def orders(order: Order) -> list[Order]:
    """Of every kind: page, capture, saving, method, customer, currency."""
    pages: list[dict[str, Any]] = [
        {"page": PaymentPage.HOSTED},
        {"page": PaymentPage.EMBEDDED},
        {"page": PaymentPage.HOSTED, "save_method": True},
        {"page": PaymentPage.EMBEDDED, "save_method": True},
        {"saved_method": SavedMethod("cus_1", "pm_1")},
    ]
    others: list[dict[str, Any]] = [
        {},
        {"capture": Capture.MANUAL},
        {"method": Method.CARD},
        {"customer": Customer()},
        {"money": Money(5_000, "UGX")},
        {"description": "x" * 255},
    ]
    return [replace(order, **page, **other) for page, other in product(pages, others)]


def test_what_opens_a_payment_is_as_specified(settings: Settings, order: Order) -> None:
    paths = set()
    for one in orders(order):
        sent = requests_of(settings, methodcaller("start", one))
        assert sent
        for request in sent:
            assert wrong_with_request(request) == [], (request.url.path, request.content)
            paths.add(request.url.path)
    assert paths == {"/v1/checkout/sessions", "/v1/payment_intents", "/v1/customers"}


KES = Money(100_000, "KES")
HELD = session(status="complete", payment_intent=intent("requires_capture"))
ASKED: dict[str, tuple[Callable[[Stripe], object], dict[str, Any]]] = {
    "capture": (methodcaller("capture", "cs_test_1", KES, "key"), {"session": HELD}),
    "capture-intent": (
        methodcaller("capture", "pi_1", KES, "key"),
        {"intent": own_intent("requires_capture")},
    ),
    "expire": (methodcaller("cancel", "cs_test_1", "key"), {}),
    "cancel": (methodcaller("cancel", "cs_test_1", "key"), {"session": HELD}),
    "cancel-intent": (methodcaller("cancel", "pi_1", "key"), {}),
    **{
        f"refund-{reference}-{reason}": (
            methodcaller("refund", RefundOrder("ref_1", reference, KES, reason)),
            {"session": paid_session(), "intent": own_intent("succeeded")},
        )
        for reference in ("cs_test_1", "pi_1")
        for reason in ("duplicate", "fraudulent", "requested_by_customer", "other", None)
    },
}


@pytest.mark.parametrize("name", ASKED)
def test_what_asks_for_something_is_as_specified(settings: Settings, name: str) -> None:
    ask, said = ASKED[name]
    sent = requests_of(settings, ask, **said)
    assert [request.method for request in sent] == ["GET", "POST"]
    for request in sent:
        assert wrong_with_request(request) == [], (request.url, request.content)


def test_what_is_read_is_as_specified(settings: Settings, order: Order) -> None:
    since = order.expires_at - timedelta(days=1)
    disputed = charge(disputed=True, refunds=listed(has_more=True))
    paid = paid_session(payment_intent=intent(latest_charge=disputed))
    reads: list[Callable[[Stripe], object]] = [
        methodcaller("fetch", "cs_test_1"),
        methodcaller("fetch", "pi_1"),
        methodcaller("find", "pay_1", since),
        lambda stripe: list(stripe.list_movements(since, order.expires_at)),
    ]
    sent = [one for read in reads for one in requests_of(settings, read, session=paid)]
    for request in sent:
        assert wrong_with_request(request) == [], request.url
    assert {request.url.path for request in sent} == {
        "/v1/checkout/sessions",
        "/v1/checkout/sessions/cs_test_1",
        "/v1/payment_intents",
        "/v1/payment_intents/pi_1",
        "/v1/charges",
        "/v1/refunds",
        "/v1/disputes",
    }


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("payment_intents", "amount=100"),
        ("payment_intents", "amount=1.5&currency=kes"),
        ("payment_intents", "amount=100&currency=kes&made_up=1"),
        ("payment_intents", "amount=100&currency=kes&payment_method_types[0]=card"),
        ("checkout/sessions", "success_url=x&payment_method_types[0]=card"),
        ("payment_intents", "amount=100&currency=kes&capture_method=later"),
        ("payment_intents", "amount=100&currency=kes&off_session=maybe"),
        ("payment_intents", "amount=100&currency=kes&automatic_payment_methods[enable]=true"),
        ("payment_intents", "amount=100&currency=kes&allowed_payment_method_types[0]=cash"),
        ("payment_intents/pi_1/cancel", "reason=abandoned"),
        ("payment_intents/pi_1/capture", "amount=100"),
        ("checkout/sessions", "success_url=x&payment_intent_data[setup_future_use]=off_session"),
        ("checkout/sessions", "success_url=x&line_items[0][price_data][currency]=kes&y=1"),
        ("checkout/sessions", "success_url=x&customer_creation=never"),
        ("checkout/sessions", "success_url=x&expires_at=tomorrow"),
        ("refunds", "reason=because"),
        ("customers", "metadata=pay_1"),
        ("nowhere", ""),
    ],
)
def test_what_is_not_as_specified_is_found(path: str, form: str) -> None:
    request = httpx.Request("POST", f"{API}/{path}", content=form)
    assert wrong_with_request(request) != []
