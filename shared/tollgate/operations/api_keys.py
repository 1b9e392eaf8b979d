"""API keys: made, narrowed, rotated, revoked by an operator, each change audited.

A whole key is in the answer that makes it and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tollgate.domain.credentials import new_key
from tollgate.domain.errors import FieldError, Forbidden, InvalidFields, NotFound, TooManyKeys
from tollgate.domain.ids import is_id, is_key_id
from tollgate.domain.page import Listing, listing, read_page
from tollgate.domain.permissions import scopes_of
from tollgate.domain.principal import ApiKey, NewKey, Principal, Role
from tollgate.operations.context import Call, Context
from tollgate.storage import api_keys, apps

if TYPE_CHECKING:
    from tollgate.schemas.api_keys import CreateKey, RotateKey, UpdateKey


def list_keys(context: Context, call: Call[None]) -> Listing[ApiKey]:
    """Keys, of ?app_id or of all, the revoked ones too."""
    page, app_id = read_page(call.query), call.query.get("app_id")
    if app_id is not None and not is_id("app", app_id):
        raise InvalidFields(errors=(FieldError("app_id", "This can't be an app's id."),))
    rows = api_keys.list_keys(context.database, app_id, page)
    return listing(page, rows, lambda key: key.id)


def get_key(context: Context, call: "Call[None] | Call[UpdateKey]") -> ApiKey:
    """One key. Raises NotFound."""
    key = api_keys.find_key(context.database, call.target) if is_key_id(call.target) else None
    if key is None:
        raise NotFound
    return key


def create_key(context: Context, call: "Call[CreateKey]") -> NewKey:
    """A new key of an app or an operator. Raises InvalidFields, TooManyKeys, Forbidden."""
    content, now = call.content, context.now()
    _check_end(content.expires_at, now)
    _check_scopes(call.caller, content.role, content.scopes)
    app_id = content.app_id or ""
    app = apps.find_app(context.database, app_id) if is_id("app", app_id) else None
    if content.role is Role.APP and (app is None or app.deleted_at is not None):
        raise InvalidFields(errors=(FieldError("app_id", "There is no such app."),))
    text, presented = new_key(context.settings.livemode, context.random_bytes)
    key = ApiKey(
        id=presented.key_id,
        role=content.role,
        app_id=app_id,
        name=content.name,
        livemode=presented.livemode,
        secret_sha256=presented.secret_sha256,
        scopes=tuple(content.scopes) if content.scopes is not None else None,
        calls_per_minute=content.calls_per_minute,
        app_calls_per_minute=app.calls_per_minute if app else 0,
        created_at=now,
        expires_at=content.expires_at,
        revoked_at=None,
        last_used_at=None,
    )
    with context.database.transaction():
        _insert(context, key, call.caller.actor)
    return NewKey(key, text)


def rotate_key(context: Context, call: "Call[RotateKey]") -> NewKey:
    """A new key like this one, which ends when the overlap is over. Both work until then.

    Raises NotFound, also for a key that has ended; TooManyKeys; InvalidFields; Forbidden.
    """
    now, database = context.now(), context.database
    _check_end(call.content.expires_at, now)
    text, presented = new_key(context.settings.livemode, context.random_bytes)
    with database.transaction():
        old = api_keys.lock_key(database, call.target) if is_key_id(call.target) else None
        if old is None or not _is_living(old, now):
            raise NotFound
        _check_scopes(call.caller, old.role, old.scopes)
        ends_at = now + timedelta(seconds=call.content.overlap_seconds)
        ends_at = min(ends_at, old.expires_at or ends_at)
        key = replace(
            old,
            id=presented.key_id,
            secret_sha256=presented.secret_sha256,
            created_at=now,
            expires_at=call.content.expires_at or old.expires_at,
            last_used_at=None,
        )
        actor = call.caller.actor
        api_keys.update_key(database, old.id, {"expires_at": ends_at}, actor, now)
        _insert(context, key, actor)
    return NewKey(key, text)


def update_key(context: Context, call: "Call[UpdateKey]") -> ApiKey:
    """Changes the fields that were sent.

    Raises NotFound, also for a key that has ended; InvalidFields; Forbidden.
    """
    key, changes = get_key(context, call), call.content.model_dump(exclude_none=True)
    if not _is_living(key, context.now()):
        raise NotFound
    _check_end(call.content.expires_at, context.now())
    _check_scopes(call.caller, key.role, call.content.scopes or key.scopes)
    return _change(context, key.id, changes, call.caller.actor)


def revoke_key(context: Context, call: Call[None]) -> ApiKey:
    """Ends a key: it and its tokens are refused within a minute. Raises NotFound."""
    key = get_key(context, call)
    return _change(context, key.id, {"revoked_at": context.now()}, call.caller.actor)


def _insert(context: Context, key: ApiKey, actor: str) -> None:
    if not api_keys.insert_key(context.database, key, actor):
        raise TooManyKeys


def _change(context: Context, key_id: str, changes: dict[str, object], actor: str) -> ApiKey:
    key = api_keys.update_key(context.database, key_id, changes, actor, context.now())
    if key is None:
        raise NotFound
    return key


def _is_living(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _check_end(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise InvalidFields(errors=(FieldError("expires_at", "This is in the past."),))


def _check_scopes(caller: Principal, role: Role, scopes: Sequence[str] | None) -> None:
    """A key has scopes of its role; an operator's no more than the operator's own who gives it, and
    by a token, which soon ends, nobody gives one."""
    wanted = scopes_of(role) if scopes is None else frozenset(scopes)
    if not wanted <= scopes_of(role):
        message = f"A key of this role can have: {', '.join(sorted(scopes_of(role)))}."
        raise InvalidFields(errors=(FieldError("scopes", message),))
    if role is Role.ADMIN and (caller.by_token or not wanted <= caller.scopes):
        raise Forbidden("These credentials can't give an operator's key of this reach.")
