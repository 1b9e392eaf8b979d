"""The stand-in put together, and its routes."""

from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette
from starlette.routing import Route

from local.clock import Clock
from local.jenga import overview
from local.jenga.access import Access, Merchant
from local.jenga.api import Api
from local.jenga.checkout import CheckoutPages
from local.jenga.faults import Faults
from local.jenga.notifications import Notifications, notification
from local.jenga.orders import Orders
from local.jenga.pages import PSP
from local.jenga.people import People
from local.jenga.phone import Phone
from local.jenga.store import State
from local.jenga.world import World
from local.standin.control import Control
from local.standin.deliveries import Deliveries
from local.standin.faults import Switchboard
from local.standin.front import Payments
from local.standin.happenings import Happenings
from local.standin.identifiers import Identifiers
from local.standin.pages import path_of
from local.standin.store import Store


class JengaStandIn:
    """Jenga for local runs and tests, with one merchant and no money.

    `app` is served on loopback at `base_url`, in the event loop that calls `start`; the checkout's
    form is posted to `base_url` + "/processPayment". `public_key` is the PEM of the merchant's
    key. Between `start` and `stop` IPNs are delivered to `webhook_url` with HTTP Basic, and a
    push's callbacks to the address that came with it. With a `state_file` the state outlives the
    process.
    """

    psp = PSP

    def __init__(
        self,
        *,
        clock: Clock,
        api_key: str,
        merchant_code: str,
        consumer_secret: str,
        public_key: str,
        ipn_user: str,
        ipn_password: str,
        webhook_url: str,
        base_url: str,
        state_file: Path | None,
        log: Callable[[str], None],
        random: Random | None = None,
    ) -> None:
        self._store = Store(State, state_file)
        self._switches = Switchboard(Faults)
        self._path = path_of(base_url)
        self._deliveries = Deliveries(
            name="jenga",
            outbox=self._store.state,
            clock=clock,
            switches=self._switches,
            compose=notification(webhook_url, ipn_user, ipn_password),
            tick=self._catch_up,
            save=self._store.save,
            log=log,
        )
        ids = Identifiers(random or SystemRandom())
        self._world = World(self._store.state, clock, ids, self._switches)
        self._orders = Orders(self._world, Notifications(self._world, self._deliveries))
        merchant = Merchant(merchant_code, api_key, consumer_secret, public_key)
        self._access = Access(self._world, merchant)
        self._control = Control(
            psp=self.psp,
            base_url=base_url,
            overview="/",
            switches=self._switches,
            deliveries=self._deliveries,
            tables=lambda: overview.tables(self._store.state, self._path),
            ledger=lambda: overview.ledger(self._store.state),
            tick=self._catch_up,
        )
        self.app = Starlette(routes=self._routes())

    async def start(self) -> None:
        """Starts the worker that delivers notifications."""
        await self._deliveries.start()

    async def stop(self) -> None:
        """Stops the worker and saves."""
        await self._deliveries.stop()
        self._store.save()

    @property
    def overview_path(self) -> str:
        """Of the overview, from the server's root."""
        return self._control.overview_path

    def payments(self) -> Payments:
        """How many are open and paid by now."""
        self._catch_up()
        return overview.payments(self._store.state)

    def _catch_up(self) -> None:
        """Brings the state up to the clock: prompts and pages end."""
        if self._orders.expire_due():
            self._store.save()

    def _routes(self) -> list[Route]:
        tick, finish = self._catch_up, self._store.save
        happenings = Happenings(tick, finish, self.overview_path)
        world, access, orders = self._world, self._access, self._orders
        api = Api(world, access, orders, tick, finish)
        pages = CheckoutPages(world, access, orders, path=self._path, tick=tick, finish=finish)
        return [
            *api.routes(),
            *pages.routes(),
            *Phone(orders, self._path, tick, finish).routes(),
            *People(orders).routes(happenings),
            *self._control.routes(),
        ]
