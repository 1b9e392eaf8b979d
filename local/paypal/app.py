"""The stand-in put together, and its routes."""

from collections.abc import Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.paypal import overview
from local.paypal.api import Acting, Api, Reading
from local.paypal.authority import Authority
from local.paypal.captures import Captures
from local.paypal.checkout import Checkout
from local.paypal.disputes import Disputes
from local.paypal.events import Events
from local.paypal.faults import Faults
from local.paypal.operations import operations
from local.paypal.orders import Orders
from local.paypal.pages import PSP
from local.paypal.people import People
from local.paypal.refunds import Refunds
from local.paypal.store import State
from local.paypal.tokens import Tokens
from local.paypal.vault import Vault
from local.paypal.webhooks import CERTIFICATE_PATH, webhook
from local.paypal.world import World
from local.standin.faults import Switchboard
from local.standin.identifiers import Identifiers
from local.standin.psp_stand_in import PspStandIn
from local.standin.store import Store


class PayPalStandIn(PspStandIn[State]):
    """PayPal for local runs and tests: no money.

    `app` is served on loopback at `base_url`, in the event loop that calls `start`; between
    `start` and `stop` events are delivered to `webhook_url`, signed for `webhook_id`. The setting
    PAYPAL_CA_PEM has to be `ca_pem`, which is another one after each start of the process.
    `vaults`: whether the account may keep what clients pay with. With a `state_file` the state
    outlives the process.
    """

    psp = PSP

    def __init__(
        self,
        *,
        clock: Clock,
        client_id: str,
        client_secret: str,
        webhook_id: str,
        webhook_url: str,
        base_url: str,
        state_file: Path | None,
        log: Callable[[str], None],
        vaults: bool = True,
        random: Random | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._authority = Authority(clock.now())
        store = Store(State, state_file)
        ids = Identifiers(random or SystemRandom())
        world = World(store.state, clock, ids, Switchboard(Faults))
        super().__init__(
            store,
            world,
            overview,
            name="paypal",
            base_url=base_url,
            compose=webhook(webhook_url, webhook_id, self._base_url, self._authority, ids.guid),
            log=log,
        )
        events = Events(world, self._deliveries, self._base_url)
        captures = Captures(world, events, self._base_url)
        vault = Vault(world, events, self._base_url, is_enabled=vaults)
        self._orders = Orders(world, events, captures, vault, self._base_url)
        refunds = Refunds(world, events, captures, self._base_url)
        disputes = Disputes(world, events, captures, self._base_url)
        self._api = Api(
            world,
            Tokens(world, client_id, client_secret),
            tick=self._catch_up,
            finish=self._save,
            log=log,
        )
        people = People(self._orders, captures, refunds, disputes, vault)
        table = operations(self._orders, captures, refunds, disputes)
        self.app = Starlette(routes=self._routes(table, people))

    @property
    def ca_pem(self) -> str:
        """The base64 of the authority's PEM."""
        return self._authority.ca_pem

    def _let_pass(self) -> bool:
        """Orders lapse."""
        return self._orders.lapse_due()

    def _routes(
        self, table: dict[tuple[str, str], Reading | Acting], people: People
    ) -> list[Route]:
        checkout = Checkout(self._orders, self._base_url, self._catch_up, self._save)
        return [
            Route("/v1/oauth2/token", self._api.token_endpoint(), methods=["POST"]),
            *(
                Route(path, self._api.endpoint(operation), methods=[method])
                for (method, path), operation in table.items()
            ),
            Route(CERTIFICATE_PATH, self._show_certificate),
            *checkout.routes(),
            *self._control.routes(),
            *people.routes(self._happenings),
            Route("/{rest:path}", self._api.endpoint(None), methods=["GET", "POST", "PATCH"]),
        ]

    async def _show_certificate(self, _request: Request) -> Response:
        return Response(self._authority.pem, media_type="application/x-pem-file")
