"""API keys. A secret never gets here, only its hash; neither does the audit log hear of that."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from tollgate.domain.page import Page
from tollgate.domain.principal import ApiKey, Role
from tollgate.storage.database import Database, Row

_KEYS: LiteralString = """
    SELECT k.id, k.role, coalesce(k.app_id, '') AS app_id, k.name, k.livemode, k.secret_sha256,
           k.scopes, k.calls_per_minute, coalesce(a.calls_per_minute, 0) AS app_calls_per_minute,
           k.created_at, k.expires_at, coalesce(k.revoked_at, a.deleted_at) AS revoked_at,
           k.last_used_at
    FROM api_keys k LEFT JOIN apps a ON a.id = k.app_id"""

USE_IS_NOTED_EACH_SECONDS = 60


def find_key(database: Database, key_id: str) -> ApiKey | None:
    """The key with this public id, also when it is revoked."""
    row = database.one(_KEYS + " WHERE k.id = %(key_id)s", {"key_id": key_id})
    return _key(row) if row else None


def list_keys(database: Database, app_id: str | None, page: Page) -> Sequence[ApiKey]:
    """Keys by their ids: of one app, or all of them."""
    rows = database.all(
        _KEYS
        + """ WHERE k.id > %(after)s AND (%(app_id)s::text IS NULL OR k.app_id = %(app_id)s)
              ORDER BY k.id LIMIT %(fetch)s""",
        {"app_id": app_id, "after": page.after, "fetch": page.fetch},
    )
    return [_key(row) for row in rows]


def touch_key(database: Database, key_id: str, now: datetime) -> None:
    """Notes that a key was used, at most once a minute. Nobody waits for it."""
    database.one(
        """UPDATE api_keys SET last_used_at = %(now)s
           WHERE id = (SELECT id FROM api_keys
                       WHERE id = %(key_id)s
                         AND (last_used_at IS NULL OR last_used_at <= %(before)s)
                       FOR UPDATE SKIP LOCKED)""",
        {
            "key_id": key_id,
            "now": now,
            "before": now - timedelta(seconds=USE_IS_NOTED_EACH_SECONDS),
        },
    )


def insert_key(database: Database, key: ApiKey, actor: str) -> bool:
    """A new key; False when two of its name are living. The first key sets the database's mode."""
    database.one(
        "INSERT INTO database_mode (livemode) VALUES (%(livemode)s) ON CONFLICT DO NOTHING",
        {"livemode": key.livemode},
    )
    # an expired key leaves its place to a new one
    database.one(
        """WITH ended AS (
               UPDATE api_keys SET revoked_at = expires_at
               WHERE coalesce(app_id, '') = %(app_id)s AND name = %(name)s
                 AND revoked_at IS NULL AND expires_at <= %(created_at)s
               RETURNING *
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
           SELECT app_id, %(actor)s, 'key.expired', id,
                  to_jsonb(ended) - 'secret_sha256' || '{"revoked_at": null}',
                  to_jsonb(ended) - 'secret_sha256', %(created_at)s
           FROM ended""",
        {
            "app_id": key.app_id,
            "name": key.name,
            "created_at": key.created_at,
            "actor": actor,
        },
    )
    # once more where somebody took the place that was free a moment ago: there may be another
    return _insert_where_free(database, key, actor) or _insert_where_free(database, key, actor)


def _insert_where_free(database: Database, key: ApiKey, actor: str) -> bool:
    row = database.one(
        """WITH free AS (
               SELECT number FROM unnest(ARRAY[1, 2]) AS slots (number)
               WHERE NOT EXISTS (
                   SELECT FROM api_keys
                   WHERE coalesce(app_id, '') = %(app_id)s AND name = %(name)s
                     AND slot = number AND revoked_at IS NULL)
               ORDER BY number LIMIT 1
           ), key AS (
               INSERT INTO api_keys (id, role, app_id, name, slot, livemode, secret_sha256, scopes,
                                     calls_per_minute, expires_at, created_at)
               SELECT %(id)s, %(role)s, nullif(%(app_id)s, ''), %(name)s, number, %(livemode)s,
                      %(secret_sha256)s, %(scopes)s::text[], %(calls_per_minute)s,
                      %(expires_at)s::timestamptz, %(created_at)s
               FROM free
               ON CONFLICT (coalesce(app_id, ''), name, slot) WHERE revoked_at IS NULL DO NOTHING
               RETURNING *
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT app_id, %(actor)s, 'key.created', id, to_jsonb(key) - 'secret_sha256', created_at
           FROM key RETURNING object_id""",
        {**vars(key), "scopes": _listed(key.scopes), "actor": actor},
    )
    return row is not None


def update_key(
    database: Database, key_id: str, changes: Mapping[str, object], actor: str, now: datetime
) -> ApiKey | None:
    """Changes the fields that are given, of a key that is not revoked; the key, or None."""
    row = database.one(
        """WITH before AS (
               SELECT * FROM api_keys WHERE id = %(key_id)s AND revoked_at IS NULL FOR UPDATE
           ), changed AS (
               UPDATE api_keys
               SET scopes = coalesce(%(scopes)s::text[], api_keys.scopes),
                   calls_per_minute = coalesce(%(calls_per_minute)s, api_keys.calls_per_minute),
                   expires_at = coalesce(%(expires_at)s::timestamptz, api_keys.expires_at),
                   revoked_at = %(revoked_at)s
               FROM before WHERE api_keys.id = before.id
               RETURNING api_keys.*
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
               SELECT changed.app_id, %(actor)s, %(action)s, changed.id,
                      to_jsonb(before) - 'secret_sha256', to_jsonb(changed) - 'secret_sha256',
                      %(now)s
               FROM before, changed
           )
           SELECT id FROM changed""",
        {
            "scopes": None,
            "calls_per_minute": None,
            "expires_at": None,
            "revoked_at": None,
            **changes,
            "key_id": key_id,
            "actor": actor,
            "action": "key.revoked" if "revoked_at" in changes else "key.updated",
            "now": now,
        },
    )
    return find_key(database, key_id) if row else None


def lock_key(database: Database, key_id: str) -> ApiKey | None:
    """The key, and nobody else changes it until the transaction ends."""
    database.one("SELECT id FROM api_keys WHERE id = %(id)s FOR UPDATE", {"id": key_id})
    return find_key(database, key_id)


def _key(row: Row) -> ApiKey:
    scopes = row["scopes"]
    return ApiKey(
        **{
            **row,
            "role": Role(row["role"]),
            "secret_sha256": bytes(row["secret_sha256"]),
            "scopes": tuple(scopes) if scopes is not None else None,
        }
    )


def _listed(scopes: Sequence[str] | None) -> list[str] | None:
    return list(scopes) if scopes is not None else None
