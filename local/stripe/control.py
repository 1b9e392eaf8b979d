"""What is not Stripe's: the switches, the ledger tests judge by, and the overview."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from local.stripe.faults import Faults, Switchboard
from local.stripe.forms import decode
from local.stripe.pages import is_form, overview_page
from local.stripe.store import Store
from local.stripe.webhooks import Webhooks

_OF_SESSION = (
    "id amount_total currency status payment_status payment_intent client_reference_id metadata "
    "created expires_at url"
)
_OF_CHARGE = (
    "id payment_intent amount amount_captured amount_refunded currency status disputed metadata "
    "created"
)
_OF_REFUND = "id charge payment_intent amount currency status metadata created"
_OF_DISPUTE = "id charge payment_intent amount currency status created"


class Control:
    """The routes at / and below /_standin."""

    def __init__(
        self, store: Store, switches: Switchboard, webhooks: Webhooks, tick: Callable[[], None]
    ) -> None:
        self._store = store
        self._switches = switches
        self._webhooks = webhooks
        self._tick = tick

    def routes(self) -> list[Route]:
        return [
            Route("/", self._overview),
            Route("/_standin/faults", self._show_faults, methods=["GET"]),
            Route("/_standin/faults", self._set_faults, methods=["POST"]),
            Route("/_standin/ledger", self._ledger),
            Route("/_standin/events/{id}/resend", self._resend, methods=["POST"]),
        ]

    async def _overview(self, _request: Request) -> Response:
        self._tick()
        return HTMLResponse(overview_page(self._store.state, self._switches.faults))

    async def _show_faults(self, _request: Request) -> Response:
        return JSONResponse(self._switches.faults.model_dump())

    async def _set_faults(self, request: Request) -> Response:
        """Replaces all switches, so {} turns everything off. JSON, or the overview's form."""
        body = await request.body()
        by_hand = is_form(request)
        try:
            if by_hand:
                self._switches.set(Faults.model_validate(_filled_in(body.decode())))
            else:
                self._switches.set(Faults.model_validate_json(body))
        except ValidationError as error:
            problem = "; ".join(f"{_place(one)}: {one['msg']}" for one in error.errors())
            if by_hand:
                page = overview_page(self._store.state, self._switches.faults, problem)
                return HTMLResponse(page, 400)
            return JSONResponse({"error": problem}, 400)
        if by_hand:
            return RedirectResponse("/", 303)
        return JSONResponse(self._switches.faults.model_dump())

    async def _ledger(self, _request: Request) -> Response:
        self._tick()
        state = self._store.state
        return JSONResponse(
            {
                "sessions": [_part(one, _OF_SESSION) for one in state.sessions.values()],
                "charges": [_part(one, _OF_CHARGE) for one in state.charges.values()],
                "refunds": [_part(one, _OF_REFUND) for one in state.refunds.values()],
                "disputes": [_part(one, _OF_DISPUTE) for one in state.disputes.values()],
                "events": [
                    {
                        "id": event.id,
                        "type": event.type,
                        "attempts": [asdict(attempt) for attempt in event.attempts],
                        "delivered_at": event.delivered_at,
                    }
                    for event in state.events.values()
                ],
            }
        )

    async def _resend(self, request: Request) -> Response:
        """One delivery now, whatever the switches and the queue say."""
        event = self._store.state.events.get(request.path_params["id"])
        if event is None:
            return JSONResponse({"error": "no such event"}, 404)
        attempt = await self._webhooks.attempt(event)
        self._store.save()
        if is_form(request):
            return RedirectResponse("/", 303)
        return JSONResponse(asdict(attempt))


def _filled_in(body: str) -> dict[str, Any]:
    """The overview's form without the fields left empty."""
    form: dict[str, Any] = dict(decode(body))
    limits = form.pop("next", {})
    values = {name: value for name, value in form.items() if value != ""}
    return values | {"next": {name: value for name, value in limits.items() if value != ""}}


def _place(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"]) or "switches"


def _part(subject: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: subject[name] for name in names.split()}
