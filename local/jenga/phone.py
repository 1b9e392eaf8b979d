"""The client's phone: M-Pesa's prompt, to be answered or ignored."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.jenga.orders import Orders
from local.jenga.pages import message_page, phone_page
from local.jenga.store import Order
from local.standin.happenings import Refusal
from local.standin.pages import FRESH, see_other


class Phone:
    """A page for each order that was pushed. `path` is where the stand-in is mounted, `tick`
    brings the state up to the clock, `finish` saves it."""

    def __init__(
        self, orders: Orders, path: str, tick: Callable[[], None], finish: Callable[[], None]
    ) -> None:
        self._orders = orders
        self._path = path
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        page = "/phone/{reference}"
        answers: dict[str, Callable[[Order], None]] = {
            "accept": self._orders.pay,
            "decline": self._orders.decline,
            "wrong_pin": self._orders.mistype_pin,
        }
        return [
            Route(page, self._show),
            *(
                Route(f"{page}/{name}", self._button(answer), methods=["POST"])
                for name, answer in answers.items()
            ),
        ]

    async def _show(self, request: Request) -> Response:
        self._tick()
        try:
            order = self._orders.get(request.path_params["reference"])
        except Refusal as refusal:
            return HTMLResponse(message_page("No prompt", str(refusal)), refusal.status)
        return HTMLResponse(phone_page(order, self._address(order.reference)), headers=FRESH)

    def _button(self, answer: Callable[[Order], None]) -> Callable[[Request], Awaitable[Response]]:
        async def press(request: Request) -> Response:
            """Does it while the prompt is there; the page tells what came of it."""
            self._tick()
            reference = request.path_params["reference"]
            try:
                order = self._orders.get(reference)
                if order.prompt_ends_at is None:
                    raise Refusal(409, "the phone was not prompted")
                answer(order)
            except Refusal:
                pass
            self._finish()
            return see_other(self._address(reference))

        return press

    def _address(self, reference: str) -> str:
        return f"{self._path}/phone/{reference}"
