"""Pesapal's answers as it documents them, and a deployment that takes payments through it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import respx

from tests.psp.deployment import deployment
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.psp.pesapal.adapter import Pesapal
from tollgate.settings import Settings

API = "https://cybqa.pesapal.com/pesapalv3/api"
TOKEN = f"{API}/Auth/RequestToken"
SUBMIT = f"{API}/Transactions/SubmitOrderRequest"
STATUS = f"{API}/Transactions/GetTransactionStatus"
CANCEL = f"{API}/Transactions/CancelOrder"
REFUND = f"{API}/Transactions/RefundRequest"
TRACKING_ID = "b945e4af-80a5-4ec1-8706-e03f8332fb04"
PAYMENT_ID = "pay_019ac1"
REFERENCE = f"{PAYMENT_ID}.k3j9x0ab"
PAGE = (
    f"https://cybqa.pesapal.com/pesapaliframe/PesapalIframe3/Index/?OrderTrackingId={TRACKING_ID}"
)
VALUES = {
    "PESAPAL_CONSUMER_KEY": "key-of-the-suite",
    "PESAPAL_CONSUMER_SECRET": "secret+of/the=suite",
    "PESAPAL_IPN_ID": "84740ab4-3cd9-47da-8a4f-dd1db53494b5",
    "PESAPAL_IPN_TOKEN": "token-in-the-path-of-the-suite",
    "PESAPAL_REFUND_USERNAME": "tollgate",
}
NO_ERROR = {"error_type": None, "code": None, "message": None}

Answers = httpx.Response | Exception


def settings_of(*, livemode: bool = False, values: Mapping[str, str] | None = None) -> Settings:
    return deployment({**VALUES, **(values or {})}, livemode=livemode)


def adapter(**values: str) -> Pesapal:
    return Pesapal(settings_of(values=values), KeptTokens())


def order_of(**more: Any) -> Order:
    """KES 1,500.00."""
    fields: dict[str, Any] = {
        "payment_id": PAYMENT_ID,
        "money": Money(150_000, "KES"),
        "description": "Gold, March",
        "return_url": f"https://functions.example/payments/return/{PAYMENT_ID}",
        "cancel_url": f"https://functions.example/payments/return/{PAYMENT_ID}?left=1",
        "expires_at": datetime(2030, 1, 1, tzinfo=UTC),
        "customer": Customer(email="buyer@example.com", phone="+254712345678", name="Jane Doe"),
        "attempt": "k3j9x0ab",
    }
    return Order(**fields | more)


def token(value: str = "eyJ.of.suite") -> httpx.Response:
    body = {
        "token": value,
        "expiryDate": "2030-01-01T12:05:00.1234567Z",
        "error": None,
        "status": "200",
        "message": "Request processed successfully",
    }
    return httpx.Response(200, json=body)


def refused(code: str | None, http_status: int = 200, status: Any = "500") -> httpx.Response:
    """Bad news as Pesapal tells it: inside HTTP 200."""
    error = {"error_type": "api_error", "code": code, "message": "a client's name"}
    return httpx.Response(http_status, json={"error": error, "status": status})


def status_of(status_code: Any = 1, **more: Any) -> dict[str, Any]:
    """What GetTransactionStatus says of a payment of KES 1,500.00."""
    texts = {0: "INVALID", 1: "Completed", 2: "Failed", 3: "Reversed"}
    return {
        "payment_method": "Visa",
        "amount": 1500.0,
        "created_date": "2030-01-01T15:06:20.873",
        "confirmation_code": "6513008693186320103009",
        "order_tracking_id": TRACKING_ID,
        "payment_status_description": texts.get(status_code, "?"),
        "description": None,
        "message": "Request processed successfully",
        "payment_account": "476173**0010",
        "call_back_url": "https://functions.example/return",
        "status_code": status_code,
        "merchant_reference": REFERENCE,
        "account_number": None,
        "payment_status_code": "",
        "currency": "KES",
        "error": NO_ERROR,
        "status": "200",
    } | more


def unpaid(**more: Any) -> dict[str, Any]:
    """The same before anybody has paid."""
    error = {
        "error_type": "api_error",
        "code": "payment_details_not_found",
        "message": "Pending Payment",
    }
    nothing_yet = {"payment_method": "", "confirmation_code": "", "payment_account": None}
    return status_of(0) | nothing_yet | {"error": error, "status": "500"} | more


@contextmanager
def pesapal_answers(method: str, url: str, *answers: Answers) -> Iterator[respx.Route]:
    """Pesapal gives a token, and then these answers at one address."""
    with respx.mock:
        respx.post(TOKEN).mock(return_value=token())
        yield respx.route(method=method, url__startswith=url).mock(side_effect=list(answers))
