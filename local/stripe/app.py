"""The stand-in put together, and its routes."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random, SystemRandom

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.clock import Clock
from local.standin.control import Control
from local.standin.deliveries import Deliveries
from local.standin.faults import Switchboard
from local.standin.front import Payments
from local.standin.happenings import Happenings
from local.standin.identifiers import Identifiers
from local.standin.pages import path_of
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


class StripeStandIn:
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
        self._store = Store(State, state_file)
        self._switches = Switchboard(Faults)
        self._base_url = base_url
        self._deliveries = Deliveries(
            name="stripe",
            outbox=self._store.state,
            clock=clock,
            switches=self._switches,
            compose=webhook(webhook_url, webhook_secret),
            tick=self._catch_up,
            save=self._store.save,
            log=log,
        )
        ids = Identifiers(random or SystemRandom())
        world = World(self._store.state, clock, ids, self._switches)
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
            switches=self._switches,
            expand=self._expanded,
            finish=self._store.save,
            log=log,
        )
        self._control = self._new_control()
        table = operations(world, self._intents, self._sessions)
        table |= charge_operations(world.state, self._refunds, self._disputes)
        self.app = Starlette(routes=self._routes(table))

    async def start(self) -> None:
        """Starts the webhook worker."""
        await self._deliveries.start()

    async def stop(self) -> None:
        """Stops the webhook worker and saves."""
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

    def _new_control(self) -> Control:
        return Control(
            psp=self.psp,
            base_url=self._base_url,
            overview="/stripe",
            switches=self._switches,
            deliveries=self._deliveries,
            tables=lambda: overview.tables(self._store.state, path_of(self._base_url)),
            ledger=lambda: overview.ledger(self._store.state),
            tick=self._catch_up,
        )

    def _catch_up(self) -> None:
        """Brings the state up to the clock: Sessions expire, delayed payments end, holds lapse."""
        expired = self._sessions.expire_due()
        settled = self._sessions.settle_due()
        lapsed = self._intents.lapse_due()
        if expired or settled or lapsed:
            self._store.save()

    def _expanded(self, subject: Json, paths: list[str]) -> Json:
        return expanded(self._store.state, subject, paths)

    def _routes(self, table: dict[tuple[str, str], Operation]) -> list[Route]:
        pages = CheckoutPages(
            self._store.state, self._sessions, self._base_url, self._catch_up, self._store.save
        )
        own_pages = IntentPages(self._intents, self._base_url, self._catch_up, self._store.save)
        happenings = Happenings(self._catch_up, self._store.save, self.overview_path)
        banks = Banks(self._refunds, self._disputes)
        payments = PaymentHappenings(self._store.state, self._sessions, self._intents, banks)
        return [
            *(
                Route(path, self._endpoint(operation), methods=[method])
                for (method, path), operation in table.items()
            ),
            *pages.routes(),
            *own_pages.routes(),
            *self._control.routes(),
            *banks.routes(happenings),
            *payments.routes(happenings),
            Route("/{rest:path}", self._endpoint(None), methods=["GET", "POST", "DELETE"]),
        ]

    def _endpoint(self, operation: Operation | None) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            self._catch_up()
            return await self._api.serve(request, operation)

        return serve
