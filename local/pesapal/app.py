"""The stand-in put together, and its routes."""

from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette

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
from local.standin.faults import Switchboard
from local.standin.identifiers import Identifiers
from local.standin.outbox import Event
from local.standin.psp_stand_in import PspStandIn
from local.standin.store import Store


class PesapalStandIn(PspStandIn[State]):
    """Pesapal for local runs and tests: no money.

    `app` is served on loopback at `base_url`, in the event loop that calls `start`; between
    `start` and `stop` IPNs are delivered. `webhook_url`, with the token in its path, is registered
    as `ipn_id`, to be told as `webhook_type` says. With a `state_file` the state outlives the
    process. Nothing happens because time passes: tokens end when they are looked at.
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
        store = Store(State, state_file)
        ids = Identifiers(random or SystemRandom())
        world = World(store.state, clock, ids, Switchboard(Faults))
        ipns = Ipns(world, self._tell)
        self.ipn_id = ipns.find_or_add(webhook_url, webhook_type)
        super().__init__(
            store,
            world,
            overview,
            name="pesapal",
            base_url=base_url,
            compose=ipns.compose,
            accepts=is_acknowledged,
            log=log,
        )
        orders, refunds = Orders(world, ipns, base_url.rstrip("/")), Refunds(world, ipns)
        api = Api(
            world=world,
            tokens=Tokens(world, consumer_key, consumer_secret),
            ipns=ipns,
            orders=orders,
            refunds=refunds,
            finish=self._save,
            log=log,
        )
        routes = [
            *api.routes(),
            *PaymentPages(orders, base_url, self._save).routes(),
            *self._control.routes(),
            *People(orders, refunds).routes(self._happenings),
        ]
        self.app = Starlette(routes=routes)

    def _tell(self, event: Event) -> None:
        self._deliveries.put(event)
