"""What an operator sets up: apps, their plans, and keys."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tollgate.domain.errors import InvalidFields
from tollgate.domain.ids import RandomBytes, new_id
from tollgate.domain.money import Money
from tollgate.domain.principal import ApiKey, Role
from tollgate.domain.subscription import Plan
from tollgate.storage import apps
from tollgate.storage.apps import App
from tollgate.storage.database import Database


@dataclass(frozen=True)
class Operator:
    """Who sets up, with what: `actor` stands in the audit log, `livemode` on the keys."""

    database: Database
    livemode: bool
    now: datetime
    actor: str
    random_bytes: RandomBytes = secrets.token_bytes


def create_app(
    operator: Operator,
    name: str,
    *,
    default_currency: str,
    default_psp: str,
    return_origins: Sequence[str],
) -> App:
    """A new tenant. `return_origins` as in https://shop.example, without a path or a last slash.

    Raises InvalidFields for what is no origin: it would never match.
    """
    for origin in return_origins:
        if not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", origin):
            what = f"{origin!r} is no origin: write https://host or https://host:port, and no more."
            raise InvalidFields(what)
    app = App(
        id=new_id("app", operator.now, operator.random_bytes),
        name=name,
        default_currency=default_currency,
        default_psp=default_psp,
        return_origins=tuple(return_origins),
    )
    apps.insert_app(operator.database, app, operator.actor, operator.now)
    return app


def create_key(
    operator: Operator, role: Role, app_id: str = "", expires_at: datetime | None = None
) -> str:
    """A new key, whole. This is the only time it can be read: only its hash is kept."""
    key_id = operator.random_bytes(8).hex()
    secret = operator.random_bytes(32).hex()
    key = ApiKey(
        id=key_id,
        role=role,
        app_id=app_id,
        livemode=operator.livemode,
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
        expires_at=expires_at,
        revoked_at=None,
    )
    apps.insert_key(operator.database, key, operator.actor, operator.now)
    mode = "live" if operator.livemode else "test"
    return f"tg_{mode}_{key_id}_{secret}"


def revoke_key(operator: Operator, key_id: str) -> bool:
    """Ends a key by its id part; functions refuse it within a minute. False if there was none."""
    return apps.revoke_key(operator.database, key_id, operator.actor, operator.now)


def create_plan(operator: Operator, plan: Plan, prices: Sequence[Money]) -> None:
    """A new plan of an app, with its price in each currency."""
    apps.insert_plan(operator.database, plan, prices, operator.actor, operator.now)
