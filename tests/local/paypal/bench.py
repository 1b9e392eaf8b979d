"""PayPal's stand-in on a port of its own, a receiver that checks signatures, and a merchant.

Every answer that the merchant gets is checked against what PayPal publishes.
"""

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from local.clock import Clock
from local.paypal import PayPalStandIn
from local.paypal.specification import DISPUTES, ORDERS, PAYMENTS, problems
from tests.local.standin.serving import Server, until

__all__ = ["until"]

CLIENT_ID = "client-of-the-suite"
CLIENT_SECRET = "secret-of-the-suite"
WEBHOOK_ID = "1JE4291016473214C"
PUBLISHED = [
    (r"/v2/checkout/orders(/[A-Z0-9]+(/capture)?)?", (ORDERS, "order")),
    (r"/v2/payments/captures/[A-Z0-9]+", (PAYMENTS, "capture-2")),
    (r"/v2/payments/(captures/[A-Z0-9]+/refund|refunds/[A-Z0-9]+)", (PAYMENTS, "refund")),
    (r"/v1/customer/disputes", (DISPUTES, "dispute_search")),
    (r"/v1/customer/disputes/[A-Z0-9-]+", (DISPUTES, "dispute")),
]
REFUSALS = {400: "error_400", 404: "error_404", 409: "error_409", 422: "error_422"}

Json = dict[str, Any]


@dataclass(frozen=True)
class Ports:
    """What all tests of a module share."""

    standin: Server
    receiver: Server
    browser: httpx.Client


@dataclass
class Receiver:
    """Takes webhooks as an integration would: by their signature, with the key behind the address
    that they name."""

    certificate: bytes = b""
    statuses: list[int] = field(default_factory=list)  # answers to come; 200 after that
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        body, headers = await request.body(), request.headers
        message = (
            f"{headers['paypal-transmission-id']}|{headers['paypal-transmission-time']}"
            f"|{WEBHOOK_ID}|{zlib.crc32(body)}"
        )
        key = x509.load_pem_x509_certificate(self.certificate).public_key()
        assert isinstance(key, RSAPublicKey)
        signature = base64.b64decode(headers["paypal-transmission-sig"])
        key.verify(signature, message.encode(), PKCS1v15(), SHA256())
        self.headers.append(dict(headers))
        self.bodies.append(body)
        self.events.append(await request.json())
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def types(self) -> list[str]:
        return [event["event_type"] for event in self.events]


@dataclass
class Bench:
    """One stand-in under test, and what is needed to use it."""

    clock: Clock
    url: str
    receiver: Receiver
    log: list[str]
    browser: httpx.Client
    standin: PayPalStandIn
    _token: str = ""

    def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """A request of the API under a token that is fetched once; the answer is as published."""
        if not self._token:
            self._token = self.fetch_token().json()["access_token"]
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Prefer": "return=representation",
        } | request.pop("headers", {})
        response = self.browser.request(method, path, headers=headers, **request)
        check(path, response)
        return response

    def post(self, path: str, body: Json, request_id: str = "", **headers: str) -> httpx.Response:
        named = {"PayPal-Request-Id": request_id} if request_id else {}
        return self.call("POST", path, json=body, headers=named | headers)

    def get(self, path: str) -> Json:
        answer: Json = self.call("GET", path).raise_for_status().json()
        return answer

    def fetch_token(self, secret: str = CLIENT_SECRET, **form: str) -> httpx.Response:
        return self.browser.post(
            "/v1/oauth2/token",
            auth=(CLIENT_ID, secret),
            data={"grant_type": "client_credentials"} | form,
        )

    def create(self, request_id: str = "key-1", **unit: Any) -> str:
        """An order that waits for its client; its id."""
        answer = self.post("/v2/checkout/orders", order_request(**unit), request_id)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def order(self, order_id: str) -> Json:
        return self.get(f"/v2/checkout/orders/{order_id}")

    def capture(self, order_id: str, request_id: str = "capture-1") -> httpx.Response:
        return self.post(f"/v2/checkout/orders/{order_id}/capture", {}, request_id)

    def pay(self, request_id: str = "key-1", **unit: Any) -> tuple[str, str]:
        """A paid order: its id, and its capture's."""
        order_id = self.create(request_id, **unit)
        self.happen(f"payments/{order_id}/pay")
        answer = self.capture(order_id, f"capture-{request_id}").raise_for_status()
        (unit_,) = answer.json()["purchase_units"]
        return order_id, unit_["payments"]["captures"][0]["id"]

    def press(self, order_id: str, button: str) -> httpx.Response:
        return self.browser.post(f"/checkoutnow/{order_id}/{button}")

    def fault(self, **switches: Any) -> None:
        self.browser.post("/_standin/faults", json=switches).raise_for_status()

    def happen(self, what: str, **details: Any) -> Json:
        """Something at PayPal that nobody asked for over the API, such as a dispute."""
        answer = self.browser.post(f"/_standin/{what}", json=details).raise_for_status()
        happened: Json = answer.json()
        return happened

    def ledger(self) -> Json:
        ledger: Json = self.browser.get("/_standin/ledger").json()
        return ledger

    def told(self, *types: str) -> list[Json]:
        """The events so far, once they are these."""
        until(lambda: len(self.receiver.events) >= len(types))
        assert self.receiver.types() == list(types)
        return self.receiver.events


