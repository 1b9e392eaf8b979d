"""What stands in a path or a query, by its name: an operation can use no name that is not here."""

from collections.abc import Iterator
from typing import Any

from tollgate.domain.ids import CLIENT_ID_PATTERN, PLAN_CODE_PATTERN
from tollgate.domain.page import DEFAULT_LIMIT, MAX_LIMIT
from tollgate.domain.payment import PaymentStatus
from tollgate.http.route import Route
from tollgate.psp import REGISTRY

_CODE = {"type": "string", "pattern": PLAN_CODE_PATTERN}

TARGETS: dict[str, tuple[str, dict[str, Any]]] = {
    "payment_id": ("A payment's id.", {"type": "string", "pattern": "^pay_[0-9a-z]{1,64}$"}),
    "subscription_id": (
        "A subscription's id.",
        {"type": "string", "pattern": "^sub_[0-9a-z]{1,64}$"},
    ),
    "link": (
        "The signed part of a pay link, as it was given: opaque.",
        {"type": "string", "minLength": 1},
    ),
    "client_id": (
        "What the app calls its client.",
        {"type": "string", "pattern": CLIENT_ID_PATTERN},
    ),
    "app_id": ("An app's id.", {"type": "string", "pattern": "^app_[0-9a-z]{1,64}$"}),
    "key_id": ("The id in the middle of a key.", {"type": "string", "pattern": "^[0-9a-z]{16}$"}),
    "code": ("The plan's code.", _CODE),
    "psp": ("Who sends the event.", {"type": "string", "enum": sorted(REGISTRY)}),
}

QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "limit": (
        "How many items to answer at most.",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    "cursor": (
        "`next_cursor` of the answer before, as it was given: opaque.",
        {"type": "string", "minLength": 1},
    ),
    "app_id": TARGETS["app_id"],
    "client_id": TARGETS["client_id"],
    "status": ("Where a payment stands.", {"type": "string", "enum": list(PaymentStatus)}),
    "psp": ("Through which PSP it goes.", TARGETS["psp"][1]),
    "created_after": (
        "Later than this, such as 2027-01-31T09:00:00Z.",
        {"type": "string", "format": "date-time"},
    ),
    "product": ("The product asked about.", _CODE),
}
REQUIRED_QUERY = frozenset({("admin/plans", "app_id")})
"""A plan is named by its app and its code."""

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "description": "A new one for each new request, the same one to retry it.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def parameters(function: str, route: Route) -> Iterator[dict[str, Any]]:
    """Everything of a call that is not its body. `function` is its path, such as admin/plans."""
    if route.target:
        description, schema = TARGETS[route.target]
        yield {
            "name": route.target,
            "in": "path",
            "required": True,
            "description": description,
            "schema": schema,
        }
    for name in route.query or ():
        description, schema = QUERY[name]
        yield {
            "name": name,
            "in": "query",
            "required": (function, name) in REQUIRED_QUERY,
            "description": description,
            "schema": schema,
        }
    if route.idempotent:
        yield IDEMPOTENCY_KEY
