"""The stand-in put together, and its routes."""

from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette
from starlette.routing import Route

from local.clock import Clock
from local.pesapal import overview
from local.pesapal.api import Api
from local.pesapal.checkout import PaymentPages
from local.pesapal.faults import Faults
from local.pesapal.ipns import Ipns, is_acknowledged
from local.pesapal.orders import Orders
from local.pesapal.pages import PSP
from local.pesapal.people import People
from local.pesapal.refunds import Refunds
from local.pesapal.store import NotificationType, State
from local.pesapal.tokens import Tokens
from local.pesapal.world import World
from local.standin.control import Control
from local.standin.deliveries import Deliveries
from local.standin.faults import Switchboard
from local.standin.front import Payments
from local.standin.happenings import Happenings
from local.standin.identifiers import Identifiers
from local.standin.outbox import Event
from local.standin.pages import path_of
from local.standin.store import Store


class PesapalStandIn:
    """Pesapal for local runs and tests: no money.

    `app` is served on loopback at `base_url`, in the event loop that calls `start`; between
    `start` and `stop` IPNs are delivered. `webhook_url`, with the token in its path, is registered
    as `ipn_id`, to be told as `webhook_type` says. With a `state_file` the state outlives the
    process.
    """

    psp = PSP

    def __init__(
        self,
        *,
        clock: Clock,
        consumer_key: str,
        consumer_secret: str,
        webhook_url: str,
        base_url: str,
        state_file: Path | None,
        log: Callable[[str], None],
        webhook_type: NotificationType = "POST",
        random: Random | None = None,
    ) -> None:
        self._store = Store(State, state_file)
        self._base_url = base_url.rstrip("/")
        ids = Identifiers(random or SystemRandom())
        self._world = World(self._store.state, clock, ids, Switchboard(Faults))
        self._ipns = Ipns(self._world, self._tell)
        self.ipn_id = self._ipns.find_or_add(webhook_url, webhook_type)
        self._deliveries = Deliveries(
            name="pesapal",
            outbox=self._store.state,
            clock=clock,
            switches=self._world.switches,
            compose=self._ipns.compose,
            accepts=is_acknowledged,
            tick=_nothing,
            save=self._store.save,
            log=log,
        )
        self._orders = Orders(self._world, self._ipns, self._base_url)
        self._refunds = Refunds(self._world, self._ipns)
        self._api = Api(
            world=self._world,
            tokens=Tokens(self._world, consumer_key, consumer_secret),
            ipns=self._ipns,
            orders=self._orders,
            refunds=self._refunds,
            finish=self._store.save,
            log=log,
        )
        self._control = self._new_control()
        self.app = Starlette(routes=self._routes())

    async def start(self) -> None:
        """Starts the worker that delivers IPNs."""
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
        return overview.payments(self._store.state)

    def _tell(self, event: Event) -> None:
        self._deliveries.put(event)

    def _new_control(self) -> Control:
        return Control(
            psp=self.psp,
            base_url=self._base_url,
            overview="/",
            switches=self._world.switches,
            deliveries=self._deliveries,
            tables=lambda: overview.tables(self._store.state, path_of(self._base_url)),
            ledger=lambda: overview.ledger(self._store.state),
            tick=_nothing,
        )

    def _routes(self) -> list[Route]:
        happenings = Happenings(_nothing, self._store.save, self.overview_path)
        people = People(self._orders, self._refunds)
        return [
            *self._api.routes(),
            *PaymentPages(self._orders, self._base_url, self._store.save).routes(),
            *self._control.routes(),
            *people.routes(happenings),
        ]


def _nothing() -> None:
    """Nothing at Pesapal happens because time passes: tokens end when they are looked at."""
