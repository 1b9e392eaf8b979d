"""A stand-in on its own port, a receiver that checks what is delivered to it, and the SDK."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from local.clock import Clock
from local.stripe import StripeStandIn

SECRET_KEY = "sk_test_of_the_suite"
WEBHOOK_SECRET = "whsec_of_the_suite"


# The SDK hands its form to httpx in a way that httpx has deprecated.
_SDK_WARNING = "ignore:Use 'content=:DeprecationWarning"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.filterwarnings(_SDK_WARNING))


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    else:
        return value
    raise AssertionError("it did not happen in time")


class Server:
    """A loopback port in a thread with its own event loop, serving whatever `app` is now."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        config = uvicorn.Config(
            self._serve,
            host="127.0.0.1",
            port=0,
            log_config=None,
            lifespan="off",
            interface="asgi3",
        )
        self._socket = config.bind_socket()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        until(lambda: self._server.started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it in the server's event loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


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
