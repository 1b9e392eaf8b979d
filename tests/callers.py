"""Callers for tests: who a key makes of them, keys made by an operator, and what a call sends."""

from collections.abc import Callable
from typing import Any

import pytest
from redis.connection import Connection

from local.seed import operators_context
from tests.world import World
from tollgate.crypto import entitlements
from tollgate.crypto.access_tokens import AccessToken, mint
from tollgate.domain.permissions import scopes_of
from tollgate.domain.principal import Principal, Role
from tollgate.http.auth import read_proof
from tollgate.operations import api_keys
from tollgate.operations.admission import Admission, admit
from tollgate.operations.context import Call, Context
from tollgate.schemas.api_keys import CreateKey
from tollgate.storage.database import Database

DEAD_REDIS = "redis://127.0.0.1:1/0"
DEAD_DATABASE = "postgresql://nobody@127.0.0.1:1/nowhere"
UNKNOWN_KEY = f"tg_test_{'0' * 16}_{'0' * 64}"


def id_of(key: str) -> str:
    """A key's public part."""
    return key.split("_")[2]


def admitted(
    world: World, credentials: str | None = None, context: Context | None = None, **how: Any
) -> Admission:
    """What is known of who comes with this key or token: the app's key, unless told otherwise."""
    context = context or world.context
    proof = read_proof(context, f"Bearer {credentials or world.app.key}")
    return admit(context, proof, **how)


def caller(
    world: World, credentials: str | None = None, context: Context | None = None
) -> Principal:
    """Who comes with this key or token."""
    return admitted(world, credentials, context).principal


def new_key(world: World, **fields: Any) -> str:
    """A key that an operator makes now: of the app, unless a field says otherwise."""
    body = CreateKey(**{"app_id": world.app.id, "name": "test", **fields})
    context = operators_context(world.stores.owner_url, world.now)
    try:
        return api_keys.create_key(context, Call.by_operator("test", body=body)).text
    finally:
        context.database.close()


def revoke(world: World, key: str) -> None:
    """Ends a key in the database; what is believed of it stays."""
    context = operators_context(world.stores.owner_url, world.now)
    try:
        api_keys.revoke_key(context, Call.by_operator("test", target=id_of(key)))
    finally:
        context.database.close()


def token_of(world: World, key: str, role: Role = Role.APP, subject: str = "app_1") -> str:
    """An access token as this deployment signs it, for a key, with all that its role may."""
    return mint(
        world.settings.access_token_keys,
        AccessToken(id_of(key), role, subject, scopes_of(role)),
        issuer=world.settings.public_url,
        now=world.now,
        random_bytes=world.context.random_bytes,
    )


def note_sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that goes out to a store from now on, and each signature."""
    out: list[str] = []

    def noted(owner: Any, name: str, word: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def note(*given: Any, **named: Any) -> Any:
            out.append(word)
            return original(*given, **named)

        monkeypatch.setattr(owner, name, note)

    noted(Connection, "send_packed_command", "redis")
    noted(Database, "_execute", "postgresql")
    noted(entitlements, "signature", "signature")
    return out
