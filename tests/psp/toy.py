"""A fifth PSP as docs/adding-a-psp.md says: an adapter in one file, and its little stand-in."""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tollgate.domain.callback import Callback
from tollgate.domain.capabilities import CancelBy, Capabilities, RefundBy
from tollgate.domain.errors import PspUnavailable, SignatureRefused, WebhookMalformed
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Movement, Outcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.answers import NOT_AS_DOCUMENTED, as_documented, text
from tollgate.psp.client import Client
from tollgate.psp.major_units import from_major, to_major
from tollgate.psp.protocol import Tokens
from tollgate.settings import Settings

_STATES = {
    "open": PaymentStatus.REQUIRES_ACTION,
    "paid": PaymentStatus.SUCCEEDED,
    "closed": PaymentStatus.EXPIRED,
}


class Toy:
    """A PSP that keeps whatever it is told under our reference. See Psp for the methods."""

    capabilities = Capabilities(
        currencies=frozenset({"KES", "USD"}),
        methods=frozenset(),
        refund=RefundBy.API,
        cancel=CancelBy.API,
        idempotency_hours=24,
        ends_are_final=True,
    )

    def __init__(self, settings: Settings, _tokens: Tokens) -> None:
        self._settings = settings
        self._client = Client("Toy", settings.psp_value("TOY_API_URL"))

    def check(self, order: Order) -> None:
        to_major(order.money)

    def start(self, order: Order) -> Outcome:
        body = {"amount": to_major(order.money), "currency": order.money.currency}
        answer = self._client.send("PUT", f"/bills/{order.payment_id}", json=body)
        try:
            return UNKNOWN if answer is None else self._outcome(answer.text)
        except NOT_AS_DOCUMENTED:
            return UNKNOWN

    def find(
        self, payment_id: str, created_at: datetime, off_session: bool = False
    ) -> Outcome | None:
        answer = self._client.read("GET", f"/bills/{payment_id}")
        with as_documented("Toy"):
            return None if answer.status_code == 404 else self._outcome(answer.text)

    def fetch(self, psp_reference: str) -> Outcome:
        with as_documented("Toy"):
            return self._outcome(self._client.read("GET", f"/bills/{psp_reference}").text)

    def capture(self, psp_reference: str, money: Money, idempotency_key: str) -> Failure | None:
        return Failure("not_capturable", "The toy takes money at once.")

    def cancel(self, psp_reference: str, idempotency_key: str) -> Failure | None:
        return self._ask(f"/bills/{psp_reference}/close", {})

    def refund(self, order: RefundOrder) -> Failure | None:
        body = {"id": order.refund_id, "amount": to_major(order.money)}
        return self._ask(f"/bills/{order.psp_reference}/refund", body)

    def list_movements(self, since: datetime, until: datetime) -> Iterator[Movement]:
        raise PspUnavailable

    def read_event(self, callback: Callback, now: datetime) -> Hint:
        secret = self._settings.psp_value("TOY_SECRET").encode()
        given = callback.headers.get("toy-signature", "")
        if not hmac.compare_digest(sign(secret, callback.body).encode(), given.encode()):
            raise SignatureRefused
        try:
            event = json.loads(callback.body)
            bill = text(event["bill"])
            return Hint(text(event["id"]), "toy", self._settings.livemode, bill, bill)
        except NOT_AS_DOCUMENTED:
            raise WebhookMalformed from None

    def _ask(self, path: str, body: dict[str, str]) -> Failure | None:
        answer = self._client.send("POST", path, json=body)
        refused = answer is not None and answer.status_code == 409
        return Failure("refused", "The toy refuses.") if refused else None

    def _outcome(self, answer: str) -> Outcome:
        bill = json.loads(answer, parse_float=Decimal)
        status = _STATES.get(bill["state"])
        if status is None:
            return UNKNOWN
        money = from_major(bill["amount"], bill["currency"])
        refunds = tuple(
            RefundOutcome(
                refund_id,
                refund_id,
                from_major(amount, bill["currency"]),
                RefundStatus.SUCCEEDED,
            )
            for refund_id, amount in bill["refunds"].items()
        )
        is_open = status is PaymentStatus.REQUIRES_ACTION
        return Outcome(
            status,
            psp_reference=text(bill["id"]),
            reference=text(bill["id"]),
            money=money,
            livemode=self._settings.livemode,
            next_action={"type": "redirect", "url": text(bill["page"])} if is_open else None,
            refunds=refunds,
        )


def sign(secret: bytes, body: bytes) -> str:
    """What an event is signed with."""
    return hmac.new(secret, body, "sha256").hexdigest()


@dataclass
class ToyStandIn:
    """Bills by their ids, as the API tells them."""

    bills: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        """The API."""
        return Starlette(
            routes=[
                Route("/bills/{id}", self._open, methods=["PUT"]),
                Route("/bills/{id}", self._read),
                Route("/bills/{id}/close", self._close, methods=["POST"]),
                Route("/bills/{id}/refund", self._refund, methods=["POST"]),
            ]
        )

    async def _open(self, request: Request) -> Response:
        bill_id = request.path_params["id"]
        new = {
            "id": bill_id,
            "state": "open",
            "refunds": {},
            "page": f"https://toy.example/{bill_id}",
        }
        return JSONResponse(self.bills.setdefault(bill_id, new | await request.json()))

    async def _read(self, request: Request) -> Response:
        bill = self.bills.get(request.path_params["id"])
        return JSONResponse(bill) if bill else JSONResponse({}, 404)

    async def _close(self, request: Request) -> Response:
        bill = self.bills[request.path_params["id"]]
        if bill["state"] == "paid":
            return JSONResponse({}, 409)
        bill["state"] = "closed"
        return JSONResponse(bill)

    async def _refund(self, request: Request) -> Response:
        bill, asked = self.bills[request.path_params["id"]], await request.json()
        bill["refunds"][asked["id"]] = asked["amount"]
        return JSONResponse(bill)
