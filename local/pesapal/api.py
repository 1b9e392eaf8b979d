"""Pesapal's API 3.0: tokens, IPN addresses, orders, their status, and wishes about them."""

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.pesapal.errors import ApiError, Json, TokenRefused, error_of, invalid
from local.pesapal.ipns import Ipns
from local.pesapal.orders import Orders
from local.pesapal.refunds import Refunds
from local.pesapal.requests import (
    Asked,
    CancelOrder,
    Keys,
    RegisterIpn,
    RequestRefund,
    SubmitOrder,
    read,
)
from local.pesapal.statuses import status_of
from local.pesapal.tokens import Tokens
from local.pesapal.world import World
from local.standin.interference import Interference

_JSON = "application/json"


class Api:
    """The routes below /api. `finish` runs after each change, to save it."""

    def __init__(
        self,
        *,
        world: World,
        tokens: Tokens,
        ipns: Ipns,
        orders: Orders,
        refunds: Refunds,
        finish: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._ipns = ipns
        self._orders = orders
        self._refunds = refunds
        self._finish = finish
        self._log = log
        self._interference = Interference(world.switches, _fail)

    def routes(self) -> list[Route]:
        ipn, transactions = "/api/URLSetup", "/api/Transactions"
        token = self._interference.wrap(self._give_token, acts=False)
        refunds, orders = self._refunds, self._orders
        return [
            Route("/api/Auth/RequestToken", token, methods=["POST"]),
            self._post(f"{ipn}/RegisterIPN", RegisterIpn, self._ipns.register),
            self._get(f"{ipn}/GetIpnList", lambda _query: self._ipns.listed()),
            self._post(f"{transactions}/SubmitOrderRequest", SubmitOrder, orders.submit),
            self._get(f"{transactions}/GetTransactionStatus", self._status),
            self._post(f"{transactions}/CancelOrder", CancelOrder, self._cancel),
            self._post(f"{transactions}/RefundRequest", RequestRefund, refunds.request),
        ]

    def _post(self, path: str, kind: type[Asked], run: Callable[[Asked], Json]) -> Route:
        async def serve(request: Request) -> Response:
            body = await request.body()
            return self._answer(request, lambda: run(read(kind, body)))

        return Route(path, self._interference.wrap(serve), methods=["POST"])

    def _get(self, path: str, run: Callable[[dict[str, str]], Any]) -> Route:
        async def serve(request: Request) -> Response:
            return self._answer(request, lambda: run(dict(request.query_params)))

        return Route(path, self._interference.wrap(serve), methods=["GET"])

    async def _give_token(self, request: Request) -> Response:
        body = await request.body()
        return self._answer(
            request, lambda: self._tokens.issue(read(Keys, body)), needs_token=False
        )

    def _answer(
        self, request: Request, run: Callable[[], Any], *, needs_token: bool = True
    ) -> Response:
        try:
            if needs_token:
                self._tokens.check(request.headers.get("Authorization", ""))
            _check_headers(request)
            response = JSONResponse(run())
        except TokenRefused:
            response = self._refuse_token()
        except ApiError as error:
            response = JSONResponse(error.body)
        self._finish()
        self._log(f"pesapal {request.method} {request.url.path}: {response.status_code}")
        return response

    def _refuse_token(self) -> JSONResponse:
        in_body = self._world.switches.take("refuse_token_in_body")
        error = error_of("invalid_token", "The token is unknown or over.")
        return JSONResponse({"error": error, "status": "401"}, 200 if in_body else 401)

    def _status(self, query: dict[str, str]) -> Json:
        if query.keys() != {"orderTrackingId"}:
            raise invalid("orderTrackingId, and nothing else")
        silent = self._world.switches.take("silent_unpaid")
        return status_of(self._orders.get(query["orderTrackingId"]), silent=silent)

    def _cancel(self, asked: CancelOrder) -> Json:
        return self._orders.cancel(asked.order_tracking_id)


def _check_headers(request: Request) -> None:
    """Both are needed by Pesapal's documentation. Raises ApiError."""
    if request.headers.get("Accept") != _JSON:
        raise invalid(f"Accept: {_JSON}")
    content_type = request.headers.get("Content-Type", "").partition(";")[0]
    if request.method == "POST" and content_type != _JSON:
        raise invalid(f"Content-Type: {_JSON}")


def _fail(status: int) -> Response:
    return JSONResponse({"message": "An error has occurred."}, status)
