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
from local.standin.faults import Switchboard
from local.standin.identifiers import Identifiers
from local.standin.pages import path_of
from local.standin.psp_stand_in import PspStandIn
from local.standin.store import Store


class JengaStandIn(PspStandIn[State]):
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
        store = Store(State, state_file)
        ids = Identifiers(random or SystemRandom())
        world = World(store.state, clock, ids, Switchboard(Faults))
        super().__init__(
            store,
            world,
            overview,
            name="jenga",
            base_url=base_url,
            compose=notification(webhook_url, ipn_user, ipn_password),
            log=log,
        )
        merchant = Merchant(merchant_code, api_key, consumer_secret, public_key)
        self._orders = Orders(world, Notifications(world, self._deliveries))
        self.app = Starlette(routes=self._routes(world, Access(world, merchant), path_of(base_url)))

    def _let_pass(self) -> bool:
        """Prompts and pages end."""
        return self._orders.expire_due()

    def _routes(self, world: World, access: Access, path: str) -> list[Route]:
        orders, tick, finish = self._orders, self._catch_up, self._save
        pages = CheckoutPages(world, access, orders, path=path, tick=tick, finish=finish)
        return [
            *Api(world, access, orders, tick, finish).routes(),
            *pages.routes(),
            *Phone(orders, path, tick, finish).routes(),
            *People(orders).routes(self._happenings),
            *self._control.routes(),
        ]
