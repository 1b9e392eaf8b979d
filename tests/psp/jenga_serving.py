"""The adapter, speaking with Jenga's stand-in."""

from dataclasses import replace
from typing import Any

import pytest

from tests.local.jenga.conftest import (
    API_KEY,
    IPN_PASSWORD,
    IPN_USER,
    MERCHANT,
    PRIVATE_KEY,
    SECRET,
    Bench,
    jenga_bench,
    jenga_ports,
    start_jenga,
    until,
)
from tests.psp.jenga_values import (
    CREATED_AT,
    order_of,
    settings_of,
)
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.callback import Callback
from tollgate.domain.order import Order
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Method, PaymentStatus
from tollgate.psp.jenga.adapter import Jenga
from tollgate.settings import Settings

__all__ = ["jenga_bench", "jenga_ports", "start_jenga"]

S = PaymentStatus


def settings_at(bench: Bench, **values: str) -> Settings:
    settings = settings_of(
        JENGA_API_KEY=API_KEY,
        JENGA_MERCHANT_CODE=MERCHANT,
        JENGA_CONSUMER_SECRET=SECRET,
        JENGA_PRIVATE_KEY=PRIVATE_KEY,
        JENGA_IPN_USER=IPN_USER,
        JENGA_IPN_PASSWORD=IPN_PASSWORD,
        JENGA_API_URL=bench.url,
        JENGA_CHECKOUT_URL=f"{bench.url}/processPayment",
    )
    psp_values = {**settings.psp_values, **values}
    return replace(settings, public_url=bench.receiver_url, psp_values=psp_values)


@pytest.fixture
def jenga(jenga_bench: Bench) -> Jenga:
    return Jenga(settings_at(jenga_bench), KeptTokens())


@pytest.fixture
def by_mpesa() -> Order:
    return order_of(method=Method.MPESA)


def post_form(bench: Bench, outcome: Outcome) -> str:
    """What the client's browser does with the form; the address of the page it is led to."""
    assert outcome.next_action is not None
    action = outcome.next_action
    answer = bench.browser.post(action["url"], data=dict(action["fields"]))
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["Location"]
    return bench.url.removesuffix("/jenga") + location


def hints(bench: Bench, jenga: Jenga, count: int) -> list[Any]:
    """What the adapter reads in the calls that came, by their arrival."""
    until(lambda: len(bench.receiver.bodies) >= count)
    came = zip(bench.receiver.paths, bench.receiver.headers, bench.receiver.bodies, strict=True)
    return [
        jenga.read_event(
            Callback(
                path_token="" if path == "/ipn" else path.rpartition("/")[2],
                headers=headers,
                body=body,
            ),
            CREATED_AT,
        )
        for path, headers, body in came
    ]
