"""Letting a caller in: the key is found, the caller proven, the call counted.

However a key was found, what is believed of it is at most a minute old: a revoked key, and every
token made with it, is refused by then. Where neither Redis nor PostgreSQL can tell, nobody is let
in.
"""

import contextlib
import hmac
import time
from dataclasses import dataclass
from typing import Any

from tollgate.domain.errors import CredentialsRefused, TooManyRequests, Unavailable
from tollgate.domain.permissions import scopes_of
from tollgate.domain.principal import EVERY_TENANT, ApiKey, Principal, Role, unknown_key
from tollgate.domain.rate import Allowance
from tollgate.operations.context import Context
from tollgate.storage import admissions, api_keys, rate_buckets
from tollgate.storage.admissions import Lookup, ReadAhead


@dataclass(frozen=True)
class Proof:
    """What a caller brought: a key's id and its secret's hash, or a token with our signature.

    `role`, `client_id` and `scopes` are the token's; an API key has its own.
    """

    key_id: str
    livemode: bool
    secret_sha256: bytes = b""
    is_signed: bool = False
    role: Role | None = None
    client_id: str = ""
    scopes: frozenset[str] | None = None


@dataclass(frozen=True)
class Admission:
    """A caller who is let in. `allowance` is None where nobody counted."""

    principal: Principal
    allowance: Allowance | None = None
    ahead: dict[str, Any] | None = None


def admit(
    context: Context,
    proof: Proof,
    read_ahead: ReadAhead | None = None,
    *,
    moves_money: bool = False,
) -> Admission:
    """Who the caller is, and that they may call once more, whatever it is that they want.

    Raises CredentialsRefused alike for every reason to refuse, TooManyRequests; DatabaseUnavailable
    when nobody can tell whose the key is.
    """
    lookup = _look_up(context, proof, read_ahead)
    key, allowance = lookup.key, lookup.allowance
    if not _is_believed(context, key, proof):
        raise CredentialsRefused
    if allowance is None and moves_money:
        allowance = rate_buckets.take(context.within(EVERY_TENANT).database, _limits(key))
    if allowance is not None and not allowance.allowed:
        raise TooManyRequests(allowance)
    return Admission(_principal(key, proof), allowance, lookup.ahead)


def _look_up(context: Context, proof: Proof, read_ahead: ReadAhead | None) -> Lookup:
    secret = None if proof.is_signed else proof.secret_sha256
    asked = (context.cache, proof.key_id, secret, read_ahead, proof.client_id)
    lookup = admissions.look_up(*asked)
    if lookup is not None:
        return lookup
    database, read_at = context.within(EVERY_TENANT).database, time.time()
    key = api_keys.find_key(database, proof.key_id) or unknown_key(proof.key_id)
    admissions.put_key(context.cache, key, read_at)
    if _is_believed(context, key, proof):
        with contextlib.suppress(Unavailable):  # when a key was last used is worth no call
            api_keys.touch_key(database, proof.key_id, context.now())
    # again, because now the call can be counted
    lookup = admissions.look_up(*asked)
    return lookup if lookup is not None else Lookup(key)


def _is_believed(context: Context, key: ApiKey, proof: Proof) -> bool:
    proven = proof.is_signed or hmac.compare_digest(proof.secret_sha256, key.secret_sha256)
    maker = Role.APP if proof.role is Role.CLIENT else proof.role
    return (
        proven
        and key.livemode == proof.livemode == context.settings.livemode
        and (maker is None or maker is key.role)
        and key.revoked_at is None
        and (key.expires_at is None or context.now() < key.expires_at)
    )


def _limits(key: ApiKey) -> dict[str, int]:
    limits = {f"key:{key.id}": key.calls_per_minute}
    return limits | ({f"app:{key.app_id}": key.app_calls_per_minute} if key.app_id else {})


def _principal(key: ApiKey, proof: Proof) -> Principal:
    role = proof.role or key.role
    scopes = scopes_of(role)
    for narrower in (key.scopes, proof.scopes):
        scopes = scopes if narrower is None else scopes.intersection(narrower)
    return Principal(role, key.app_id, key.id, proof.client_id, scopes, by_token=proof.is_signed)
