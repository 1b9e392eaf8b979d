"""Coins and Stripe behind the front page, and a receiver that answers as it is told to."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.clock import Clock
from local.standin.front import StandIn, front_page
from local.stripe import StripeStandIn
from tests.local.standin.coins import Coins
from tests.local.standin.serving import Server

SECRET_KEY = "sk_test_of_the_suite"


@dataclass
class Receiver:
    """Hears by any method; what it answers is "heard" after the answers to come."""

    url: str
    answers: list[str] = field(default_factory=list)
    heard: list[dict[str, str]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.heard.append({"method": request.method, **request.query_params})
        return PlainTextResponse(self.answers.pop(0) if self.answers else "heard")


@dataclass
class Bench:
    """All that is served, and a client of it."""

    clock: Clock
    http: httpx.Client
    receiver: Receiver
    coins: Coins

    def fault(self, **switches: Any) -> None:
        self.http.post("/coins/_standin/faults", json=switches).raise_for_status()

    def charge(self, amount: int = 500, tell: str | None = None) -> httpx.Response:
        asked = {"amount": amount, "tell": tell or self.receiver.url}
        return self.http.post("/coins/charge", json=asked, timeout=0.5)

    def ledger(self) -> dict[str, Any]:
        ledger: dict[str, Any] = self.http.get("/coins/_standin/ledger").json()
        return ledger

    def open_stripe_session(self) -> dict[str, Any]:
        form = {
            "mode": "payment",
            "success_url": "https://shop.test/ok",
            "line_items[0][price_data][currency]": "kes",
            "line_items[0][price_data][unit_amount]": "500",
            "line_items[0][price_data][product_data][name]": "Gold",
            "line_items[0][quantity]": "1",
        }
        key = {"Authorization": f"Bearer {SECRET_KEY}"}
        answer = self.http.post("/v1/checkout/sessions", data=form, headers=key)
        session: dict[str, Any] = answer.raise_for_status().json()
        return session


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with ExitStack() as ends:
        standins, receiver = Server(), Server()
        ends.callback(standins.stop)
        ends.callback(receiver.stop)
        yield standins, receiver


@pytest.fixture
def bench(servers: tuple[Server, Server]) -> Iterator[Bench]:
    standins, receiving = servers
    clock = Clock()
    coins = Coins(clock, f"{standins.url}/coins")
    stripe = StripeStandIn(
        clock=clock,
        secret_key=SECRET_KEY,
        webhook_secret="whsec_of_the_suite",
        webhook_url=receiving.url,
        base_url=standins.url,
        state_file=None,
        log=coins.log.append,
    )

    def stop(stand_in: StandIn) -> None:
        standins.do(stand_in.stop())

    receiver = Receiver(receiving.url)
    receiving.app = Starlette(routes=[Route("/", receiver.take, methods=["GET", "POST"])])
    stand_ins: dict[str, StandIn] = {"stripe": stripe, "coins": coins}
    standins.app = front_page(stand_ins)
    with ExitStack() as ends:
        for stand_in in stand_ins.values():
            standins.do(stand_in.start())
            ends.callback(stop, stand_in)
        http = ends.enter_context(httpx.Client(base_url=standins.url, timeout=5))
        yield Bench(clock, http, receiver, coins)
