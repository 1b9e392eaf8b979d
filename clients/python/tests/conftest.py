"""A Tollgate made of answers, and a signer of entitlements."""

import base64
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY = "tg_test_0123456789abcdef_" + "5ec2e7" * 10 + "5ec2"
BASE_URL = "https://tollgate.example/api/v1/web/fn-1"
NOW = 1_900_000_000

PAYMENT = {
    "id": "pay_1",
    "object": "payment",
    "client_id": "client-1",
    "amount": 150_000,
    "amount_refunded": 0,
    "currency": "KES",
    "status": "requires_action",
    "psp": "stripe",
    "psp_reference": "cs_1",
    "method": None,
    "plan": "monthly",
    "product": "pro",
    "subscription_id": None,
    "description": None,
    "metadata": {},
    "next_action": {"type": "redirect", "url": "https://pay.example/cs_1"},
    "failure": None,
    "livemode": False,
    "created_at": "2030-03-17T17:46:40.123456Z",
    "updated_at": "2030-03-17T17:46:40Z",
    "expires_at": "2030-03-18T16:46:40Z",
}
SUBSCRIPTION = {
    "id": "sub_1",
    "object": "subscription",
    "client_id": "client-1",
    "product": "pro",
    "plan": "monthly",
    "next_plan": None,
    "status": "active",
    "paid_through": "2030-04-17T17:46:40Z",
    "trial_end": None,
    "grace_until": None,
    "paused_at": None,
    "resumes_at": None,
    "cancel_at": None,
    "currency": "KES",
    "renewal": {"method": None, "hour": 9, "time_zone": "Africa/Nairobi", "language": "en"},
    "pay_url": None,
    "livemode": False,
    "created_at": "2030-03-17T17:46:40Z",
    "updated_at": "2030-03-17T17:46:40Z",
}
CHECK = {
    "client_id": "client-1",
    "product": "pro",
    "active": True,
    "reason": "paid",
    "status": "active",
    "plan": "monthly",
    "subscription_id": "sub_1",
    "paid_through": "2030-04-17T17:46:40Z",
    "trial_end": None,
    "grace_until": None,
    "paused_at": None,
    "cancel_at": None,
    "as_of": "2030-03-17T17:46:40Z",
    "source": "cache",
    "pay_url": None,
    "entitlement": None,
}

Answer = httpx.Response | Exception


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    """A problem document; `headers` are the response's."""
    headers = more.pop("headers", {})
    document = {
        "type": "about:blank",
        "title": "Title",
        "status": status,
        "detail": "What is wrong.",
        "code": code,
        "request_id": "req_1",
        **more,
    }
    content_type = {"content-type": "application/problem+json"}
    return httpx.Response(status, json=document, headers={**content_type, **headers})


def encoded(value: bytes) -> str:
    """Base64url as in a JWS."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


class Answers(httpx.MockTransport):
    """Gives one answer after the other, the last one for ever, and keeps what was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        super().__init__(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def paths(self) -> list[str]:
        """The functions that were called."""
        return [request.url.path.removeprefix("/api/v1/web/fn-1/") for request in self.requests]


class Signer:
    """Signs entitlements, right ones and wrong ones."""

    def __init__(self, key_id: str = "2030a") -> None:
        self.key_id = key_id
        self.private = Ed25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as auth/keys gives it."""
        return {
            "kty": "OKP",
            "crv": "Ed25519",
            "kid": self.key_id,
            "use": "sig",
            "alg": "EdDSA",
            "x": encoded(self.public),
        }

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The claims of a client who has paid."""
        return {
            "iss": BASE_URL,
            "aud": "app_1",
            "sub": "client-1",
            "product": "pro",
            "plan": "monthly",
            "active": True,
            "reason": "paid",
            "paid_through": "2030-04-17T17:46:40Z",
            "iat": NOW - 10,
            "exp": NOW + 890,
            **changed,
        }

    def header(self, **changed: Any) -> dict[str, Any]:
        """The header as Tollgate writes it."""
        return {"alg": "EdDSA", "typ": "entitlement+jwt", "kid": self.key_id, **changed}

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An entitlement, signed."""
        written = json.dumps(self.claims(**claims)).encode()
        return self.sign(json.dumps(header or self.header()).encode(), written)

    def sign(self, header: bytes, payload: bytes) -> str:
        """Any two parts, signed."""
        signed = f"{encoded(header)}.{encoded(payload)}"
        return f"{signed}.{encoded(self.private.sign(signed.encode()))}"


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr("tollgate_client.calls.FIRST_BACKOFF_SECONDS", 0)
