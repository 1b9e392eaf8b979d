"""Who may call what: the one table. `http/endpoint.py` keeps to it, OpenAPI and tests read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from tollgate.domain.principal import Principal, Role


class Scope(StrEnum):
    """What a key or a token can be narrowed to; each is a part of what its role may."""

    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    ADMIN_READ = "admin:read"
    ADMIN_WRITE = "admin:write"


@dataclass(frozen=True)
class Permission:
    """Callers of these roles, with this scope; with no roles, anyone.

    Where money moves, calls are counted even when Redis is gone.
    """

    roles: frozenset[Role] = frozenset()
    scope: Scope | None = None
    moves_money: bool = False


ANYONE = Permission()

_APP = frozenset({Role.APP})
_ADMIN = frozenset({Role.ADMIN})
_APP_OR_ADMIN = frozenset({Role.APP, Role.ADMIN})
_APP_OR_CLIENT = frozenset({Role.APP, Role.CLIENT})
_EVERY_ROLE = frozenset(Role)

PERMISSIONS: Mapping[str, Permission] = {
    # an app, for its clients
    "create_payment": Permission(_APP, Scope.PAYMENTS_WRITE, moves_money=True),
    "get_payment": Permission(_EVERY_ROLE, Scope.PAYMENTS_READ),
    "list_payments": Permission(_APP_OR_ADMIN, Scope.PAYMENTS_READ),
    "capture_payment": Permission(_APP, Scope.PAYMENTS_WRITE, moves_money=True),
    "cancel_payment": Permission(_APP, Scope.PAYMENTS_WRITE, moves_money=True),
    "refund_payment": Permission(_APP, Scope.PAYMENTS_WRITE, moves_money=True),
    "create_subscription": Permission(_APP, Scope.SUBSCRIPTIONS_WRITE),
    "get_subscription": Permission(_EVERY_ROLE, Scope.SUBSCRIPTIONS_READ),
    "list_subscriptions": Permission(_EVERY_ROLE, Scope.SUBSCRIPTIONS_READ),
    "cancel_subscription": Permission(_APP, Scope.SUBSCRIPTIONS_WRITE),
    "pause_subscription": Permission(_APP, Scope.SUBSCRIPTIONS_WRITE),
    "resume_subscription": Permission(_APP, Scope.SUBSCRIPTIONS_WRITE),
    "change_subscription": Permission(_APP, Scope.SUBSCRIPTIONS_WRITE, moves_money=True),
    "check_access": Permission(_APP_OR_CLIENT, Scope.SUBSCRIPTIONS_READ),
    # a PSP, or a client's browser: what they bring is checked by the operation
    "receive_event": ANYONE,
    "receive_notification": ANYONE,
    "return_client": ANYONE,
    "show_pay_page": ANYONE,
    "pay_on_page": ANYONE,
    # whoever holds a key: the operation asks for it
    "issue_token": ANYONE,
    "list_public_keys": ANYONE,
    "check_health": ANYONE,
    "describe_api": ANYONE,
    # an operator
    "list_apps": Permission(_ADMIN, Scope.ADMIN_READ),
    "get_app": Permission(_ADMIN, Scope.ADMIN_READ),
    "create_app": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "update_app": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "delete_app": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "list_keys": Permission(_ADMIN, Scope.ADMIN_READ),
    "get_key": Permission(_ADMIN, Scope.ADMIN_READ),
    "create_key": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "rotate_key": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "update_key": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "revoke_key": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "list_reviews": Permission(_ADMIN, Scope.ADMIN_READ),
    "resolve_review": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "list_plans": Permission(_ADMIN, Scope.ADMIN_READ),
    "get_plan": Permission(_ADMIN, Scope.ADMIN_READ),
    "create_plan": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "update_plan": Permission(_ADMIN, Scope.ADMIN_WRITE),
    "archive_plan": Permission(_ADMIN, Scope.ADMIN_WRITE),
}
"""By the name of the operation. One that is not here can't be served."""


@cache
def scopes_of(role: Role) -> frozenset[str]:
    """Everything that a role may be given."""
    rows = PERMISSIONS.values()
    return frozenset(row.scope for row in rows if row.scope is not None and role in row.roles)


def may_call(principal: Principal, permission: Permission) -> bool:
    """Whether this caller has the role and the scope."""
    return principal.role in permission.roles and permission.scope in principal.scopes
