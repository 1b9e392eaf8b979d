"""One round trip to Redis for a call: who its key is, whether it may call again, and a value that
the function wants to have read along.

A key is believed for a minute from when PostgreSQL told of it (or that there is none). What is
believed is sealed (cache.py); what lies beside it in the clear serves the script alone, and one who
forged it would gain a call that is not counted and a value that is not ours.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from tollgate.domain.principal import ApiKey, Role
from tollgate.domain.rate import CLIENT_CALLS_PER_MINUTE, WINDOW_SECONDS, Allowance
from tollgate.storage.cache import BELIEVED_SECONDS, Cache

_MAX_KEYS = 200
"""Far more keys than one deployment has; a bound, so that memory has one."""

# A bucket is the instant at which it will be full again, on Redis's own clock: no container's wrong
# one counts; one that lies too far ahead, because that clock was set back, is used up and no more.
# Only a caller who proved to have the key is counted, so nobody else can use it up; and clients all
# together have no more than half of what their app may call.
_ADMIT = """
local record = redis.call('HMGET', KEYS[1], 'value', 'proof', 'app_id', 'key_calls', 'app_calls')
if not record[1] then return {} end
if not record[4] or (ARGV[1] ~= '' and ARGV[1] ~= record[2]) then return {record[1]} end
local time, window = redis.call('TIME'), tonumber(ARGV[2])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limits, app, app_calls = {}, record[3], tonumber(record[5])
if app ~= '' then limits['app:' .. app] = app_calls end
if ARGV[5] == '' then
  limits[KEYS[1]] = tonumber(record[4])
else
  limits['client:' .. app .. ':' .. ARGV[5]] = tonumber(ARGV[6])
  limits['clients:' .. app] = math.ceil(app_calls / 2)
end
local full, wait, limit, remaining, reset = {}, 0, 0, nil, 0
for name, calls in pairs(limits) do
  local held = tonumber(redis.call('GET', 'calls:' .. name) or '0') or 0
  local at = math.max(math.min(held, now + window), now) + window / calls
  local left = math.floor((now + window - at) / (window / calls) + 0.001)
  full['calls:' .. name] = at
  wait = math.max(wait, at - now - window - 1)
  if not remaining or left < remaining then
    limit, remaining, reset = calls, left, math.min(at - now, window)
  end
end
if wait <= 0 then
  for name, at in pairs(full) do
    redis.call('SET', name, string.format('%.3f', at), 'PX', 2 * window)
  end
end
local ahead = false
if ARGV[3] ~= '' then
  ahead = redis.call('HGET', ARGV[3] .. ':' .. app .. ':' .. ARGV[4], 'value')
end
return {record[1], limit, math.max(remaining, 0), math.ceil(reset), math.ceil(wait), ahead}
"""

_memory: dict[str, tuple[float, ApiKey]] = {}


@dataclass(frozen=True)
class ReadAhead:
    """Which value of the caller's app is read along: that of `kind` under `name`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Lookup:
    """A key. `allowance` is None where nobody counted, `ahead` where nothing was read along."""

    key: ApiKey
    allowance: Allowance | None = None
    ahead: dict[str, Any] | None = None


def look_up(
    cache: Cache,
    key_id: str,
    secret_sha256: bytes | None,
    read_ahead: ReadAhead | None,
    client_id: str = "",
) -> Lookup | None:
    """What Redis, or else this container's memory, knows of the key; None when neither does.

    `secret_sha256` is what the caller brought to prove the key; None when it is proven otherwise.
    The calls of a client are counted for it too.
    """
    proof = secret_sha256.hex() if secret_sha256 is not None else ""
    kind, name = (read_ahead.kind, read_ahead.name) if read_ahead else ("", "")
    answer = cache.run(
        _ADMIT,
        _name(key_id),
        proof,
        WINDOW_SECONDS * 1000,
        kind,
        name,
        client_id,
        CLIENT_CALLS_PER_MINUTE,
    )
    if isinstance(answer, list) and answer:
        value = cache.unsealed(_name(key_id), answer[0])
        if value is not None:
            return _lookup(cache, value, answer, read_ahead)
    read_at, key = _memory.get(key_id, (0.0, None))
    if key is None or not 0 <= time.time() - read_at <= BELIEVED_SECONDS:
        return None
    if answer == []:  # Redis is there and was emptied: told again, it counts the next call
        put_key(cache, key, read_at)
    return Lookup(key)


def put_key(cache: Cache, key: ApiKey, read_at: float) -> None:
    """Keeps what PostgreSQL told of a key at `read_at` (Unix seconds)."""
    if len(_memory) >= _MAX_KEYS:
        _memory.clear()
    _memory[key.id] = (read_at, key)
    # without a version: whoever read last is right, and no wrong clock holds its place
    value, fields = {"key": _to_json(key)}, _in_the_clear(key)
    cache.put(_name(key.id), value, read_at=read_at, fields=fields)


def forget() -> None:
    """Empties this container's memory."""
    _memory.clear()


def _lookup(
    cache: Cache, value: dict[str, Any], answer: list[Any], read_ahead: ReadAhead | None
) -> Lookup | None:
    try:
        key = _from_json(value["key"])
    except (KeyError, TypeError, ValueError):
        return None  # of a release that knew other fields
    if len(answer) == 1:
        return Lookup(key)
    _, limit, remaining, reset_ms, wait_ms, sealed = answer
    allowance = Allowance(
        allowed=wait_ms == 0,
        limit=limit,
        remaining=remaining,
        reset_seconds=_seconds(reset_ms),
        retry_after_seconds=_seconds(wait_ms),
    )
    ahead = None
    if read_ahead is not None and isinstance(sealed, bytes):
        ahead = cache.unsealed(f"{read_ahead.kind}:{key.app_id}:{read_ahead.name}", sealed)
    return Lookup(key, allowance, ahead)


def _seconds(milliseconds: int) -> int:
    return -(-milliseconds // 1000)


def _name(key_id: str) -> str:
    return f"key:{key_id}"


def _in_the_clear(key: ApiKey) -> Mapping[str, str | int]:
    return {
        "proof": key.secret_sha256.hex(),
        "app_id": key.app_id,
        "key_calls": key.calls_per_minute,
        "app_calls": key.app_calls_per_minute,
    }


_INSTANTS = ("created_at", "expires_at", "revoked_at", "last_used_at")


def _to_json(key: ApiKey) -> dict[str, Any]:
    fields = asdict(key)
    for name in _INSTANTS:
        fields[name] = fields[name].isoformat() if fields[name] else None
    return {**fields, "secret_sha256": key.secret_sha256.hex()}


def _from_json(fields: dict[str, Any]) -> ApiKey:
    for name in _INSTANTS:
        fields[name] = datetime.fromisoformat(fields[name]) if fields[name] else None
    fields["secret_sha256"] = bytes.fromhex(fields["secret_sha256"])
    fields["role"] = Role(fields["role"])
    fields["scopes"] = tuple(fields["scopes"]) if fields["scopes"] is not None else None
    return ApiKey(**fields)
