"""A road through time: a clock at noon, a timer, Stripe's stand-in, and who hears its webhooks."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import stripe
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from local.clock import Clock
from local.host.project import Function, Trigger
from local.host.timers import Timers
from local.stripe import StripeStandIn
from local.travel import Journey, Traveller

NOON = datetime(2030, 2, 27, 12, tzinfo=UTC)
SECRET_KEY, WEBHOOK_SECRET = "sk_test_of_the_suite", "whsec_of_the_suite"


class Road:
    """`happened` tells what and when; `statuses` are answered to webhooks before 200s are, each
    after `hears_for` seconds. The timer, by its cron line, calls `work`.
    """

    def __init__(self, cron: str, redis_url: str | None) -> None:
        self.clock = Clock()
        self.clock.advance(NOON.timestamp() - self.clock.time())
        self.happened: list[tuple[str, datetime]] = []
        self.statuses: list[int] = []
        self.hears_for = 0.0
        self.log: list[str] = []
        self.work: Callable[[], Awaitable[None]] = self._take_a_moment
        self.timers = Timers(self.clock, self._fire)
        trigger = Trigger("timer", cron, {})
        self.timers.plan([Function("p", "f", Path(), triggers=(trigger,))])
        self.traveller = Traveller(self.clock, self.timers, redis_url, self.log.append)
        self.hook = Route("/hook", self._hear, methods=["POST"])
        self.stripe: httpx.AsyncClient

    def stand_in(self, webhook_url: str) -> StripeStandIn:
        """Stripe's, which tells what happens to `hook`."""
        return StripeStandIn(
            clock=self.clock,
            secret_key=SECRET_KEY,
            webhook_secret=WEBHOOK_SECRET,
            webhook_url=webhook_url,
            base_url="http://stripe",
            state_file=None,
            log=self.log.append,
        )

    async def travel(self, seconds: float, every_seconds: float | None = None) -> Journey:
        return await self.traveller.travel(seconds, every_seconds)

    def whats(self) -> list[str]:
        """What happened, in order."""
        return [what for what, _ in self.happened]

    def after(self, what: str) -> list[timedelta]:
        """How long after noon it happened, in whole minutes."""
        return [
            timedelta(minutes=(at - NOON) // timedelta(minutes=1))
            for name, at in self.happened
            if name == what
        ]

    async def pay(self) -> None:
        form = {
            "amount": "500",
            "currency": "kes",
            "payment_method": "pm_card_visa",
            "confirm": "true",
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        }
        await self._post("/v1/payment_intents", data=form)

    async def open_session(self) -> None:
        form = {
            "mode": "payment",
            "success_url": "https://shop.test/ok",
            "line_items[0][price_data][currency]": "kes",
            "line_items[0][price_data][unit_amount]": "500",
            "line_items[0][price_data][product_data][name]": "Gold",
            "line_items[0][quantity]": "1",
        }
        await self._post("/v1/checkout/sessions", data=form)

    async def fault(self, **switches: Any) -> None:
        await self._post("/_standin/faults", json=switches)

    async def _post(self, path: str, **request: Any) -> None:
        key = {"Authorization": f"Bearer {SECRET_KEY}"}
        (await self.stripe.post(path, headers=key, **request)).raise_for_status()

    async def _fire(self, _function: Function, _event: dict[str, Any]) -> None:
        self._note("timer begins")
        await self.work()
        self._note("timer ends")

    async def _take_a_moment(self) -> None:
        await asyncio.sleep(0.02)

    async def _hear(self, request: Request) -> Response:
        """Stripe's webhook, whose signature must be fresh by the moved clock."""
        body, header = await request.body(), request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(body, header, WEBHOOK_SECRET, tolerance=0)
        signed_at = int(header.split(",")[0].removeprefix("t="))
        assert abs(self.clock.time() - signed_at) < 60
        await asyncio.sleep(self.hears_for)
        self._note(event.type)
        return Response(status_code=self.statuses.pop(0) if self.statuses else 200)

    def _note(self, what: str) -> None:
        self.happened.append((what, self.clock.now()))


@asynccontextmanager
async def road(cron: str = "0 3 * * *", redis_url: str | None = None) -> AsyncIterator[Road]:
    """While time passes on it by itself."""
    there = Road(cron, redis_url)
    async with served(Starlette(routes=[there.hook])) as url:
        stand_in = there.stand_in(f"{url}/hook")
        transport = httpx.ASGITransport(stand_in.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://stripe") as there.stripe:
            await stand_in.start()
            chore = asyncio.create_task(there.timers.run())
            try:
                yield there
            finally:
                chore.cancel()
                await asyncio.wait({chore})
                await stand_in.stop()


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server, socket = uvicorn.Server(config), config.bind_socket()
    serving = asyncio.create_task(server.serve(sockets=[socket]))
    try:
        yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        socket.close()
