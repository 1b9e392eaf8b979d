"""Calls of an endpoint that is made for a test, in a container that can't reach anything."""

import base64
from typing import Any

from tests.world import Answer
from tollgate.domain.keyring import Keyring
from tollgate.domain.permissions import Permission, Scope
from tollgate.domain.principal import Role
from tollgate.http import endpoint as http
from tollgate.operations.context import Call, Context
from tollgate.settings import Settings

NOWHERE = Settings(
    livemode=False,
    database_url="postgresql://nobody:s3cret-password@127.0.0.1:1/nowhere",
    redis_url="redis://127.0.0.1:1/0",
    cache_secret=b"s3cret-seal",
    public_url="https://functions.example",
    access_token_keys=Keyring({"a1": b"s3cret" + bytes(26)}),
    psp_values={"STRIPE_SECRET_KEY": "sk_test_s3cret"},
)

BY_APP = Permission(frozenset({Role.APP}), Scope.PAYMENTS_READ)
BY_APP_OR_ADMIN = Permission(frozenset({Role.APP, Role.ADMIN}), Scope.PAYMENTS_READ)


def event(
    method: str = "POST",
    path: str = "",
    query: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "http": {
            "method": method,
            "path": path,
            "queryString": query,
            "headers": headers or {},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
    }


def echo(_context: Context, call: Call[Any]) -> dict[str, Any]:
    return {"target": call.target, "query": dict(call.query), "size": len(call.raw_body)}


def answered(main: http.Main, sent: dict[str, Any] | None = None) -> Answer:
    return Answer(main(sent or event()))


def refused(main: http.Main, sent: dict[str, Any]) -> tuple[int, str]:
    answer = answered(main, sent)
    return answer.status, answer.json["code"]
