"""PayPal's answers as it publishes them, and a deployment that takes payments through it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import respx

from tests.psp.deployment import deployment
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, RefundOrder
from tollgate.domain.outcome import Outcome
from tollgate.psp.paypal.adapter import PayPal
from tollgate.settings import Settings

API = "https://api-m.sandbox.paypal.com"
TOKEN = f"{API}/v1/oauth2/token"
ORDERS = f"{API}/v2/checkout/orders"
ORDER_ID = "4K5112848U951142F"
ORDER = f"{ORDERS}/{ORDER_ID}"
CAPTURE = f"{ORDER}/capture"
CAPTURE_ID = "5VK462069F664902F"
REFUND = f"{API}/v2/payments/captures/{CAPTURE_ID}/refund"
DISPUTES = f"{API}/v1/customer/disputes"
PAGE = f"https://www.sandbox.paypal.com/checkoutnow?token={ORDER_ID}"
SECRET = "secret-of-the-suite"
VALUES = {
    "PAYPAL_CLIENT_ID": "client-of-the-suite",
    "PAYPAL_CLIENT_SECRET": SECRET,
    "PAYPAL_WEBHOOK_ID": "1JE4291016473214C",
}
VAULT = {"PAYPAL_VAULT": "on"}

Answers = httpx.Response | Exception
Json = dict[str, Any]


def settings_of(livemode: bool = False, /, **values: str) -> Settings:
    return deployment(VALUES | values, livemode=livemode)


def adapter(**values: str) -> PayPal:
    return PayPal(settings_of(False, **values), KeptTokens())


def order_of(**more: Any) -> Order:
    """USD 10.00."""
    order = Order(
        payment_id="pay_1",
        money=Money(1000, "USD"),
        description="Gold <plan> & more",
        return_url="https://functions.example/payments/return/pay_1",
        cancel_url="https://functions.example/payments/return/pay_1?left=1",
        expires_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        customer=Customer(email="ann@example.com", phone="+254700000001", name="Ann"),
    )
    return replace(order, **more)


def refund_of(**more: Any) -> RefundOrder:
    """USD 4.00 of it."""
    return replace(RefundOrder("ref_1", ORDER_ID, Money(400, "USD")), **more)


def usd(value: str) -> Json:
    return {"currency_code": "USD", "value": value}


def order(status: str = "PAYER_ACTION_REQUIRED", **unit: Any) -> Json:
    """An order of USD 10.00, as GET shows it; `unit` goes into its purchase unit."""
    return {
        "id": ORDER_ID,
        "intent": "CAPTURE",
        "status": status,
        "payment_source": {"paypal": {}},
        "purchase_units": [
            {
                "reference_id": "pay_1",
                "custom_id": "pay_1",
                "invoice_id": "pay_1",
                "amount": usd("10.00"),
            }
            | unit
        ],
        "links": [
            {"href": ORDER, "rel": "self", "method": "GET"},
            {"href": PAGE, "rel": "payer-action", "method": "GET"},
        ],
    }


def capture(status: str = "COMPLETED", **more: Any) -> Json:
    """A capture of all of it, with PayPal's fee."""
    return {
        "id": CAPTURE_ID,
        "status": status,
        "amount": usd("10.00"),
        "custom_id": "pay_1",
        "final_capture": True,
        "seller_receivable_breakdown": {
            "gross_amount": usd("10.00"),
            "paypal_fee": usd("0.84"),
            "net_amount": usd("9.16"),
        },
    } | more


def captured(*captures: Json, refunds: tuple[Json, ...] = (), **unit: Any) -> Json:
    """A completed order with these captures and refunds."""
    payments = {"captures": list(captures or (capture(),)), "refunds": list(refunds)}
    return order("COMPLETED", payments=payments, **unit)


def refund(status: str = "COMPLETED", **more: Any) -> Json:
    """A refund of USD 4.00 that we asked for."""
    given = {"id": "1JU08902781691411", "status": status, "amount": usd("4.00")}
    return given | {"custom_id": "ref_1", "invoice_id": "ref_1"} | more


def dispute(status: str = "OPEN", outcome_code: str | None = None, **more: Any) -> Json:
    """A dispute of USD 3.00, as a list shows it; with an outcome, as its own address does."""
    told = {"dispute_outcome": {"outcome_code": outcome_code}} if outcome_code else {}
    return {"dispute_id": "PP-D-1", "status": status, "dispute_amount": usd("3.00")} | told | more


def token(value: str = "A21AA-of-the-suite") -> httpx.Response:
    return httpx.Response(200, json={"access_token": value, "expires_in": 32400, "scope": ""})


def issue(status: int, name: str, debug_id: str = "f1a2b3c4d5e6f") -> httpx.Response:
    """A refusal in PayPal's words."""
    details = [{"issue": name, "description": "…"}]
    names = {400: "INVALID_REQUEST", 404: "RESOURCE_NOT_FOUND", 409: "RESOURCE_CONFLICT"}
    body = {
        "name": names.get(status, "UNPROCESSABLE_ENTITY"),
        "message": "The requested action could not be performed.",
        "debug_id": debug_id,
        "details": details,
        "links": [],
    }
    return httpx.Response(status, json=body)


NOT_FOUND = issue(404, "INVALID_RESOURCE_ID")
NO_DISPUTES: Json = {"links": []}


class Sandbox(respx.MockRouter):
    """PayPal's sandbox; `requests` is what it was sent, once that is over."""

    def __init__(self) -> None:
        super().__init__(assert_all_called=False)
        self.requests: list[httpx.Request] = []


@contextmanager
def paypal_says(
    *,
    creates: Answers | None = None,
    shows: object = None,
    captures: Answers | None = None,
    refunds: Answers | None = None,
    disputes: object = None,
) -> Iterator[Sandbox]:
    """The sandbox, as far as it is asked; a token for whoever wants one."""
    router = Sandbox()
    with router:
        router.post(TOKEN).mock(return_value=token())
        for method, url, answer in (
            ("POST", ORDERS, creates),
            ("POST", CAPTURE, captures),
            ("POST", REFUND, refunds),
            ("GET", ORDER, _answer(shows)),
            ("GET", DISPUTES, _answer(NO_DISPUTES if disputes is None else disputes)),
        ):
            if answer is not None:
                router.request(method, url).mock(side_effect=_again(answer))
        try:
            yield router
        finally:
            router.requests = [call.request for call in router.calls]


def created(body: Json | None = None, status: int = 201) -> httpx.Response:
    return httpx.Response(status, json=body if body is not None else order())


def start(answer: Answers) -> Outcome:
    """What the adapter reads in this answer to a new order."""
    with paypal_says(creates=answer):
        return adapter().start(order_of())


def asked(**more: object) -> Json:
    """The body that PayPal is sent for an order."""
    with paypal_says(creates=created()) as router:
        adapter(**VAULT).start(order_of(**more))
    (request,) = sent(router, ORDERS)
    return body_of(request)


def fetch(shows: object, disputes: object = None) -> Outcome:
    with paypal_says(shows=shows, disputes=disputes):
        return adapter().fetch(ORDER_ID)


def sent(router: Sandbox, url: str) -> list[httpx.Request]:
    """The requests to this address, in order."""
    return [request for request in router.requests if str(request.url).split("?")[0] == url]


def body_of(request: httpx.Request) -> Json:
    body: Json = json.loads(request.content)
    return body


def _answer(given: object) -> Answers | None:
    if given is None or isinstance(given, httpx.Response | Exception):
        return given
    return httpx.Response(200, json=given)


def _again(answer: Answers) -> Any:
    """The same answer each time it is asked for."""

    def answered(_request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    return answered
