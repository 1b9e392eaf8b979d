"""Where a story takes place: functions, PSPs' stand-ins, Redis and timers by one clock.

The clock stands still unless it is moved, chance is seeded, and nothing happens but at a halt: so
that the same story is the same to the byte each time it is told.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any, TypeVar

import httpx
import psycopg

from local.clock import Clock
from local.host.project import Function
from local.host.timers import Timers
from local.standin.front import StandIn, front_page
from local.travel import Traveller
from tests.contract.driver import Driver
from tests.contract.gateway import WEB, Containers, Gateway
from tests.contract.kinds import KINDS, Place
from tests.local.standin.serving import Server
from tests.world import Answer, Stores, World, world_over
from tollgate.operations.context import Context
from tollgate.psp import open_psp

PSPS = {"stripe": "stripe", "jenga": "jenga-mpesa", "pesapal": "pesapal"}
"""The PSPs of a story, and what tests/contract calls them."""
_MOST_SECONDS_FOR_A_HALT = 60

Result = TypeVar("Result")


class StillClock(Clock):
    """Moves when it is moved, and not by itself."""

    def __init__(self, starts_at: datetime) -> None:
        super().__init__()
        self._starts_at = starts_at.timestamp()

    def time(self) -> float:
        return self._starts_at + self.offset_seconds


@dataclass(frozen=True)
class SeededPlace(Place):
    """Where a stand-in stands that draws its ids from this source."""

    random: Random

    @property
    def means(self) -> dict[str, Any]:
        return {**super().means, "random": self.random}


class Street(Server):
    """The port of the stand-ins, in whose event loop time is travelled."""

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """What comes of it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(_MOST_SECONDS_FOR_A_HALT)


@dataclass(frozen=True)
class Ports:
    """What all scenes share. `timers` are the functions with triggers, as project.yml has them."""

    street: Street
    gateway: Server
    browser: httpx.Client
    timers: tuple[Function, ...]


class Scene:
    """What a story works with; `drivers` are the PSPs, by name, as their clients have them."""

    def __init__(
        self,
        world: World,
        ports: Ports,
        clock: StillClock,
        random: Random,
        owner: psycopg.Connection[Any],
    ) -> None:
        self.world = world
        self.clock = clock
        self.drivers: dict[str, Driver] = {}
        self._owner = owner
        self._ports = ports
        self._settings: dict[str, Any] = {}
        self._random = random
        self.containers = Containers(self._new_context)
        self.gateway = Gateway(world, self.containers)
        self._one_timer_at_a_time = asyncio.Lock()
        self._timers = Timers(clock, self._fire)
        self._timers.plan(ports.timers)
        self._traveller = Traveller(clock, self._timers, world.stores.redis_url, lambda _line: None)

    def build(self) -> dict[str, StandIn]:
        """The stand-ins, not started yet."""
        built: dict[str, StandIn] = {}
        values: dict[str, str] = {}
        for psp, kind in PSPS.items():
            url = self._ports.street.url + ("" if psp == "stripe" else f"/{psp}")
            webhook_url = f"{self._ports.gateway.url}/webhook"
            place = SeededPlace(self.clock, url, webhook_url, self._random)
            built[psp], told = KINDS[kind].open(place)
            values |= {**KINDS[kind].values, **told}
            self.drivers[psp] = Driver(url, self._ports.browser)
        self._settings = {"public_url": self._ports.gateway.url + WEB, "psp_values": values}
        return built

    def call(self, function: str, **request: Any) -> Answer:
        """A call of a function's `main` by the app, unless `key` names another caller."""
        with self.containers.one() as context:
            return self.world.call(function, context=context, **request)

    def move(self, seconds: float) -> None:
        """Goes on at once: Redis ages, webhooks come, and timers fire if they are due."""
        self._ports.street.run(self._traveller.travel(seconds))

    def decide_dispute(self, verb: str) -> None:
        """Ends the newest dispute at Stripe: win or lose."""
        *_, dispute = self.drivers["stripe"].ledger()["disputes"]
        url = f"{self._ports.street.url}/_standin/disputes/{dispute['id']}/{verb}"
        self._ports.browser.post(url, json={}).raise_for_status()

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """What is in the database."""
        return self._owner.execute(sql.encode(), parameters).fetchall()

    async def _fire(self, function: Function, _event: dict[str, Any]) -> None:
        async with self._one_timer_at_a_time:
            report = await asyncio.to_thread(self._run, function.path)
        assert "error" not in report, report

    def _run(self, function: str) -> dict[str, Any]:
        with self.containers.one() as context:
            (report,) = self.world.run_timer(function, context).values()
        assert isinstance(report, dict)
        return report

    def _new_context(self) -> Context:
        return Context.open(
            replace(self.world.settings, **self._settings),
            now=self.clock.now,
            random_bytes=self._random.randbytes,
            open_psp=open_psp,
        )


@contextmanager
def scene_of(stores: Stores, ports: Ports, starts_at: datetime, seed: int) -> Iterator[Scene]:
    """A scene that opens at this instant."""
    with ExitStack() as ends:
        world = ends.enter_context(world_over(stores))
        owner = ends.enter_context(psycopg.connect(stores.owner_url, autocommit=True))
        scene = Scene(world, ports, StillClock(starts_at), Random(seed), owner)
        stand_ins = scene.build()
        ports.street.app = front_page(stand_ins)
        ports.gateway.app = scene.gateway.app
        ends.callback(scene.containers.end)
        for stand_in in stand_ins.values():
            ports.street.do(stand_in.start())
            ends.callback(_stop, ports.street, stand_in)
        yield scene


def _stop(street: Street, stand_in: StandIn) -> None:
    street.do(stand_in.stop())
