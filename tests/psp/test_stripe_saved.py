"""What a client agrees to let us keep of what a payment is made with."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
import respx

from tests.psp.stripe_values import AWAY, intent, own_intent, paid_session, session
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order, SavedMethod
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

API = "https://api.stripe.com/v1"
KEPT: dict[str, Any] = {
    "setup_future_usage": "off_session",
    "customer": "cus_1",
    "payment_method": "pm_1",
}


def test_a_hosted_page_saves_what_is_paid_with(settings: Settings, order: Order) -> None:
    def form(order: Order) -> dict[str, str]:
        with respx.mock:
            route = respx.post(f"{API}/checkout/sessions").respond(json=session())
            Stripe(settings).start(order)
            return dict(parse_qsl(route.calls.last.request.content.decode()))

    assert form(replace(order, save_method=True)) == form(order) | {
        "customer_creation": "always",
        "payment_intent_data[setup_future_usage]": "off_session",
    }


@pytest.mark.parametrize(
    ("reference", "body", "is_told"),
    [
        ("cs_test_1", paid_session(payment_intent=intent(**KEPT)), True),
        (
            "cs_test_1",
            session(status="complete", payment_intent=intent("requires_capture", **KEPT)),
            True,
        ),
        ("pi_1", intent(**KEPT), True),
        ("pi_1", own_intent("requires_capture", **KEPT), True),
        ("pi_1", intent(**KEPT | {"customer": {"id": "cus_1"}}), True),
        ("pi_1", own_intent(**KEPT), False),
        ("pi_1", own_intent("processing", **KEPT), False),
        ("pi_1", own_intent("canceled", **KEPT), False),
        ("cs_test_1", session(payment_intent=intent("requires_payment_method", **KEPT)), False),
        *(("pi_1", intent(**KEPT | {name: None}), False) for name in KEPT),
        ("pi_1", intent(**KEPT | {"setup_future_usage": "on_session"}), False),
        ("cs_test_1", paid_session(), False),
        ("pi_1", intent(metadata=AWAY, customer="cus_1", payment_method="pm_1"), False),
    ],
)
def test_what_was_agreed_to_be_kept_is_told(
    settings: Settings, reference: str, body: dict[str, Any], *, is_told: bool
) -> None:
    with respx.mock:
        respx.get(path__regex=f"/{reference}$").respond(json=body)
        told = Stripe(settings).fetch(reference).saved_method
    assert told == (SavedMethod("cus_1", "pm_1") if is_told else None)


@pytest.mark.parametrize("odd", [{"customer": 5}, {"payment_method": "pm\n1"}, {"customer": {}}])
def test_what_is_no_saved_method_is_an_error(settings: Settings, odd: dict[str, Any]) -> None:
    with respx.mock, pytest.raises(PspUnavailable):
        respx.get(path__regex="/pi_1$").respond(json=intent(**KEPT | odd))
        Stripe(settings).fetch("pi_1")
