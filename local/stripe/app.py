"""The stand-in put together, and its routes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.standin.faults import Switchboard
from local.standin.identifiers import Identifiers
from local.standin.psp_stand_in import PspStandIn
from local.standin.store import Store
from local.stripe import overview
from local.stripe.api import API_VERSION, Api, Operation
from local.stripe.banks import Banks
from local.stripe.charge_operations import charge_operations
from local.stripe.charging import Charging
from local.stripe.checkout import CheckoutPages
from local.stripe.disputes import Disputes
from local.stripe.errors import Json
from local.stripe.events import Events
from local.stripe.expansion import expanded
from local.stripe.faults import Faults
from local.stripe.idempotency import IdempotencyKeys
from local.stripe.intent_pages import IntentPages
from local.stripe.intents import Intents
from local.stripe.operations import operations
from local.stripe.pages import PSP
from local.stripe.payment_happenings import PaymentHappenings
from local.stripe.refunds import Refunds
from local.stripe.sessions import Sessions
from local.stripe.store import State
from local.stripe.webhooks import webhook
from local.stripe.world import World


class StripeStandIn(PspStandIn[State]):
    """Stripe for local runs and tests: test mode only, and no money.

    `app` is served on loopback at `base_url`, in the event loop that calls `start`; between
    `start` and `stop` events are delivered to `webhook_url`, signed with `webhook_secret`.
    With a `state_file` the state outlives the process. Raises ValueError for a key or a webhook
    secret that is not a test one.
    """

    psp = PSP

    def __init__(
        self,
        *,
        clock: Clock,
        secret_key: str,
        webhook_secret: str,
        webhook_url: str,
        base_url: str,
        state_file: Path | None,
        log: Callable[[str], None],
        random: Random | None = None,
    ) -> None:
        if not secret_key.startswith(("sk_test_", "rk_test_")):
            raise ValueError("the stand-in takes test keys only: sk_test_… or rk_test_…")
        if not webhook_secret.startswith("whsec_"):
            raise ValueError("a webhook secret starts with whsec_")
        store = Store(State, state_file)
        ids = Identifiers(random or SystemRandom())
        world = World(store.state, clock, ids, Switchboard(Faults))
        super().__init__(
            store,
            world,
            overview,
            name="stripe",
            base_url=base_url,
            compose=webhook(webhook_url, webhook_secret),
            log=log,
            overview_at="/stripe",
        )
        self._base_url = base_url
        events = Events(world, self._deliveries, API_VERSION)
        charging = Charging(world, events)
        self._intents = Intents(world, events, charging)
        self._sessions = Sessions(world, events, self._intents, charging, base_url)
        self._refunds = Refunds(world, events)
        self._disputes = Disputes(world, events)
        self._api = Api(
            secret_key=secret_key,
            keys=IdempotencyKeys(world.state, clock),
            ids=ids,
            switches=world.switches,
            expand=self._expanded,
            finish=self._save,
            log=log,
        )
        table = operations(world, self._intents, self._sessions)
        table |= charge_operations(world.state, self._refunds, self._disputes)
        self.app = Starlette(routes=self._routes(table))

    def _let_pass(self) -> bool:
        """Sessions expire, delayed payments end, holds lapse."""
        expired = self._sessions.expire_due()
        settled = self._sessions.settle_due()
        lapsed = self._intents.lapse_due()
        return expired or settled or lapsed

    def _expanded(self, subject: Json, paths: list[str]) -> Json:
        return expanded(self._state, subject, paths)

    def _routes(self, table: dict[tuple[str, str], Operation]) -> list[Route]:
        tick, finish = self._catch_up, self._save
        pages = CheckoutPages(self._state, self._sessions, self._base_url, tick, finish)
        own_pages = IntentPages(self._intents, self._base_url, tick, finish)
        banks = Banks(self._refunds, self._disputes)
        payments = PaymentHappenings(self._state, self._sessions, self._intents, banks)
        return [
            *(
                Route(path, self._endpoint(operation), methods=[method])
                for (method, path), operation in table.items()
            ),
            *pages.routes(),
            *own_pages.routes(),
            *self._control.routes(),
            *banks.routes(self._happenings),
            *payments.routes(self._happenings),
            Route("/{rest:path}", self._endpoint(None), methods=["GET", "POST", "DELETE"]),
        ]

    def _endpoint(self, operation: Operation | None) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            self._catch_up()
            return await self._api.serve(request, operation)

        return serve
