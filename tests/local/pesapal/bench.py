"""Pesapal's stand-in on a port of its own, a receiver of its IPNs, and a merchant's requests."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.clock import Clock
from local.pesapal import PesapalStandIn
from tests.local.standin.serving import Server

CONSUMER_KEY = "key-of-the-suite"
CONSUMER_SECRET = "secret+of/the=suite"
PATH = "/hook/token-in-the-path"


@dataclass(frozen=True)
class Ports:
    """What all tests of a module share."""

    standin: Server
    receiver: Server
    browser: httpx.Client


@dataclass
class Receiver:
    """Hears IPNs by either method, and repeats them as Pesapal wants it."""

    answers: list[Response] = field(default_factory=list)  # to come; the right one after that
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        told = dict(request.query_params) if request.method == "GET" else await request.json()
        self.heard.append((request.method, told))
        return self.answers.pop(0) if self.answers else acknowledgement(told)


def acknowledgement(told: dict[str, str], **more: Any) -> Response:
    answer = {f"o{name[1:]}": value for name, value in told.items()}
    return JSONResponse(answer | {"status": 200} | more)


@dataclass
class Bench:
    """One stand-in under test, and what is needed to use it."""

    clock: Clock
    url: str
    ipn_id: str
    receiver: Receiver
    log: list[str]
    browser: httpx.Client
    standin: PesapalStandIn
    _token: str = ""

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request of the API under a token, which is fetched once."""
        if not self._token:
            self._token = self.fetch_token()["token"]
        headers = {"Accept": "application/json", "Authorization": f"Bearer {self._token}"}
        headers |= request.pop("headers", {})
        return self.browser.request(method, f"/api/{path}", headers=headers, **request)

    def post(self, path: str, content: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.call("POST", path, json=content).raise_for_status().json()
        return answer

    def fetch_token(self, **more: Any) -> dict[str, Any]:
        keys = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET} | more
        answer = self.browser.post(
            "/api/Auth/RequestToken", json=keys, headers={"Accept": "application/json"}
        )
        token: dict[str, Any] = answer.raise_for_status().json()
        return token

    def submit(self, **more: Any) -> dict[str, Any]:
        return self.post("Transactions/SubmitOrderRequest", order(self.ipn_id) | more)

    def open_order(self, **more: Any) -> str:
        """The tracking id of a new order."""
        answer = self.submit(**more)
        assert answer["status"] == "200", answer
        tracking_id: str = answer["order_tracking_id"]
        return tracking_id

    def status(self, tracking_id: str) -> dict[str, Any]:
        query = {"orderTrackingId": tracking_id}
        answer = self.call("GET", "Transactions/GetTransactionStatus", params=query)
        status: dict[str, Any] = answer.raise_for_status().json()
        return status

    def press(self, tracking_id: str, button: str) -> httpx.Response:
        return self.browser.post(f"/pesapaliframe/PesapalIframe3/Index/{tracking_id}/{button}")

    def page(self, tracking_id: str) -> httpx.Response:
        query = {"OrderTrackingId": tracking_id}
        return self.browser.get("/pesapaliframe/PesapalIframe3/Index/", params=query)

    def happen(self, tracking_id: str, verb: str, **details: Any) -> httpx.Response:
        return self.browser.post(f"/_standin/payments/{tracking_id}/{verb}", json=details)

    def fault(self, **switches: Any) -> None:
        self.browser.post("/_standin/faults", json=switches).raise_for_status()

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.browser.get("/_standin/ledger").json()
        return ledger

    def payment(self, tracking_id: str) -> dict[str, Any]:
        """The order's line in the ledger."""
        (line,) = (one for one in self.ledger()["payments"] if one["psp_reference"] == tracking_id)
        found: dict[str, Any] = line
        return found


def order(ipn_id: str) -> dict[str, Any]:
    """KES 1,500.00."""
    return {
        "id": "pay_1.a",
        "currency": "KES",
        "amount": 1500.0,
        "description": "Gold <plan>",
        "callback_url": "https://shop.test/ok?from=pesapal",
        "cancellation_url": "https://shop.test/back",
        "notification_id": ipn_id,
        "billing_address": {"email_address": "buyer@example.com"},
    }


@contextmanager
def served() -> Iterator[Ports]:
    """A port for the stand-in and one for its receiver, and a browser of the former."""
    with ExitStack() as ends:
        standin, receiver = Server(), Server()
        ends.callback(standin.stop)
        ends.callback(receiver.stop)
        browser = ends.enter_context(httpx.Client(base_url=standin.url, timeout=5))
        yield Ports(standin, receiver, browser)


@contextmanager
def standing(ports: Ports, clock: Clock | None = None, **options: Any) -> Iterator[Bench]:
    """A stand-in with its receiver; `options` are the stand-in's own."""
    clock, receiver, log = clock or Clock(), Receiver(), list[str]()
    means: dict[str, Any] = {
        "consumer_key": CONSUMER_KEY,
        "consumer_secret": CONSUMER_SECRET,
        "webhook_url": ports.receiver.url + PATH,
        "base_url": ports.standin.url,
        "state_file": None,
        "log": log.append,
        "random": Random(20),
    }
    standin = PesapalStandIn(clock=clock, **means | options)
    hook = Route(PATH, receiver.take, methods=["GET", "POST"])
    ports.receiver.app = Starlette(routes=[hook])
    ports.standin.app = standin.app
    ports.standin.do(standin.start())
    try:
        yield Bench(clock, ports.standin.url, standin.ipn_id, receiver, log, ports.browser, standin)
    finally:
        ports.standin.do(standin.stop())
