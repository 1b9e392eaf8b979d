"""Stripe out of reach: an error where nothing can have been sent, and unknown where it may have."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.chaos.fault_proxy import BLACK_HOLE, REFUSE, RESET, Cut, FaultProxy, Mode, drip
from tests.local.stripe.conftest import SECRET_KEY, Bench
from tests.psp.conftest import (
    bench,
    certificates_loaded_once,
    connections_end_with_their_test,
    order,
    ports,
    settings,
    start,
)
from tests.world import Answer, World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order
from tollgate.domain.outcome import UNKNOWN
from tollgate.psp import client
from tollgate.psp.stripe import commands
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

__all__ = [
    "bench",
    "certificates_loaded_once",
    "connections_end_with_their_test",
    "order",
    "ports",
    "settings",
    "start",
]

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

DEADLINE_SECONDS = 0.5
WIDE_SECONDS = 4.0

Fault = tuple[Mode, Cut | None]

NOT_SENT: dict[str, Fault] = {"refused": (REFUSE, None)}
LOST: dict[str, Fault] = {
    "request_reset": (RESET, Cut(takes_request=True)),
    "silent": (BLACK_HOLE, None),
}
ARRIVED: dict[str, Fault] = {
    "answer_reset": (RESET, Cut()),
    "answer_torn": (RESET, Cut(answer_bytes=40)),
    "answer_lost": (BLACK_HOLE, Cut()),
    "answer_drips": (drip(0.01), None),
}
FAULTS = NOT_SENT | LOST | ARRIVED


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SEND_SECONDS", DEADLINE_SECONDS)
    monkeypatch.setattr(client, "READ_SECONDS", DEADLINE_SECONDS)


@pytest.fixture
def line(bench: Bench) -> Iterator[FaultProxy]:
    """The way to Stripe."""
    with FaultProxy(bench.url) as proxy:
        yield proxy


@pytest.fixture
def stripe(settings: Settings, bench: Bench, line: FaultProxy) -> Stripe:
    url = line.through(bench.url)
    return Stripe(
        replace(settings, psp_values={"STRIPE_API_URL": url, "STRIPE_SECRET_KEY": SECRET_KEY})
    )


@pytest.fixture
def shop(world: World, stripe: Stripe) -> World:
    """A world whose PSP is Stripe's stand-in, at the far end of the line."""
    world.now = datetime.now(UTC)
    world.context = replace(world.context, open_psp=lambda name, settings, tokens: stripe)
    return world


def create(shop: World) -> Answer:
    body = {"client_id": "client-1", "plan": "monthly"}
    return shop.call("payments/create", body=body, headers={"idempotency-key": "k-1"})


@pytest.mark.parametrize("how", NOT_SENT)
def test_what_was_not_sent_is_an_error(
    stripe: Stripe, order: Order, line: FaultProxy, how: str
) -> None:
    line.switch(*FAULTS[how])
    with pytest.raises(PspUnavailable):
        stripe.start(order)


@pytest.mark.parametrize("kept", [True, False], ids=["kept_connection", "new_connection"])
@pytest.mark.parametrize("how", LOST | ARRIVED)
def test_what_may_have_arrived_is_unknown_in_time(
    stripe: Stripe, order: Order, line: FaultProxy, how: str, kept: bool
) -> None:
    if kept:
        stripe.start(replace(order, payment_id="pay_0"))
    line.switch(*FAULTS[how])
    began = time.monotonic()
    assert stripe.start(order) is UNKNOWN
    assert time.monotonic() - began < WIDE_SECONDS
    assert line.faults >= 1


@pytest.mark.parametrize("how", FAULTS)
def test_what_cannot_be_read_is_an_error_in_time(
    stripe: Stripe, order: Order, line: FaultProxy, how: str
) -> None:
    opened = stripe.start(order)
    assert opened.psp_reference is not None
    line.switch(*FAULTS[how])
    began = time.monotonic()
    with pytest.raises(PspUnavailable):
        stripe.fetch(opened.psp_reference)
    assert time.monotonic() - began < WIDE_SECONDS
    line.heal()
    assert stripe.fetch(opened.psp_reference) == opened


def test_a_create_that_reached_nobody_may_be_tried_again_at_once(
    shop: World, bench: Bench, line: FaultProxy
) -> None:
    line.switch(REFUSE)
    answer = create(shop)
    assert (answer.status, answer.json["code"]) == (503, "psp_unavailable")
    line.heal()
    assert create(shop).status == 201
    assert len(bench.ledger()["sessions"]) == 1


@pytest.mark.parametrize("how", LOST | ARRIVED)
def test_a_create_that_may_have_arrived_is_pending(
    shop: World, bench: Bench, line: FaultProxy, how: str
) -> None:
    line.switch(*FAULTS[how])
    answer = create(shop)
    assert (answer.status, answer.json["status"]) == (202, "pending")
    line.heal()
    assert create(shop).body == answer.body
    assert len(bench.ledger()["sessions"]) == (how in ARRIVED)
    assert shop.rows("SELECT status FROM payments") == [("pending",)]
