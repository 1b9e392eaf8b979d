"""API keys, for a minute, in this container's memory and in Redis. Never a secret: its hash."""

import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tollgate.domain.principal import ApiKey, Role
from tollgate.storage.cache import BELIEVED_SECONDS, Cache

_MAX_KEYS = 100
"""Far more keys than one deployment has; a bound, so that memory has one."""

_memory: dict[str, tuple[float, ApiKey]] = {}


def get_key(cache: Cache, key_id: str) -> ApiKey | None:
    """The key, if it was read from PostgreSQL within the last minute."""
    read_at, key = _memory.get(key_id, (0.0, None))
    if key is not None and 0 <= time.time() - read_at <= BELIEVED_SECONDS:
        return key
    value = cache.get(_name(key_id))
    if value is None:
        return None
    try:
        key = _from_json(value["key"])
    except (KeyError, TypeError, ValueError):
        return None  # of a release that knew other fields
    _remember(key, value["read_at"])
    return key


def put_key(cache: Cache, key: ApiKey, read_at: float) -> None:
    """Keeps a key that was read from PostgreSQL at `read_at` (Unix seconds)."""
    _remember(key, read_at)
    value = {"read_at": read_at, "key": _to_json(key)}
    cache.put(_name(key.id), value, read_at=read_at, version=int(read_at))


def forget() -> None:
    """Empties this container's memory."""
    _memory.clear()


def _remember(key: ApiKey, read_at: float) -> None:
    if len(_memory) >= _MAX_KEYS:
        _memory.clear()
    _memory[key.id] = (read_at, key)


def _name(key_id: str) -> str:
    return f"key:{key_id}"


def _to_json(key: ApiKey) -> dict[str, Any]:
    fields = asdict(key)
    for name in ("expires_at", "revoked_at"):
        fields[name] = fields[name].isoformat() if fields[name] else None
    return {**fields, "secret_sha256": key.secret_sha256.hex()}


def _from_json(fields: dict[str, Any]) -> ApiKey:
    for name in ("expires_at", "revoked_at"):
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    secret = bytes.fromhex(fields.pop("secret_sha256"))
    role = Role(fields.pop("role"))
    return ApiKey(**fields, role=role, secret_sha256=secret)
