"""The adapter speaking with PayPal's stand-in, and what a client and an app do with them."""

from collections.abc import Iterator

import pytest

from tests.local.paypal.bench import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    Bench,
    Ports,
    served,
    standing,
    until,
)
from tests.psp import outcomes
from tests.psp.kept_tokens import KeptTokens
from tests.psp.paypal_values import order_of, settings_of
from tollgate.domain.callback import Callback
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import Hint
from tollgate.psp.paypal.adapter import PayPal
from tollgate.settings import Settings


@pytest.fixture(scope="module")
def paypal_ports() -> Iterator[Ports]:
    with served() as ports:
        yield ports


@pytest.fixture
def paypal_bench(paypal_ports: Ports) -> Iterator[Bench]:
    with standing(paypal_ports) as bench:
        yield bench


def settings_for(bench: Bench, **values: str) -> Settings:
    given = {
        "PAYPAL_CLIENT_ID": CLIENT_ID,
        "PAYPAL_CLIENT_SECRET": CLIENT_SECRET,
        "PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
        "PAYPAL_API_URL": bench.url,
        "PAYPAL_CA_PEM": bench.standin.ca_pem,
        "PAYPAL_VAULT": "on",
    }
    return settings_of(False, **given | values)


@pytest.fixture
def tokens() -> KeptTokens:
    return KeptTokens()


@pytest.fixture
def paypal(paypal_bench: Bench, tokens: KeptTokens) -> PayPal:
    """The adapter, speaking with the stand-in."""
    return PayPal(settings_for(paypal_bench), tokens)


def opened(paypal: PayPal, order: Order | None = None) -> str:
    """The reference of a payment that waits for its client."""
    return outcomes.opened(paypal, order or order_of())


def paid(bench: Bench, paypal: PayPal, order: Order | None = None) -> str:
    """The reference of a payment that its client approved and we captured."""
    order = order or order_of()
    reference = opened(paypal, order)
    bench.press(reference, "pay")
    assert paypal.capture(reference, order.money, f"{order.idempotency_key}-capture") is None
    return reference


def heard(bench: Bench, paypal: PayPal, count: int) -> list[Hint]:
    """What the adapter reads of the webhooks that came."""
    until(lambda: len(bench.receiver.events) >= count)
    calls = zip(bench.receiver.headers, bench.receiver.bodies, strict=True)
    now = bench.clock.now()
    return [paypal.read_event(Callback(headers=h, body=b), now) for h, b in calls]


def refund_order(reference: str, minor: int = 400, refund_id: str = "ref_1") -> RefundOrder:
    return RefundOrder(refund_id, reference, Money(minor, "USD"), "requested_by_customer")
