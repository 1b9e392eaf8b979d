"""Apps: what an operator sets up, each change audited."""

from typing import TYPE_CHECKING

from tollgate.domain.app import App
from tollgate.domain.errors import FieldError, InvalidFields, NotFound
from tollgate.domain.ids import is_id
from tollgate.domain.page import Listing, listing, read_page
from tollgate.domain.routing import PspRoute
from tollgate.operations.context import Call, Context
from tollgate.psp import REGISTRY
from tollgate.storage import apps

if TYPE_CHECKING:
    from tollgate.schemas.apps import CreateApp, RouteFields, UpdateApp


def list_apps(context: Context, call: Call[None]) -> Listing[App]:
    """Every app, the deleted ones too."""
    page = read_page(call.query)
    return listing(page, apps.list_apps(context.database, page), lambda app: app.id)


def get_app(context: Context, call: Call[None]) -> App:
    """One app. Raises NotFound."""
    app = apps.find_app(context.database, call.target) if is_id("app", call.target) else None
    if app is None:
        raise NotFound
    return app


def create_app(context: Context, call: "Call[CreateApp]") -> App:
    """A new tenant. Raises InvalidFields for a PSP that is not here."""
    content = call.content
    _check_psp(content.default_psp)
    app = App(
        id=context.new_id("app"),
        name=content.name,
        default_currency=content.default_currency,
        default_psp=content.default_psp,
        return_origins=tuple(content.return_origins),
        calls_per_minute=content.calls_per_minute,
        created_at=context.now(),
        routing=_routing(context, content.routing),
    )
    apps.insert_app(context.database, app, call.caller.actor)
    return app


def update_app(context: Context, call: "Call[UpdateApp]") -> App:
    """Changes the fields that were sent. Raises NotFound, also for a deleted app; InvalidFields."""
    changes = call.content.model_dump(exclude_none=True)
    _check_psp(changes.get("default_psp"))
    if call.content.routing is not None:
        changes["routing"] = _routing(context, call.content.routing)
    return _change(context, call.target, changes, call.caller.actor)


def delete_app(context: Context, call: Call[None]) -> App:
    """Ends an app: its keys and tokens are refused within a minute. What it took and granted
    stays, and payments under way are still settled. Raises NotFound."""
    return _change(context, call.target, {"deleted_at": context.now()}, call.caller.actor)


def _change(context: Context, app_id: str, changes: dict[str, object], actor: str) -> App:
    app = None
    if is_id("app", app_id):
        app = apps.update_app(context.database, app_id, changes, actor, context.now())
    if app is None:
        raise NotFound
    return app


def _routing(context: Context, asked: "list[RouteFields]") -> tuple[PspRoute, ...]:
    """The routes, of PSPs that can take what is routed to them. Raises InvalidFields."""
    errors = []
    for index, route in enumerate(asked):
        for psp in route.psps:
            message = _why_not(context, psp, route)
            if message is not None:
                errors.append(FieldError(f"routing.{index}.psps", message))
    if errors:
        raise InvalidFields(errors=tuple(errors))
    return tuple(PspRoute(tuple(r.psps), r.currency, r.method) for r in asked)


def _why_not(context: Context, psp: str, route: "RouteFields") -> str | None:
    if psp not in REGISTRY:
        return f"One of: {', '.join(sorted(REGISTRY))}."
    can = context.psp(psp).capabilities
    if route.currency is not None and route.currency not in can.currencies:
        return f"{psp} takes {', '.join(sorted(can.currencies))}."
    if route.method is not None and route.method not in can.methods:
        return f"{psp} takes {', '.join(sorted(can.methods))}."
    return None


def _check_psp(name: str | None) -> None:
    if name is not None and name not in REGISTRY:
        message = f"One of: {', '.join(sorted(REGISTRY))}."
        raise InvalidFields(errors=(FieldError("default_psp", message),))
