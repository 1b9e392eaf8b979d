"""The hosted checkout: a browser posts the merchant's form, pays, and is sent back.

What it is sent back with is signed by nobody. Source: the checkout reference of Jenga PGW.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.jenga.access import Access
from local.jenga.errors import UNAUTHORIZED, ApiError
from local.jenga.notifications import major
from local.jenga.orders import Orders
from local.jenga.pages import checkout_page, closed_page, message_page
from local.jenga.requests import read_checkout, wanted_checkout
from local.jenga.store import Order
from local.jenga.world import World
from local.standin.happenings import Refusal
from local.standin.pages import FRESH, see_other

_TOLD = {"paid": "SUCCESS", "open": "CANCELLED"}


class CheckoutPages:
    """The routes that a client's browser opens. `path` is where the stand-in is mounted, `tick`
    brings the state up to the clock, `finish` saves it."""

    def __init__(
        self,
        world: World,
        access: Access,
        orders: Orders,
        *,
        path: str,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._world = world
        self._access = access
        self._orders = orders
        self._path = path
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        page = "/checkout/{page}"
        actions: dict[str, Callable[[Order], None]] = {
            "card": self._orders.pay,
            "mpesa": self._orders.prompt,
            "decline": self._orders.decline,
        }
        return [
            Route("/processPayment", self._open, methods=["POST"]),
            Route(page, self._show),
            Route(f"{page}/leave", self._leave, methods=["POST"]),
            *(
                Route(f"{page}/{name}", self._button(action), methods=["POST"])
                for name, action in actions.items()
            ),
        ]

    async def _open(self, request: Request) -> Response:
        """Opens the order and its page. A reference serves once, also for a browser's Back."""
        self._tick()
        sent = parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)
        try:
            order = self._opened(dict(sent))
        except ApiError as error:
            refused = message_page("Jenga refuses this form", f"{error.code}: {error}")
            return HTMLResponse(refused, error.status, headers=FRESH)
        self._finish()
        return see_other(self._address(order))

    def _opened(self, sent: dict[str, str]) -> Order:
        form = read_checkout(sent)
        merchant = self._access.merchant.code
        if form.merchant_code != merchant or not self._access.is_living(form.token):
            raise ApiError(401, UNAUTHORIZED, "Unauthorized")
        self._access.check_signature(
            form.signature,
            form.merchant_code,
            form.order_reference,
            form.currency,
            form.order_amount,
            form.callback_url,
        )
        return self._orders.open(wanted_checkout(form))

    async def _show(self, request: Request) -> Response:
        order = self._find(request)
        if order is None:
            page = message_page("No such page", "There is no checkout at this address.")
            return HTMLResponse(page, 404)
        if order.status == "open":
            phone = f"{self._path}/phone/{order.reference}"
            page = checkout_page(order, self._address(order), phone)
        else:
            page = closed_page(order, _back(order))
        return HTMLResponse(page, headers=FRESH)

    def _button(self, action: Callable[[Order], None]) -> Callable[[Request], Awaitable[Response]]:
        async def press(request: Request) -> Response:
            """Does it unless the order is over; a client who is done is sent back."""
            order = self._find(request)
            if order is None:
                return see_other(self._no_page(request))
            try:
                action(order)
            except Refusal:
                return see_other(self._address(order))
            self._finish()
            return see_other(self._address(order) if order.status == "open" else _back(order))

        return press

    async def _leave(self, request: Request) -> Response:
        order = self._find(request)
        return see_other(_back(order) if order is not None else self._no_page(request))

    def _find(self, request: Request) -> Order | None:
        self._tick()
        page = request.path_params["page"]
        orders = self._world.state.orders.values()
        return next((one for one in orders if one.way == "checkout" and one.page == page), None)

    def _no_page(self, request: Request) -> str:
        return f"{self._path}/checkout/{quote(request.path_params['page'], safe='')}"

    def _address(self, order: Order) -> str:
        return f"{self._path}/checkout/{order.page}"


def _back(order: Order) -> str:
    """To the merchant, with what a browser may claim."""
    told = {
        "transactionStatus": _TOLD.get(order.status, "FAILED"),
        "orderReference": order.reference,
        "transactionReference": order.transaction or "",
        "transactionAmount": f"{major(order.paid or order.amount):.2f}",
        "transactionCurrency": order.paid_currency or order.currency,
        "paymentChannel": order.channel,
        "transactionDate": f"{datetime.fromtimestamp(order.paid_at or order.opened_at, UTC):%F %T}",
        "message": order.remarks,
    }
    joint = "&" if "?" in order.callback_url else "?"
    return f"{order.callback_url}{joint}{urlencode(told)}"
