"""Jenga's answers as it documents them, and a deployment that takes payments through it."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import respx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from local.jenga.keys import new_private_key, public_key_of
from tests.psp.deployment import deployment
from tests.psp.kept_tokens import KeptTokens
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.outcome import Outcome
from tollgate.psp.jenga.adapter import Jenga
from tollgate.settings import Settings

UAT = "https://uat.finserve.africa"
TOKEN = f"{UAT}/authentication/api/v3/authenticate/merchant"
PUSH = f"{UAT}/api-checkout/mpesa-stk-push/v3.0/init"
ORDER = f"{UAT}/api-checkout/mpesa-stk-push/v3.0/status/order"
DETAILS = f"{UAT}/v3-apis/transaction-api/v3.0/transactions/details"

PAYMENT_ID = "pay_019ac1f2b0d7a3"
PUSHED = "Ppay019ac1f2b0d7a3"
CHECKOUT = "Cpay019ac1f2b0d7a3"
ASKED = Money(150_000, "KES")
CREATED_AT = datetime(2026, 9, 21, 12, tzinfo=UTC)

PRIVATE_KEY = new_private_key()
PUBLIC_KEY = public_key_of(PRIVATE_KEY)
VALUES = {
    "JENGA_API_KEY": "api-key-of-the-suite",
    "JENGA_MERCHANT_CODE": "9837446275",
    "JENGA_CONSUMER_SECRET": "consumer-secret-of-the-suite",
    "JENGA_PRIVATE_KEY": PRIVATE_KEY,
    "JENGA_IPN_USER": "jenga-of-the-suite",
    "JENGA_IPN_PASSWORD": "password:of-the-suite",
    "JENGA_CALLBACK_TOKEN": "token-in-the-path-of-the-suite",
}


def settings_of(livemode: bool = False, /, **values: str) -> Settings:
    return deployment(VALUES | values, livemode=livemode)


def jenga_of(livemode: bool = False, /, **values: str) -> Jenga:
    return Jenga(settings_of(livemode, **values), KeptTokens())


def order_of(**more: Any) -> Order:
    """KES 1,500.00, by whatever the client chooses on Jenga's page."""
    fields: dict[str, Any] = {
        "payment_id": PAYMENT_ID,
        "money": ASKED,
        "description": "Gold <plan> & more",
        "return_url": "https://functions.example/payments/return/pay_1",
        "cancel_url": "https://functions.example/payments/return/pay_1?left=1",
        "expires_at": datetime(2026, 9, 21, 13, tzinfo=UTC),
        "customer": Customer(email="ann@example.com", phone="+254700000001", name="Ann B. Cee"),
    }
    return Order(**fields | more)


def token(value: str = "eyJ.1", **more: Any) -> httpx.Response:
    said = {
        "accessToken": value,
        "refreshToken": "r",
        "expiresIn": "2026-01-01T12:15:00Z",
        "issuedAt": "2026-01-01T12:00:00Z",
        "tokenType": "Bearer",
    }
    return httpx.Response(200, json=said | more)


def refusal(code: int | str, status: int = 400) -> httpx.Response:
    body = {"status": False, "code": code, "message": "refused for 254700000001"}
    return httpx.Response(status, json=body)


def accepted(**more: Any) -> httpx.Response:
    """Jenga has sent the prompt: `amountDebited` is there already."""
    data = {
        "amount": 1500.0,
        "charge": 5.0,
        "paymentReference": f"{PUSHED}R",
        "invoiceNumber": "INV123",
        "orderReference": PUSHED,
        "amountDebited": 1505.0,
    }
    body = {"status": True, "code": "0", "message": "success", "data": data}
    return httpx.Response(200, json=body | more)


def invoice(status: str = "Pending", **more: Any) -> dict[str, Any]:
    return {
        "amount": 1500.0,
        "amountDebited": 1505.0,
        "charge": 5.0,
        "invoiceStatus": status,
        "orderReference": PUSHED,
        "externalReference": None,
        "createdOn": 1767268800000,
        "completedOn": None,
    } | more


def paid_invoice(**more: Any) -> dict[str, Any]:
    return invoice("Paid", externalReference="SAMPLE1MPESA", completedOn=1767268860000) | more


def pushed(*invoices: dict[str, Any], **order: Any) -> dict[str, Any]:
    """An order's status, as its query tells it."""
    said = {
        "orderAmount": 1500.0,
        "amountPaid": 0,
        "orderReference": PUSHED,
        "orderStatus": "Pending",
        "createdOn": 1767268800000,
    }
    data = {"order": said | order, "invoices": list(invoices)}
    return {"status": True, "code": "0", "message": "Order found", "data": data}


def details(**data: Any) -> dict[str, Any]:
    """A transaction that has succeeded, with every field that any example has."""
    said = {
        "state": "Success",
        "stateCode": 2,
        "code": 0,
        "message": "Success",
        "reference": CHECKOUT,
        "amount": 1500.0,
        "charge": 5.0,
        "currency": "KES",
        "transactionReference": "6225966760537",
    }
    body = {"status": True, "code": 0, "message": "success"}
    return body | {"data": said | data}


def without(said: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in names}


def is_signed(signature: str, text: str) -> bool:
    """Whether the merchant's key made this signature of this text."""
    key = load_pem_public_key(PUBLIC_KEY.encode())
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(base64.b64decode(signature), text.encode(), PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@contextmanager
def jenga_answers() -> Iterator[respx.MockRouter]:
    """Jenga on the wire: it gives a token; all else is for the test to say."""
    with respx.mock(assert_all_called=False) as router:
        router.post(TOKEN).mock(return_value=token())
        yield router


def fetched(address: str, reference: str, said: dict[str, Any] | httpx.Response) -> Outcome:
    """What the adapter reads in this answer about the order, given at this address."""
    answer = said if isinstance(said, httpx.Response) else httpx.Response(200, json=said)
    with jenga_answers() as router:
        router.get(f"{address}/{reference}").mock(return_value=answer)
        return jenga_of().fetch(reference)
