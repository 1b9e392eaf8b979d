"""The smallest stand-in there can be: a PSP that tells by GET and reads the receiver's answer."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.clock import Clock
from local.standin import faults
from local.standin.control import Control
from local.standin.deliveries import Deliveries
from local.standin.faults import Switchboard
from local.standin.front import Payments
from local.standin.happenings import Happenings, Refusal
from local.standin.identifiers import Identifiers
from local.standin.interference import Interference
from local.standin.outbox import Event, Outbox
from local.standin.pages import Table, button, code, path_of
from local.standin.store import Store
from local.standin.world import World


class Faults(faults.Faults):
    """One switch more, and how it does it."""

    shy: bool = Field(default=False, description="do not say <how> much")
    shy_seconds: float = Field(default=3, description="for how long")


@dataclass
class State(Outbox):
    """The amount of each charge by its id."""

    charges: dict[str, int] = field(default_factory=dict)
    returned: list[str] = field(default_factory=list)


class _Return(BaseModel):
    reason: str = ""


class Coins:
    """Takes POST /charge {"amount", "tell"}, and then GETs `tell` with the charge in the query."""

    psp = "Coins & Co"
    overview_path = "/coins/"

    def __init__(self, clock: Clock, base_url: str, file: Path | None = None) -> None:
        self._store = Store(State, file)
        self._path = path_of(base_url)
        switches = Switchboard(Faults)
        self.world = World(self._store.state, clock, Identifiers(Random(7)), switches)
        self.log: list[str] = []
        self.deliveries = Deliveries(
            name="coins",
            outbox=self._store.state,
            clock=clock,
            switches=switches,
            compose=_compose,
            accepts=_is_acknowledged,
            tick=_nothing,
            save=self._store.save,
            log=self.log.append,
        )
        self.control = Control(
            psp=self.psp,
            base_url=base_url,
            overview="/",
            switches=switches,
            deliveries=self.deliveries,
            tables=self._tables,
            ledger=lambda: {"charges": dict(self._store.state.charges)},
            tick=_nothing,
        )
        self.app = Starlette(routes=self._routes(Interference(self.world.switches, _fail)))

    async def start(self) -> None:
        await self.deliveries.start()

    async def stop(self) -> None:
        await self.deliveries.stop()
        self._store.save()

    def payments(self) -> Payments:
        return Payments(open=0, paid=len(self._store.state.charges))

    def _routes(self, interference: Interference) -> list[Route]:
        happenings = Happenings(_nothing, self._store.save, self.control.overview_path)
        return [
            Route("/token", interference.wrap(_token, acts=False), methods=["POST"]),
            Route("/charge", interference.wrap(self._charge), methods=["POST"]),
            Route("/charges", interference.wrap(self._list)),
            happenings.route("charges/{id}/return", self._return),
            *self.control.routes(),
        ]

    async def _charge(self, request: Request) -> Response:
        asked = await request.json()
        amount = asked["amount"] + self.world.switches.take("wrong_amount")
        charge = self.world.ids.new("c_", 6)
        self.world.state.charges[charge] = amount
        shown = 0 if self.world.switches.take("shy") else amount
        now = self.world.timestamp()
        self.deliveries.put(Event(f"e_{charge}", "paid", now, str(shown), to=asked["tell"]))
        return JSONResponse({"id": charge})

    async def _list(self, _request: Request) -> Response:
        return JSONResponse(list(self.world.state.charges))

    def _return(self, charge: str, body: bytes) -> dict[str, Any]:
        asked = _Return.model_validate_json(body)
        if charge in self.world.state.returned:
            raise Refusal(409, f"{charge} has been returned")
        self.world.state.returned.append(charge)
        return {"returned": charge, "reason": asked.reason}

    def _tables(self) -> Sequence[Table]:
        address = f"{self._path}/_standin/charges"
        rows = [
            (code(charge), str(amount), button(f"{address}/{charge}/return", "Return"))
            for charge, amount in self.world.state.charges.items()
        ]
        return [Table("Charges", ("Id", "Amount", ""), rows)]


async def _token(_request: Request) -> Response:
    return JSONResponse({"token": "t"})


def _compose(event: Event, _at: float) -> httpx.Request:
    return httpx.Request("GET", event.to, params={"event": event.id, "amount": event.body})


def _is_acknowledged(response: httpx.Response) -> bool:
    return response.is_success and response.text == "heard"


def _fail(status: int) -> Response:
    return JSONResponse({"failed": True}, status)


def _nothing() -> None: ...
