"""One PSP with all in its place: functions over real stores, the adapter, the stand-in."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import psycopg

from local.clock import Clock
from tests.contract.driver import Driver, Line, Watched
from tests.contract.gateway import WEB, Call, Containers, Gateway
from tests.contract.kinds import Kind, Place
from tests.local.standin.serving import Server, until
from tests.world import RETURN_ORIGIN, Answer, Stores, World, world_over
from tollgate.operations.context import Context
from tollgate.psp import open_psp
from tollgate.psp.protocol import Psp

CUSTOMER = {"email": "ann@example.com", "phone": "+254700000001", "name": "Ann Cee"}
CLIENT = "client-1"
LOOK_AGAIN_SECONDS = 61
"""Then a payment that was just looked at is due again, and its PSP may be asked by anybody."""

Wrap = Callable[[Psp], Psp]
Payment = dict[str, Any]
"""A payment as the API tells it."""


@dataclass(frozen=True)
class Ports:
    """What all stages share."""

    stand_in: Server
    gateway: Server
    browser: httpx.Client


class Stage:
    """What a test of the contract works with."""

    def __init__(
        self,
        *,
        kind: Kind,
        world: World,
        clock: Clock,
        driver: Driver,
        watched: Watched,
        settings: Mapping[str, Any],
        wrap: Wrap,
        owner: psycopg.Connection[Any],
    ) -> None:
        self.kind = kind
        self.can = kind.can
        self.world = world
        self.clock = clock
        self.psp = driver
        self.watched = watched
        self.answers: list[Answer] = []
        self._settings = settings
        self._wrap = wrap
        self._owner = owner
        self.containers = Containers(lambda: self.new_context(**self._settings))
        self.gateway = Gateway(world, self.containers)

    def new_context(self, **settings: Any) -> Context:
        """Another container's means."""
        return Context.open(
            replace(self.world.settings, **settings),
            now=self.clock.now,
            open_psp=lambda name, settings, tokens: self._wrap(open_psp(name, settings, tokens)),
        )

    @contextmanager
    def deployed(
        self, values: Mapping[str, str] | None = None, *, livemode: bool = False
    ) -> Iterator[None]:
        """Deployed with other settings for a while: the mode, or values of the PSP."""
        before = self._settings
        psp_values = {**before["psp_values"], **(values or {})}
        self._settings = {**before, "livemode": livemode, "psp_values": psp_values}
        self.containers.end()
        yield
        self._settings = before
        self.containers.end()

    def call(self, function: str, **request: Any) -> Answer:
        """A call by the app, in a container that is idle."""
        with self.containers.one() as context:
            answer = self.world.call(function, context=context, **request)
        self.answers.append(answer)
        return answer

    def create(self, key: str = "k-1", client: str = CLIENT, **more: Any) -> Answer:
        """Asks for a payment of the plan, in this stage's way."""
        body = {
            "client_id": client,
            "plan": "monthly",
            "currency": self.kind.currency,
            "psp": self.kind.psp,
            "return_url": f"{RETURN_ORIGIN}/done",
            "customer": CUSTOMER,
            **self.kind.body,
            **more,
        }
        wanted = {name: value for name, value in body.items() if value is not None}
        return self.call("payments/create", body=wanted, headers={"idempotency-key": key})

    def opened(self, key: str = "k-1", client: str = CLIENT, **more: Any) -> Payment:
        """A payment whose client has gone to where it can be paid."""
        answer = self.create(key, client, **more)
        assert answer.status == 201, answer.body
        self.psp.follow(answer.json["next_action"])
        return answer.json

    def paid(self, key: str = "k-1", client: str = CLIENT, **more: Any) -> Payment:
        """A payment that was paid, and that we know it of."""
        payment = self.opened(key, client, **more)
        self.psp.do(payment["psp_reference"], "pay")
        self.wait_for(payment, "succeeded")
        return payment

    def read(self, payment: Payment) -> Payment:
        """The payment as its app reads it."""
        answer = self.call("payments/get", method="GET", path=f"/{payment['id']}")
        assert answer.status == 200, answer.body
        return answer.json

    def is_active(self, client: str = CLIENT) -> bool:
        """Has this client paid?"""
        answer = self.call("subscriptions/check", method="GET", path=f"/{client}")
        assert answer.status == 200, answer.body
        return bool(answer.json["active"])

    def refund(self, payment: Payment, amount: int | None = None, key: str = "r-1") -> Answer:
        """Asks for a refund: of all that is left, unless an amount is named."""
        body = {"amount": amount} if amount is not None else b"{}"
        headers = {"idempotency-key": key}
        return self.call("payments/refund", path=f"/{payment['id']}", body=body, headers=headers)

    def cancel(self, payment: Payment) -> Answer:
        """Asks to end a payment that has not been paid."""
        return self.call("payments/cancel", path=f"/{payment['id']}")

    def come_back(self, payment: Payment) -> Answer:
        """The client's browser comes back from the PSP."""
        answer = self.gateway.call(Call("payments/return", "GET", f"/{payment['id']}", "", {}, b""))
        self.answers.append(answer)
        return answer

    def pass_time(self, **span: float) -> None:
        """Moves everybody's clock: seconds, minutes, hours."""
        units = {"seconds": 1, "minutes": 60, "hours": 3600}
        self.clock.advance(sum(number * units[unit] for unit, number in span.items()))

    def reconcile(self) -> dict[str, Any]:
        """One firing of the timer, once what was looked at just now is due again; its report."""
        self.pass_time(seconds=LOOK_AGAIN_SECONDS)
        with self.containers.one() as context:
            report = self.world.run_timer("payments/reconcile", context)
        found: dict[str, Any] = report["reconcile_payments"]
        return found

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What the owner of the tables sees, over one connection."""
        return self._owner.execute(sql.encode(), parameters).fetchall()

    def status(self, payment: Payment) -> str:
        """What the row says; nobody is asked."""
        ((status,),) = self.rows("SELECT status FROM payments WHERE id = %s", payment["id"])
        return str(status)

    def wait_for(self, payment: Payment, status: str) -> None:
        """Until the row says so, by what the PSP tells of itself."""
        until(lambda: self.status(payment) == status)

    def hear(self) -> None:
        """Until all that the PSP has told so far was taken; what was refused is told again."""
        until(self._has_heard)

    def _has_heard(self) -> bool:
        waiting = self.psp.waiting()
        if waiting:
            self.pass_time(seconds=2 if any(one["attempts"] for one in waiting) else 0.1)
        return not waiting

    def line(self, payment: Payment) -> Line:
        """The PSP's word about it."""
        reference = payment["psp_reference"]
        (line,) = (one for one in self.psp.lines() if one["psp_reference"] == reference)
        return line


@contextmanager
def stage_of(
    kind: Kind, stores: Stores, ports: Ports, wrap: Wrap = lambda adapter: adapter
) -> Iterator[Stage]:
    """A stage, from its first call to its last."""
    with ExitStack() as ends:
        world = ends.enter_context(world_over(stores))
        clock = Clock()
        place = Place(clock, ports.stand_in.url, f"{ports.gateway.url}/webhook")
        stand_in, told = kind.open(place)
        watched = Watched(stand_in.app)
        ports.stand_in.app = watched
        driver = Driver(place.url, ports.browser)
        settings = {
            "public_url": ports.gateway.url + WEB,
            "psp_values": {**kind.values, **told},
        }
        owner = ends.enter_context(psycopg.connect(stores.owner_url, autocommit=True))
        stage = Stage(
            kind=kind,
            world=world,
            clock=clock,
            driver=driver,
            watched=watched,
            settings=settings,
            wrap=wrap,
            owner=owner,
        )
        ends.callback(stage.containers.end)
        ports.gateway.app = stage.gateway.app
        ports.stand_in.do(stand_in.start())
        ends.callback(lambda: ports.stand_in.do(stand_in.stop()))
        yield stage
