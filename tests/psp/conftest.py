"""The adapter's settings and an order; Stripe's stand-in as its own tests serve it."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest

from tests.local.stripe.conftest import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    Bench,
    bench,
    ports,
    start,
)
from tests.psp.deployment import deployment
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

__all__ = ["bench", "order", "ports", "settings", "start", "stripe"]


@pytest.fixture(autouse=True)
def certificates_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading all authorities' certificates takes longer than everything else in a request."""
    monkeypatch.setattr(ssl, "create_default_context", _default_context)


@pytest.fixture(autouse=True)
def connections_end_with_their_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An adapter keeps its connections for the life of its container, and so has no end."""
    opened: list[httpx.Client] = []
    construct = httpx.Client.__init__

    def construct_and_remember(self: httpx.Client, *arguments: Any, **options: Any) -> None:
        construct(self, *arguments, **options)
        opened.append(self)

    monkeypatch.setattr(httpx.Client, "__init__", construct_and_remember)
    yield
    for client in opened:
        client.close()


_default_context = cache(ssl.create_default_context)


@pytest.fixture
def settings() -> Settings:
    """Of a test deployment that takes payments through Stripe."""
    return deployment(
        {
            "STRIPE_SECRET_KEY": "sk_test_of_the_suite",
            "STRIPE_PUBLISHABLE_KEY": "pk_test_of_the_suite",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_the_suite",
        }
    )


def with_values(settings: Settings, **values: str) -> Settings:
    """These settings with some of a PSP's given, or given otherwise."""
    return replace(settings, psp_values={**settings.psp_values, **values})


@pytest.fixture
def order() -> Order:
    """KES 1,500.00, payable for an hour."""
    return Order(
        payment_id="pay_1",
        money=Money(150_000, "KES"),
        description="Gold <plan> & more",
        return_url="https://functions.example/payments/return/pay_1",
        cancel_url="https://functions.example/payments/return/pay_1?left=1",
        expires_at=datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1),
        customer=Customer(email="ann@example.com", phone="+254700000001", name="Ann"),
    )


@pytest.fixture
def stripe(settings: Settings, bench: Bench) -> Stripe:
    """The adapter, speaking with the stand-in."""
    return Stripe(
        with_values(
            settings,
            STRIPE_API_URL=bench.url,
            STRIPE_SECRET_KEY=SECRET_KEY,
            STRIPE_WEBHOOK_SECRET=WEBHOOK_SECRET,
        )
    )
