"""The page on which a client approves an order: approve, fail to pay, leave."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.paypal.errors import ApiError
from local.paypal.orders import PAYER, Orders
from local.paypal.pages import approval_page, closed_page, message_page
from local.paypal.store import Order
from local.standin.pages import FRESH, path_of, see_other


class Checkout:
    """The routes at /checkoutnow. `tick` brings the state up to the clock, `finish` saves it."""

    def __init__(
        self,
        orders: Orders,
        base_url: str,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._orders = orders
        self._path = path_of(base_url) + "/checkoutnow"
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        page = "/checkoutnow"
        return [
            Route(page, self._show),
            Route(page + "/{id}/pay", self._pay, methods=["POST"]),
            Route(page + "/{id}/decline", self._decline, methods=["POST"]),
            Route(page + "/{id}/leave", self._leave, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        order_id = request.query_params.get("token", "")
        order = self._find(order_id)
        if order is None:
            page = message_page("No such page", "This checkout has expired, or never was.")
            return HTMLResponse(page, 404, headers=FRESH)
        if order.shown["status"] == "COMPLETED":
            return HTMLResponse(closed_page(order), headers=FRESH)
        return HTMLResponse(approval_page(order, f"{self._path}/{order_id}"), headers=FRESH)

    async def _pay(self, request: Request) -> Response:
        return self._approve(request, funding_declined=False)

    async def _decline(self, request: Request) -> Response:
        return self._approve(request, funding_declined=True)

    def _approve(self, request: Request, *, funding_declined: bool) -> Response:
        """A client who comes back to a paid order is sent on all the same."""
        order_id = request.path_params["id"]
        order = self._find(order_id)
        if order is None or not order.return_url:
            return self._page(order_id)
        if order.shown["status"] != "COMPLETED":
            self._orders.approve(order_id, funding_declined=funding_declined)
            self._finish()
        return _back(order.return_url, token=order_id, PayerID=PAYER["account_id"])

    async def _leave(self, request: Request) -> Response:
        """Changes nothing: the order may still be approved."""
        order_id = request.path_params["id"]
        order = self._find(order_id)
        if order is None or not order.cancel_url:
            return self._page(order_id)
        return _back(order.cancel_url, token=order_id)

    def _find(self, order_id: str) -> Order | None:
        self._tick()
        try:
            return self._orders.get(order_id)
        except ApiError:
            return None

    def _page(self, order_id: str) -> Response:
        return see_other(f"{self._path}?token={order_id}")


def _back(url: str, **more: object) -> Response:
    """Back to the shop, with what PayPal adds to the address."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *more.items()])
    return see_other(urlunsplit(parts._replace(query=query)))
