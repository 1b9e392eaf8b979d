"""A page in the place of an app's own, with Stripe's fields in it: it pays a PaymentIntent by its
client_secret, as Stripe.js would."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.standin.pages import FRESH, path_of, see_other
from local.stripe.cards import ASKING_CARD, GOOD_CARD, REFUSED_CARD
from local.stripe.errors import Json
from local.stripe.intents import Intents
from local.stripe.pages import intent_page, message_page

_CARDS = {"pay": GOOD_CARD, "decline": REFUSED_CARD, "authenticate": ASKING_CARD}


class IntentPages:
    """The routes below /c/intent. `tick` brings the state up to the clock, `finish` saves it."""

    def __init__(
        self,
        intents: Intents,
        base_url: str,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._intents = intents
        self._path = path_of(base_url)
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        page = "/c/intent/{secret}"
        return [
            Route(page, self._show),
            *(Route(f"{page}/{verb}", self._press(verb), methods=["POST"]) for verb in _CARDS),
        ]

    async def _show(self, request: Request) -> Response:
        intent = self._find(request)
        if intent is None:
            page = message_page("No such page", "No PaymentIntent has this client_secret.")
            return HTMLResponse(page, 404)
        return HTMLResponse(intent_page(intent, self._address(request)), headers=FRESH)

    def _press(self, verb: str) -> Callable[[Request], Awaitable[Response]]:
        async def press(request: Request) -> Response:
            """Confirms with the card of this button, unless there is nothing to pay any more."""
            intent = self._find(request)
            if intent is not None:
                self._intents.client_confirms(intent["id"], _CARDS[verb])
                self._finish()
            return see_other(self._address(request))

        return press

    def _find(self, request: Request) -> Json | None:
        self._tick()
        return self._intents.find_by_secret(request.path_params["secret"])

    def _address(self, request: Request) -> str:
        return f"{self._path}/c/intent/{request.path_params['secret']}"
