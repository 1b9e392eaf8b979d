"""Everybody who may come: by a key, by a token, by something that is neither."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import redis

from tests.permissions.described import scopes_of
from tests.permissions.stage import Side, Stage
from tollgate.storage import admissions


@dataclass(frozen=True)
class Caller:
    """Who calls, and what they ought to be: no role for who must not come in at all."""

    name: str
    authorization: str
    role: str = ""
    app_id: str = ""
    client_id: str = ""
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Cast:
    """Everybody, by whose they are."""

    strangers: tuple[Caller, ...]
    ours: tuple[Caller, ...]
    theirs: tuple[Caller, ...]
    operators: tuple[Caller, ...]

    @property
    def all(self) -> tuple[Caller, ...]:
        """Everybody."""
        return (*self.strangers, *self.ours, *self.theirs, *self.operators)


def cast_of(stage: Stage) -> Cast:
    """The callers of a stage."""
    return Cast(
        strangers=tuple(_strangers(stage)),
        ours=tuple(_of_app(stage, stage.ours, "our")),
        theirs=tuple(_of_app(stage, stage.theirs, "their")),
        operators=tuple(_operators(stage)),
    )


def forget(stage: Stage) -> None:
    """As if the minute was over in which a key is believed."""
    admissions.forget()
    with contextlib.closing(redis.Redis.from_url(stage.world.stores.redis_url)) as client:
        client.flushdb()


def _strangers(stage: Stage) -> Iterator[Caller]:
    """Who has nothing that is valid."""
    key = stage.world.app.key
    _, _, key_id, secret = key.split("_")
    yield Caller("nobody", "")
    yield Caller("garbage", "Bearer garbage")
    yield Caller("an unknown key", f"Bearer tg_test_{'0' * 16}_{'0' * 64}")
    yield Caller("a wrong secret", f"Bearer tg_test_{key_id}_{secret[::-1]}")
    yield Caller("the key as of live mode", f"Bearer {key.replace('tg_test_', 'tg_live_')}")
    yield Caller("another scheme", f"Basic {key}")
    token = _token(stage, key)
    yield Caller("a token cut short", f"Bearer {token[:-4]}")
    yield Caller("a token with another's claims", f"Bearer {_grafted(stage, token)}")
    revoked, revoked_token = _revoked(stage)
    yield Caller("a revoked key", f"Bearer {revoked}")
    yield Caller("a token of a revoked key", f"Bearer {revoked_token}")


def _of_app(stage: Stage, side: Side, word: str) -> Iterator[Caller]:
    """Who comes from this app: its key, narrowed ones, and its tokens."""
    key, app_id = side.app.key, side.app.id
    everything, to_read = scopes_of("app"), scopes_of("client")
    yield Caller(f"{word} key", f"Bearer {key}", "app", app_id, scopes=everything)
    token = _token(stage, key)
    yield Caller(f"{word} app's token", f"Bearer {token}", "app", app_id, scopes=everything)
    for scope in sorted(everything):
        narrow = _key(stage, app_id=app_id, scopes=[scope])
        scopes = frozenset({scope})
        yield Caller(f"{word} key for {scope}", f"Bearer {narrow}", "app", app_id, scopes=scopes)
    for client_id in ("our-client", "their-client", "somebody-else"):
        token, name = _token(stage, key, subject=client_id), f"{word} token of {client_id}"
        yield Caller(name, f"Bearer {token}", "client", app_id, client_id, to_read)
    for scope in sorted(to_read):
        token = _token(stage, key, subject=side.client_id, scope=scope)
        name, scopes = f"{word} client's token for {scope}", frozenset({scope})
        yield Caller(name, f"Bearer {token}", "client", app_id, side.client_id, scopes)


def _operators(stage: Stage) -> Iterator[Caller]:
    """Who works on every app."""
    key, everything = stage.world.seed.admin_key, scopes_of("admin")
    yield Caller("an operator", f"Bearer {key}", "admin", scopes=everything)
    yield Caller("an operator's token", f"Bearer {_token(stage, key)}", "admin", scopes=everything)
    for scope in sorted(everything):
        narrow = _key(stage, role="admin", scopes=[scope])
        scopes = frozenset({scope})
        yield Caller(f"an operator for {scope}", f"Bearer {narrow}", "admin", scopes=scopes)


def _key(stage: Stage, **fields: Any) -> str:
    made = stage.by_admin("admin/keys", {"name": stage.unique("caller"), **fields})
    key: str = made["key"]
    return key


def _token(stage: Stage, key: str, **fields: str) -> str:
    body = {
        "grant_type": "client_credentials",
        "client_id": key.split("_")[2],
        "client_secret": key,
        **fields,
    }
    headers = {"authorization": "", "content-type": "application/json"}
    token: str = stage.made("auth/token", body, headers=headers)["access_token"]
    return token


def _grafted(stage: Stage, token: str) -> str:
    """Our token's signature under the claims of an operator's."""
    _, claims, _ = _token(stage, stage.world.seed.admin_key).split(".")
    header, _, signature = token.split(".")
    return f"{header}.{claims}.{signature}"


def _revoked(stage: Stage) -> tuple[str, str]:
    key = _key(stage, app_id=stage.world.app.id)
    token = _token(stage, key)
    path = f"/{key.split('_')[2]}"
    stage.by_admin("admin/keys", None, method="DELETE", path=path)
    forget(stage)
    return key, token
