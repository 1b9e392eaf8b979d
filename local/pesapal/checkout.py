"""The payment page: choose and pay, let it fail, leave."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from local.pesapal.errors import ApiError
from local.pesapal.methods import METHODS
from local.pesapal.notices import callback_of
from local.pesapal.orders import Orders
from local.pesapal.pages import closed_page, message_page, payment_page
from local.pesapal.store import Order
from local.standin.pages import FRESH, path_of, see_other

_PAGE = "/pesapaliframe/PesapalIframe3/Index"


class PaymentPages:
    """The routes below /pesapaliframe. `finish` saves what a button changed."""

    def __init__(self, orders: Orders, base_url: str, finish: Callable[[], None]) -> None:
        self._orders = orders
        self._path = path_of(base_url) + _PAGE
        self._finish = finish

    def routes(self) -> list[Route]:
        return [
            Route(f"{_PAGE}/", self._show),
            Route(f"{_PAGE}/{{id}}/pay-{{method}}", self._pay, methods=["POST"]),
            Route(f"{_PAGE}/{{id}}/fail", self._fail, methods=["POST"]),
            Route(f"{_PAGE}/{{id}}/leave", self._leave, methods=["POST"]),
        ]

    async def _show(self, request: Request) -> Response:
        order = self._find(request.query_params.get("OrderTrackingId", ""))
        if order is None:
            return HTMLResponse(message_page("No such page", "There is no order here."), 404)
        if order.status in ("paid", "canceled"):
            return HTMLResponse(closed_page(order), headers=FRESH)
        return HTMLResponse(payment_page(order, f"{self._path}/{order.id}"), headers=FRESH)

    async def _pay(self, request: Request) -> Response:
        """A paid client is sent on, however often."""
        order, method = self._find(request.path_params["id"]), request.path_params["method"]
        if order is not None and order.status in ("open", "failed") and method in METHODS:
            self._orders.pay(order.id, METHODS[method])
            self._finish()
        if order is None or order.status != "paid":
            return self._back(request)
        return see_other(callback_of(order))

    async def _fail(self, request: Request) -> Response:
        order = self._find(request.path_params["id"])
        if order is not None and order.status in ("open", "failed"):
            self._orders.fail(order.id, METHODS["mpesa"])
            self._finish()
        return self._back(request)

    async def _leave(self, request: Request) -> Response:
        order = self._find(request.path_params["id"])
        if order is None or not order.cancellation_url:
            return self._back(request)
        return see_other(order.cancellation_url)

    def _find(self, tracking_id: str) -> Order | None:
        try:
            return self._orders.get(tracking_id)
        except ApiError:
            return None

    def _back(self, request: Request) -> Response:
        return see_other(f"{self._path}/?OrderTrackingId={request.path_params['id']}")
