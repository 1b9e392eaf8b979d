"""A stand-in on its own port, a merchant that asks it, and where the merchant is called."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.jenga import JengaStandIn
from local.jenga.keys import new_private_key, public_key_of
from tests.local.standin.serving import Server, until

__all__ = ["until"]

API_KEY = "api-key-of-the-suite"
MERCHANT = "9837446275"
SECRET = "consumer-secret-of-the-suite"
IPN_USER, IPN_PASSWORD = "jenga-of-the-suite", "password:of-the-suite"
PRIVATE_KEY = new_private_key()
PUBLIC_KEY = public_key_of(PRIVATE_KEY)
MOUNT = "/jenga"
PUSHES = "/api-checkout/mpesa-stk-push/v3.0"
REFERENCE = "Ppay019ac1f2b0d7a3"
CHECKOUT = "Cpay019ac1f2b0d7a3"
RETURN_URL = "https://shop.test/return"


def signature(*fields: str, private_key: str = PRIVATE_KEY) -> str:
    """As a merchant would sign these fields."""
    signed = _key(private_key).sign("".join(fields).encode(), PKCS1v15(), SHA256())
    return base64.b64encode(signed).decode()


@cache
def _key(private_key: str) -> RSAPrivateKey:
    """Read once: that takes longer than everything else in a test."""
    key = load_pem_private_key(base64.b64decode(private_key), password=None)
    assert isinstance(key, RSAPrivateKey)
    return key


@dataclass(frozen=True)
class Ports:
    """What all tests share."""

    standin: Server
    receiver: Server
    browser: httpx.Client


@dataclass
class Receiver:
    """Takes whatever comes, and remembers it."""

    statuses: list[int] = field(default_factory=list)  # answers to come; 200 after that
    paths: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        self.paths.append(request.url.path)
        self.headers.append(dict(request.headers))
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def told(self, path: str) -> list[dict[str, Any]]:
        """What came to this path, oldest first."""
        came = zip(self.paths, self.bodies, strict=True)
        return [json.loads(body) for to, body in came if to == path]


@dataclass
class Bench:
    """One stand-in under test, and what is needed to use it."""

    clock: Clock
    url: str
    receiver_url: str
    receiver: Receiver
    browser: httpx.Client

    @property
    def callback_url(self) -> str:
        return f"{self.receiver_url}/callback"

    def token(self) -> str:
        answer = self.authenticate().raise_for_status().json()
        value: str = answer["accessToken"]
        return value

    def authenticate(self, api_key: str = API_KEY, **more: Any) -> httpx.Response:
        who = {"merchantCode": MERCHANT, "consumerSecret": SECRET} | more
        path = "/authentication/api/v3/authenticate/merchant"
        return self.post(path, json=who, headers={"Api-Key": api_key})

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx.Response:
        bearer = {"Authorization": f"Bearer {token or self.token()}"}
        return self.browser.get(self.url + path, headers=bearer | headers)

    def post(self, path: str, **request: Any) -> httpx.Response:
        return self.browser.post(self.url + path, **request)

    def push(self, body: bytes | None = None, signed: str | None = None) -> httpx.Response:
        """KES 1,500 asked of a phone; `signed` in the place of the right signature."""
        body = body or push_body(self.callback_url)
        said = json.loads(body, parse_int=str, parse_float=str)
        details = said["payment"]["details"]
        fields = (said["order"]["orderReference"], "KES", details["msisdn"])
        right = signature(*fields, str(details["paymentAmount"]))
        headers = {
            "Authorization": f"Bearer {self.token()}",
            "Content-Type": "application/json",
            "Signature": right if signed is None else signed,
        }
        return self.post(f"{PUSHES}/init", content=body, headers=headers)

    def order(self, reference: str = REFERENCE) -> dict[str, Any]:
        """What the query tells of a push."""
        answer = self.get(f"{PUSHES}/status/order/{reference}").raise_for_status()
        data: dict[str, Any] = answer.json()["data"]
        return data

    def details(self, reference: str = CHECKOUT, signed: str | None = None) -> httpx.Response:
        path = f"/v3-apis/transaction-api/v3.0/transactions/details/{reference}"
        return self.get(path, Signature=signature(reference) if signed is None else signed)

    def form(self, **more: str) -> dict[str, str]:
        """The form of a checkout over KES 1,500.00, signed after `more` has its say."""
        fields = {
            "token": more.pop("token", "") or self.token(),
            "merchantCode": MERCHANT,
            "currency": "KES",
            "orderAmount": "1500.00",
            "orderReference": CHECKOUT,
            "productType": "Service",
            "productDescription": "Gold <plan>",
            "extraData": "x",
            "paymentTimeLimit": "15mins",
            "customerFirstName": "Ann",
            "customerLastName": "Cee",
            "customerEmail": "ann@example.com",
            "customerPhone": "254700000001",
            "customerPostalCodeZip": "NA",
            "customerAddress": "NA",
            "callbackUrl": RETURN_URL,
            "countryCode": "KE",
        } | more
        names = ("merchantCode", "orderReference", "currency", "orderAmount", "callbackUrl")
        signed = signature(*(fields.get(name, "") for name in names))
        return {"signature": signed} | fields

    def open_checkout(self, **more: str) -> str:
        """The address of an open page, from the stand-in's own root."""
        answer = self.post("/processPayment", data=self.form(**more))
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"].removeprefix(MOUNT)

    def happen(self, what: str, reference: str = REFERENCE, **details: Any) -> httpx.Response:
        return self.post(f"/_standin/payments/{reference}/{what}", json=details)

    def fault(self, **switches: Any) -> None:
        self.post("/_standin/faults", json=switches).raise_for_status()

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.browser.get(f"{self.url}/_standin/ledger").json()
        return ledger

    def payment(self, reference: str = REFERENCE) -> dict[str, Any]:
        """An order, as the ledger has it."""
        (found,) = (one for one in self.ledger()["payments"] if one["psp_reference"] == reference)
        return dict(found)


