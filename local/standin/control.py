"""What is no PSP's: the switches, the ledger tests judge by, and the overview."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.standin.deliveries import Deliveries
from local.standin.faults import Switchboard
from local.standin.pages import Table, is_form, overview_page, path_of


class Control:
    """The routes of the overview and below /_standin.

    `psp` is the PSP's name as people write it, `overview` the path of that page within the
    stand-in. `tables` and `ledger` show the PSP's objects; the events are added to both. `tick`
    brings the state up to the clock.
    """

    def __init__(
        self,
        *,
        psp: str,
        base_url: str,
        overview: str,
        switches: Switchboard[Any],
        deliveries: Deliveries,
        tables: Callable[[], Sequence[Table]],
        ledger: Callable[[], dict[str, Any]],
        tick: Callable[[], None],
    ) -> None:
        self._psp = psp
        self._path = path_of(base_url)
        self._overview = overview
        self._switches = switches
        self._deliveries = deliveries
        self._tables = tables
        self._ledger = ledger
        self._tick = tick

    @property
    def overview_path(self) -> str:
        """Of the overview, from the server's root."""
        return self._path + self._overview

    def routes(self) -> list[Route]:
        return [
            Route(self._overview, self._show_overview),
            Route("/_standin/faults", self._show_faults, methods=["GET"]),
            Route("/_standin/faults", self._set_faults, methods=["POST"]),
            Route("/_standin/ledger", self._show_ledger),
            Route("/_standin/events/{id}/resend", self._resend, methods=["POST"]),
        ]

    async def _show_overview(self, _request: Request) -> Response:
        self._tick()
        return HTMLResponse(self._overview_page())

    async def _show_faults(self, _request: Request) -> Response:
        return JSONResponse(self._switches.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        """Replaces all switches, so {} turns everything off. JSON, or the overview's form."""
        body = await request.body()
        by_hand = is_form(request)
        kind = self._switches.kind
        try:
            if by_hand:
                self._switches.set(kind.model_validate(_filled_in(body.decode())))
            else:
                self._switches.set(kind.model_validate_json(body))
        except ValidationError as error:
            problem = "; ".join(f"{_place(one)}: {one['msg']}" for one in error.errors())
            if by_hand:
                return HTMLResponse(self._overview_page(problem), 400)
            return JSONResponse({"error": problem}, 400)
        if by_hand:
            return RedirectResponse(self.overview_path, 303)
        return JSONResponse(self._switches.faults.model_dump())

    async def _show_ledger(self, _request: Request) -> Response:
        self._tick()
        events = [
            {
                "id": event.id,
                "type": event.type,
                "attempts": [asdict(attempt) for attempt in event.attempts],
                "delivered_at": event.delivered_at,
            }
            for event in self._deliveries.events
        ]
        return JSONResponse(self._ledger() | {"events": events})

    async def _resend(self, request: Request) -> Response:
        """One delivery now, whatever the switches and the queue say."""
        attempt = await self._deliveries.resend(request.path_params["id"])
        if attempt is None:
            return JSONResponse({"error": "no such event"}, 404)
        if is_form(request):
            return RedirectResponse(self.overview_path, 303)
        return JSONResponse(asdict(attempt))

    def _overview_page(self, problem: str = "") -> str:
        return overview_page(
            self._psp,
            tables=self._tables(),
            events=self._deliveries.events,
            faults=self._switches.faults,
            path=self._path,
            problem=problem,
        )


def _filled_in(form: str) -> dict[str, Any]:
    """The overview's form without the fields left empty; next[lost]=2 is a limit."""
    values: dict[str, Any] = {}
    limits: dict[str, str] = {}
    for name, value in parse_qsl(form):
        if name.startswith("next["):
            limits[name.removeprefix("next[").removesuffix("]")] = value
        else:
            values[name] = value
    return values | {"next": limits}


def _place(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "switches"