def check(path: str, response: httpx.Response) -> None:
    """Raises AssertionError for an answer that PayPal would not give."""
    if response.headers["content-type"] != "application/json" or response.status_code >= 500:
        return
    if response.status_code in (200, 201):
        place = path.partition("?")[0]
        (shape,) = [shape for pattern, shape in PUBLISHED if re.fullmatch(pattern, place)]
        assert problems(*shape, response.json()) == []
    elif response.status_code in REFUSALS:
        refusal = REFUSALS[response.status_code]
        document = PAYMENTS if refusal == "error_409" else ORDERS
        assert problems(document, refusal, response.json()) == []


def usd(value: str) -> Json:
    return {"currency_code": "USD", "value": value}


def order_request(**unit: Any) -> Json:
    """An order of USD 10.00 to be approved and captured."""
    experience = {
        "return_url": "https://shop.test/ok?from=paypal",
        "cancel_url": "https://shop.test/back",
    }
    return {
        "intent": "CAPTURE",
        "purchase_units": [
            {"custom_id": "pay_1", "amount": usd("10.00"), "description": "Gold <plan>"} | unit
        ],
        "payment_source": {"paypal": {"experience_context": experience}},
    }


def vault_request(vault_id: str | None = None) -> Json:
    """An order that asks to keep what it is paid with, or is paid with what was kept."""
    request = order_request()
    wallet = request["payment_source"]["paypal"]
    if vault_id is not None:
        request["payment_source"]["paypal"] = {"vault_id": vault_id}
    else:
        vault = {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}
        wallet["attributes"] = {"vault": vault}
    return request


@contextmanager
def served() -> Iterator[Ports]:
    with ExitStack() as ends:
        standin, receiver = Server(), Server()
        ends.callback(standin.stop)
        ends.callback(receiver.stop)
        url = f"{standin.url}/paypal"
        browser = ends.enter_context(httpx.Client(base_url=url, timeout=5, trust_env=False))
        yield Ports(standin, receiver, browser)


@contextmanager
def standing(
    ports: Ports,
    *,
    clock: Clock | None = None,
    state_file: Path | None = None,
    vaults: bool = True,
) -> Iterator[Bench]:
    """A stand-in mounted below a path, with its receiver."""
    clock, receiver, log = clock or Clock(), Receiver(), list[str]()
    url = f"{ports.standin.url}/paypal"
    standin = PayPalStandIn(
        clock=clock,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        webhook_id=WEBHOOK_ID,
        webhook_url=f"{ports.receiver.url}/webhook/paypal",
        base_url=url,
        state_file=state_file,
        log=log.append,
        vaults=vaults,
        random=Random(20),
    )
    hook = Route("/webhook/paypal", receiver.take, methods=["POST"])
    ports.receiver.app = Starlette(routes=[hook])
    ports.standin.app = Starlette(routes=[Mount("/paypal", standin.app)])
    ports.standin.do(standin.start())
    receiver.certificate = ports.browser.get("/v1/notifications/certs/CERT-stand-in").content
    try:
        yield Bench(clock, url, receiver, log, ports.browser, standin)
    finally:
        ports.standin.do(standin.stop())