def push_body(callback_url: str, **more: Any) -> bytes:
    """`more` replaces fields by their place: order__orderAmount=1."""
    body: dict[str, Any] = {
        "order": {
            "orderReference": REFERENCE,
            "orderAmount": 1500,
            "orderCurrency": "KES",
            "source": "APICHECKOUT",
            "countryCode": "KE",
            "description": "Gold <plan>",
        },
        "customer": {
            "name": "Ann Cee",
            "email": "ann@example.com",
            "phoneNumber": "254700000001",
            "identityNumber": "00000000",
        },
        "payment": {
            "paymentReference": f"{REFERENCE}R",
            "paymentCurrency": "KES",
            "channel": "MOBILE",
            "service": "MPESA",
            "provider": "JENGA",
            "callbackUrl": callback_url,
            "details": {"msisdn": "254700000001", "paymentAmount": 1500},
        },
    }
    for place, value in more.items():
        *parents, name = place.split("__")
        part = body
        for parent in parents:
            part = part[parent]
        part[name] = value
    return json.dumps(body).encode()


Start = Callable[..., Bench]


@pytest.fixture(scope="session")
def jenga_ports() -> Iterator[Ports]:
    with ExitStack() as ends:
        standin, receiver = Server(), Server()
        ends.callback(standin.stop)
        ends.callback(receiver.stop)
        browser = ends.enter_context(httpx.Client(timeout=5, trust_env=False))
        yield Ports(standin, receiver, browser)


@pytest.fixture
def start_jenga(jenga_ports: Ports) -> Iterator[Start]:
    """Starts a stand-in with its receiver, in the place of the one before."""
    running: list[JengaStandIn] = []

    def stop() -> None:
        while running:
            jenga_ports.standin.do(running.pop().stop())

    def start(clock: Clock | None = None, state_file: Path | None = None) -> Bench:
        stop()
        clock, receiver = clock or Clock(), Receiver()
        url = jenga_ports.standin.url + MOUNT
        standin = JengaStandIn(
            clock=clock,
            api_key=API_KEY,
            merchant_code=MERCHANT,
            consumer_secret=SECRET,
            public_key=PUBLIC_KEY,
            ipn_user=IPN_USER,
            ipn_password=IPN_PASSWORD,
            webhook_url=f"{jenga_ports.receiver.url}/ipn",
            base_url=url,
            state_file=state_file,
            log=lambda _line: None,
            random=Random(20),
        )
        anywhere = Route("/{rest:path}", receiver.take, methods=["POST"])
        jenga_ports.receiver.app = Starlette(routes=[anywhere])
        mounted = Starlette()
        mounted.mount(MOUNT, standin.app)
        jenga_ports.standin.app = mounted
        jenga_ports.standin.do(standin.start())
        running.append(standin)
        return Bench(clock, url, jenga_ports.receiver.url, receiver, jenga_ports.browser)

    yield start
    stop()


@pytest.fixture
def jenga_bench(start_jenga: Start) -> Bench:
    return start_jenga()
