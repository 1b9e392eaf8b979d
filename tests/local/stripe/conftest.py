"""A stand-in on its own port, a receiver that checks what is delivered to it, and the SDK."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import stripe
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.stripe import StripeStandIn
from tests.local.standin.serving import Server, until

__all__ = ["until"]

SECRET_KEY = "sk_test_of_the_suite"
WEBHOOK_SECRET = "whsec_of_the_suite"
STAYS: Any = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
"""Of a PaymentIntent that is confirmed over the API: no method may send its client elsewhere."""


# The SDK hands its form to httpx in a way that httpx has deprecated.
_SDK_WARNING = "ignore:Use 'content=:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(_SDK_WARNING))


@dataclass(frozen=True)
class Ports:
    """What all tests share: two servers and two clients."""

    standin: Server
    receiver: Server
    browser: httpx.Client
    http: stripe.HTTPXClient


@dataclass
class Receiver:
    """Takes webhooks as an integration would: by the SDK's own signature check."""

    clock: Clock
    statuses: list[int] = field(default_factory=list)  # answers to come; 200 after that
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    events: list[stripe.Event] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        body = await request.body()
        signature = request.headers["Stripe-Signature"]
        signed_at = int(signature.split(",")[0].removeprefix("t="))
        assert abs(signed_at - self.clock.time()) < 60
        self.bodies.append(body)
        self.signatures.append(signature)
        self.events.append(
            stripe.Webhook.construct_event(body, signature, WEBHOOK_SECRET, tolerance=0)
        )
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def types(self) -> list[str]:
        return [event.type for event in self.events]


@dataclass
class Bench:
    """One stand-in under test, and what is needed to use it."""

    clock: Clock
    url: str
    receiver: Receiver
    log: list[str]
    browser: httpx.Client
    http: stripe.HTTPXClient

    def sdk(self, **more: Any) -> stripe.StripeClient:
        """Another client of this stand-in."""
        return stripe.StripeClient(
            more.pop("api_key", SECRET_KEY),
            base_addresses={"api": self.url},
            http_client=self.http,
            max_network_retries=0,
            **more,
        )

    @property
    def client(self) -> stripe.StripeClient:
        return self.sdk()

    def open_session(self, **more: Any) -> stripe.checkout.Session:
        return self.client.v1.checkout.sessions.create(session_params(**more))

    def session(self, session_id: str) -> stripe.checkout.Session:
        expand = ["payment_intent.latest_charge"]
        return self.client.v1.checkout.sessions.retrieve(session_id, {"expand": expand})

    def press(self, session_id: str, button: str) -> httpx.Response:
        return self.browser.post(f"/c/pay/{session_id}/{button}")

    def fault(self, **switches: Any) -> None:
        self.browser.post("/_standin/faults", json=switches).raise_for_status()

    def happen(self, what: str, **details: Any) -> Any:
        """Something at Stripe that nobody asked for over the API, such as a dispute."""
        return self.browser.post(f"/_standin/{what}", json=details).raise_for_status().json()

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.browser.get("/_standin/ledger").json()
        return ledger

    def post(self, path: str, form: dict[str, Any], **headers: str) -> httpx.Response:
        """A request as the SDK would not send it."""
        authorization = {"Authorization": f"Bearer {SECRET_KEY}"}
        return self.browser.post(path, data=form, headers=authorization | headers)


def session_params(**more: Any) -> Any:
    """A Session for KES 1,500.00."""
    price = {"currency": "kes", "unit_amount": 150_000, "product_data": {"name": "Gold <plan>"}}
    return {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": "https://shop.test/ok?sid={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://shop.test/back",
        "client_reference_id": "pay_1",
        "metadata": {"payment_id": "pay_1"},
        "payment_intent_data": {"metadata": {"payment_id": "pay_1"}, "description": "March"},
    } | more


Start = Callable[..., Bench]


@pytest.fixture(scope="session")
def ports() -> Iterator[Ports]:
    with ExitStack() as ends:
        standin, receiver = Server(), Server()
        ends.callback(standin.stop)
        ends.callback(receiver.stop)
        browser = ends.enter_context(httpx.Client(base_url=standin.url, timeout=5))
        http = stripe.HTTPXClient(timeout=5, allow_sync_methods=True)
        ends.callback(http.close)
        yield Ports(standin, receiver, browser, http)


@pytest.fixture
def start(ports: Ports, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a stand-in with its receiver, in the place of the one before."""
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    running: list[StripeStandIn] = []

    def stop() -> None:
        while running:
            ports.standin.do(running.pop().stop())

    def start_bench(
        clock: Clock | None = None, state_file: Path | None = None, webhook_url: str | None = None
    ) -> Bench:
        stop()
        clock = clock or Clock()
        receiver, log = Receiver(clock), list[str]()
        standin = StripeStandIn(
            clock=clock,
            secret_key=SECRET_KEY,
            webhook_secret=WEBHOOK_SECRET,
            webhook_url=webhook_url or ports.receiver.url + "/webhook/stripe",
            base_url=ports.standin.url,
            state_file=state_file,
            log=log.append,
            random=Random(20),
        )
        hook = Route("/webhook/stripe", receiver.take, methods=["POST"])
        ports.receiver.app = Starlette(routes=[hook])
        ports.standin.app = standin.app
        ports.standin.do(standin.start())
        running.append(standin)
        return Bench(clock, ports.standin.url, receiver, log, ports.browser, ports.http)

    yield start_bench
    stop()


@pytest.fixture
def bench(start: Start) -> Bench:
    return start()
