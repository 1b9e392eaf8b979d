"""Apps. Each change is written with the audit row that tells who, what, before and after."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from tollgate.domain.app import App
from tollgate.domain.page import Page
from tollgate.domain.payment import Method
from tollgate.domain.routing import PspRoute
from tollgate.storage.database import Database, Row

_COLUMNS: LiteralString = """
    id, name, default_currency, default_psp, routing, return_origins, calls_per_minute, created_at,
    deleted_at"""


def find_app(database: Database, app_id: str) -> App | None:
    """The app with this id, also when it is deleted."""
    row = database.one("SELECT" + _COLUMNS + " FROM apps WHERE id = %(app_id)s", {"app_id": app_id})
    return _app(row) if row else None


def list_apps(database: Database, page: Page) -> Sequence[App]:
    """Apps by their ids, oldest first."""
    rows = database.all(
        "SELECT" + _COLUMNS + " FROM apps WHERE id > %(after)s ORDER BY id LIMIT %(fetch)s",
        {"after": page.after, "fetch": page.fetch},
    )
    return [_app(row) for row in rows]


def insert_app(database: Database, app: App, actor: str) -> None:
    """A new app."""
    database.one(
        """WITH app AS (
               INSERT INTO apps (id, name, default_currency, default_psp, routing, return_origins,
                                 calls_per_minute, created_at)
               VALUES (%(id)s, %(name)s, %(default_currency)s, %(default_psp)s,
                       %(routing)s::jsonb, %(return_origins)s, %(calls_per_minute)s, %(created_at)s)
               RETURNING *
           )
           INSERT INTO audit_log (app_id, actor, action, object_id, after, at)
           SELECT id, %(actor)s, 'app.created', id, to_jsonb(app), created_at FROM app""",
        {
            **vars(app),
            "routing": _routing_text(app.routing),
            "return_origins": list(app.return_origins),
            "actor": actor,
        },
    )


def update_app(
    database: Database, app_id: str, changes: Mapping[str, Any], actor: str, now: datetime
) -> App | None:
    """Changes the fields that are given, of an app that is not deleted; the app, or None."""
    row = database.one(
        """WITH before AS (
               SELECT * FROM apps WHERE id = %(app_id)s AND deleted_at IS NULL FOR UPDATE
           ), changed AS (
               UPDATE apps
               SET name = coalesce(%(name)s, apps.name),
                   default_currency = coalesce(%(default_currency)s, apps.default_currency),
                   default_psp = coalesce(%(default_psp)s, apps.default_psp),
                   routing = coalesce(%(routing)s::jsonb, apps.routing),
                   return_origins = coalesce(%(return_origins)s, apps.return_origins),
                   calls_per_minute = coalesce(%(calls_per_minute)s, apps.calls_per_minute),
                   deleted_at = %(deleted_at)s
               FROM before WHERE apps.id = before.id
               RETURNING apps.*
           ), audit AS (
               INSERT INTO audit_log (app_id, actor, action, object_id, before, after, at)
               SELECT changed.id, %(actor)s, %(action)s, changed.id, to_jsonb(before),
                      to_jsonb(changed), %(now)s
               FROM before, changed
           )
           SELECT id, name, default_currency, default_psp, routing, return_origins,
                  calls_per_minute, created_at, deleted_at
           FROM changed""",
        {
            "name": None,
            "default_currency": None,
            "default_psp": None,
            "return_origins": None,
            "calls_per_minute": None,
            "deleted_at": None,
            **changes,
            "routing": _routing_text(changes["routing"]) if "routing" in changes else None,
            "app_id": app_id,
            "actor": actor,
            "action": "app.deleted" if "deleted_at" in changes else "app.updated",
            "now": now,
        },
    )
    return _app(row) if row else None


def read_routing(value: list[dict[str, Any]]) -> tuple[PspRoute, ...]:
    """The routes of an app, as its row keeps them."""
    return tuple(
        PspRoute(
            psps=tuple(route["psps"]),
            currency=route["currency"],
            method=Method(route["method"]) if route["method"] else None,
        )
        for route in value
    )


def _routing_text(routes: Iterable[PspRoute]) -> str:
    return json.dumps([vars(route) for route in routes])


def _app(row: Row) -> App:
    origins, routing = tuple(row["return_origins"]), read_routing(row["routing"])
    return App(**{**row, "return_origins": origins, "routing": routing})
