"""The hosted checkout page: pay, decline, leave."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.standin.pages import FRESH, path_of, see_other
from local.stripe.errors import ApiError, Json
from local.stripe.pages import checkout_page, closed_page, message_page
from local.stripe.sessions import Sessions
from local.stripe.store import State


class CheckoutPages:
    """The routes below /c/pay. `tick` brings the state up to the clock, `finish` saves it."""

    def __init__(
        self,
        state: State,
        sessions: Sessions,
        base_url: str,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._state = state
        self._sessions = sessions
        self._path = path_of(base_url)
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        page = "/c/pay/{id}"
        return [
            Route(page, self._show),
            Route(page + "/pay", self._pay, methods=["POST"]),
            Route(page + "/decline", self._decline, methods=["POST"]),
            Route(page + "/leave", self._leave, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        session = self._find(request)
        if session is None:
            page = message_page("No such page", "There is no checkout session at this address.")
            return HTMLResponse(page, 404)
        if session["status"] != "open":
            return HTMLResponse(closed_page(session), headers=FRESH)
        checkout = self._state.checkouts[session["id"]]
        page = checkout_page(
            session, checkout, self._sessions.intent_of(session), self._page_of(request)
        )
        return HTMLResponse(page, headers=FRESH)

    async def _pay(self, request: Request) -> Response:
        return self._act(request, self._sessions.pay)

    async def _decline(self, request: Request) -> Response:
        return self._act(request, self._sessions.decline)

    async def _leave(self, request: Request) -> Response:
        session = self._find(request)
        if session is None or session["cancel_url"] is None:
            return see_other(self._page_of(request))
        return see_other(session["cancel_url"])

    def _act(self, request: Request, action: Callable[[str], Json]) -> Response:
        """Does it unless the Session is closed; a paid client is sent on, however often."""
        session = self._find(request)
        if session is None:
            return see_other(self._page_of(request))
        action(session["id"])
        self._finish()
        if session["status"] != "complete":
            return see_other(self._page_of(request))
        return see_other(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))

    def _find(self, request: Request) -> Json | None:
        self._tick()
        try:
            return self._sessions.get(request.path_params["id"])
        except ApiError:
            return None

    def _page_of(self, request: Request) -> str:
        return f"{self._path}/c/pay/{request.path_params['id']}"
