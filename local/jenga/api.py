"""Jenga's API: tokens, pushes, and what became of an order.

Sources: Jenga's guides on authentication, M-Pesa STK push and transaction details.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.jenga.access import Access
from local.jenga.errors import NOT_FOUND, SIGNATURE_MISSING, ApiError, downstream_error
from local.jenga.notifications import major
from local.jenga.orders import Orders
from local.jenga.requests import Credentials, read_json, read_push
from local.jenga.store import Order
from local.jenga.world import World
from local.standin.interference import Handler, Interference

_STATUS_OF_ORDER = {"paid": "Paid"}
_STATUS_OF_INVOICE = {"open": "Pending", "paid": "Paid", "canceled": "Cancelled"}
_UNDOCUMENTED_STATE = 9


class Api:
    """The routes that a merchant's server calls. `tick` brings the state up to the clock,
    `finish` saves it."""

    def __init__(
        self,
        world: World,
        access: Access,
        orders: Orders,
        tick: Callable[[], None],
        finish: Callable[[], None],
    ) -> None:
        self._world = world
        self._access = access
        self._orders = orders
        self._tick = tick
        self._finish = finish

    def routes(self) -> list[Route]:
        wrap = Interference(self._world.switches, downstream_error).wrap
        pushes = "/api-checkout/mpesa-stk-push/v3.0"
        details = "/v3-apis/transaction-api/v3.0/transactions/details/{reference}"
        token = wrap(self._serve(self._give_token), acts=False)
        return [
            Route("/authentication/api/v3/authenticate/merchant", token, methods=["POST"]),
            Route(f"{pushes}/init", wrap(self._serve(self._push)), methods=["POST"]),
            Route(f"{pushes}/status/order/{{reference}}", wrap(self._serve(self._tell_order))),
            Route(details, wrap(self._serve(self._tell_details))),
        ]

    def _serve(self, answer: Callable[[Request], Awaitable[dict[str, Any]]]) -> Handler:
        async def serve(request: Request) -> Response:
            self._tick()
            try:
                return JSONResponse(await answer(request))
            except ApiError as error:
                return error.response()
            finally:
                self._finish()

        return serve

    async def _give_token(self, request: Request) -> dict[str, Any]:
        who = read_json(Credentials, await request.body())
        key = request.headers.get("Api-Key", "")
        return self._access.new_token(key, who.merchant_code, who.consumer_secret)

    async def _push(self, request: Request) -> dict[str, Any]:
        self._access.check_bearer(request.headers.get("Authorization", ""))
        signature = request.headers.get("Signature", "")
        if not signature:
            raise ApiError(400, SIGNATURE_MISSING, "Missing signature")
        wanted, signed = read_push(await request.body())
        self._access.check_signature(signature, *signed)
        order = self._orders.open(wanted)
        return {
            "status": True,
            "code": "0",
            "message": "success",
            "data": {
                "amount": major(order.amount),
                "charge": major(order.charge),
                "paymentReference": order.payment_reference,
                "invoiceNumber": order.invoice,
                "orderReference": order.reference,
                "amountDebited": major(order.amount + order.charge),
            },
        }

    async def _tell_order(self, request: Request) -> dict[str, Any]:
        """Of a push alone. The token is enough: nothing is signed."""
        self._access.check_bearer(request.headers.get("Authorization", ""))
        order = self._world.state.orders.get(request.path_params["reference"])
        if order is None or order.way != "push":
            raise ApiError(404, str(NOT_FOUND), "Order not found")
        invoice = _invoice(order)
        by_itself = self._world.switches.take("single_invoice")
        return {
            "status": True,
            "code": "0",
            "message": "Order found",
            "data": {
                "order": {
                    "orderAmount": major(order.amount),
                    "amountPaid": major(order.paid + order.charge) if order.paid else 0,
                    "orderReference": order.reference,
                    "orderStatus": order.said or _STATUS_OF_ORDER.get(order.status, "Pending"),
                    "createdOn": int(order.opened_at * 1000),
                },
                **({"invoice": invoice} if by_itself else {"invoices": [invoice]}),
            },
        }

    async def _tell_details(self, request: Request) -> dict[str, Any]:
        """Of a checkout, from when its client has tried to pay: before that there is no
        transaction. The reference is signed."""
        self._access.check_bearer(request.headers.get("Authorization", ""))
        reference = request.path_params["reference"]
        self._access.check_signature(request.headers.get("Signature", ""), reference)
        order = self._world.state.orders.get(reference)
        if order is None or order.way != "checkout" or not (order.channel or order.said):
            raise ApiError(404, NOT_FOUND, "Transaction not found")
        details = _details(order)
        if self._world.switches.take("without_currency"):
            del details["currency"]
        return {"status": True, "code": 0, "message": "success", "data": details}


def _invoice(order: Order) -> dict[str, Any]:
    """`amountDebited` is there from the start, whatever was debited."""
    return {
        "amount": major(order.amount),
        "amountDebited": major(order.amount + order.charge),
        "charge": major(order.charge),
        "invoiceStatus": order.said or _STATUS_OF_INVOICE.get(order.status, "Expired"),
        "orderReference": order.reference,
        "externalReference": order.receipt,
        "createdOn": int(order.opened_at * 1000),
        "completedOn": int(order.paid_at * 1000) if order.paid_at else None,
    }


def _details(order: Order) -> dict[str, Any]:
    code, state = {"open": (-1, "Pending"), "paid": (2, "Success")}.get(order.status, (1, "Failed"))
    if order.said:
        code, state = _UNDOCUMENTED_STATE, order.said
    return {
        "state": state,
        "stateCode": code,
        "code": 0 if code != 1 else 400105,
        "message": state,
        "reference": order.reference,
        "amount": major(order.paid or order.amount),
        "charge": major(order.charge),
        "currency": order.paid_currency or order.currency,
        "transactionReference": order.transaction,
    }
