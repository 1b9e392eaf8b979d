"""One operation of the document: who may call it, with what, and what it answers."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

from local.openapi.components import PROBLEM_CONTENT, RATE_LIMIT, header_refs, problem_refs
from local.openapi.entries import Entry
from local.openapi.models import Models
from local.openapi.parameters import parameters
from tollgate.http.route import Route

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = ("POST", "PUT")
_LEFT_OUT_WHERE_EMPTY = ("description", "parameters", "requestBody")

ALSO_ANSWERS = {
    "create_payment": (202, "Recorded, but what the PSP did is not known yet: it will be settled."),
    "capture_payment": (202, "Asked for, but what the PSP did is not known yet: read it again."),
    "cancel_payment": (202, "Asked for, but what the PSP did is not known yet: read it again."),
    "refund_payment": (202, "Recorded, but what the PSP did is not known yet: it will be settled."),
    "create_subscription": (200, "The client's live subscription, on the plan asked for."),
}
"""A second status with the same model."""

_HEALTH = {
    "type": "object",
    "required": ["status", "mode", "database", "redis"],
    "properties": {
        "status": {"type": "string", "enum": ["ok", "degraded", "unavailable"]},
        "mode": {"type": "string", "enum": ["test", "live"]},
        "database": {"type": "string", "enum": ["ok", "unavailable"]},
        "redis": {"type": "string", "enum": ["ok", "unavailable"]},
    },
}
_RECEIVED = {
    "200": {
        "description": "It need not be sent again: what this PSP wants to read of that.",
        "content": {_JSON: {"schema": {"type": "object"}}},
    }
}
_PAGE = {"text/html": {"schema": {"type": "string"}}}
_PAGES_OF_REFUSALS = {
    "400": "The path or the query can't be read: a page says so.",
    "404": "The link is none of ours, or has expired: a page says so.",
    "503": "Nothing can be paid just now: a page says so.",
}
_PAGES_OF_FORMS = {
    "409": "The page again: the amount is another one by now. Nothing was charged.",
    "413": "The form is too large: a page says so.",
    "422": "The page again, with what is wrong.",
    "429": "That was tried too often: a page says so.",
}


def _pages(told: Mapping[str, str]) -> dict[str, Any]:
    return {status: {"description": text, "content": _PAGE} for status, text in told.items()}


WITHOUT_MODEL: dict[str, dict[str, Any]] = {
    "check_health": {
        "200": {"description": "Payments can be taken.", "content": {_JSON: {"schema": _HEALTH}}},
        "503": {
            "description": "They can't.",
            "content": {_JSON: {"schema": _HEALTH}, **PROBLEM_CONTENT},
        },
    },
    "receive_event": _RECEIVED,
    "receive_notification": _RECEIVED,
    "describe_api": {
        "200": {"description": "This.", "content": {_JSON: {"schema": {"type": "object"}}}}
    },
    "show_pay_page": {
        "200": {"description": "The page, for a browser.", "content": _PAGE},
        **_pages(_PAGES_OF_REFUSALS),
    },
    "pay_on_page": {
        "303": {
            "description": "On to the PSP's page, or back to this one.",
            "headers": header_refs("Location"),
        },
        **_pages(dict(sorted({**_PAGES_OF_REFUSALS, **_PAGES_OF_FORMS}.items()))),
    },
    "return_client": {
        "200": {
            "description": "A few words, where the app has no page.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        "303": {
            "description": "On to the app's page, with ?payment_id=….",
            "headers": header_refs("Location"),
        },
    },
}
"""What an operation answers that has no model of its answer."""

_BODIES_WITHOUT_MODEL: dict[str, dict[str, Any]] = {
    "pay_on_page": {
        "required": True,
        "description": "The page's own form.",
        "content": {_FORM: {"schema": {"type": "object"}}},
    },
    "receive_event": {
        "required": True,
        "description": "As the PSP sends it: its signature is over these bytes.",
        "content": {_JSON: {"schema": {}}},
    },
}
"""What is sent to an operation that has no model of it."""


def path_item(entry: Entry, route: Route, models: Models) -> tuple[str, dict[str, Any]]:
    """The path of a route, and under its method what the document says of it."""
    function = f"{entry.package}/{entry.name}"
    path = f"/{function}/{{{route.target}}}" if route.target else f"/{function}"
    summary, description = _told(route)
    permission = route.allows
    operation = {
        "operationId": route.name,
        "summary": summary,
        "description": description,
        "tags": [entry.package],
        "security": _security(route),
        "x-tollgate-roles": sorted(permission.roles),
        "x-tollgate-scope": permission.scope,
        "x-tollgate-moves-money": permission.moves_money,
        "parameters": list(parameters(function, route)),
        "requestBody": _request_body(route, models),
        "responses": _responses(route, models),
    }
    return path, {
        route.method.lower(): {
            name: value
            for name, value in operation.items()
            if value or name not in _LEFT_OUT_WHERE_EMPTY
        }
    }


def _told(route: Route) -> tuple[str, str]:
    """The operation's docstring: its first sentence, and the rest but what it raises."""
    text = inspect.cleandoc(route.operation.__doc__ or "")
    text = re.sub(r"\s*\bRaises\s.*", "", text, flags=re.DOTALL)
    first = re.match(r".+?[.?](?=\s|$)", text, flags=re.DOTALL)
    assert first is not None, f"{route.name} has no docstring that begins with a sentence"
    paragraphs = [" ".join(part.split()) for part in text[first.end() :].split("\n\n")]
    return " ".join(first[0].split()), "\n\n".join(filter(None, paragraphs))


def _security(route: Route) -> list[dict[str, Any]]:
    if route.allows.roles:
        return [{"bearer": []}]
    return [{"basic": []}, {}] if route.form else []  # a form may hold the key itself


def _request_body(route: Route, models: Models) -> dict[str, Any] | None:
    if route.body is not None:
        schema = {"schema": models.sent(route.body)}
        form = {_FORM: schema} if route.form else {}
        return {"required": not route.body_optional, "content": {**form, _JSON: schema}}
    return _BODIES_WITHOUT_MODEL.get(route.name)


def _responses(route: Route, models: Models) -> dict[str, Any]:
    answers = _answers(route, models)
    return {**answers, **problem_refs(_problems(route) - {int(status) for status in answers})}


def _answers(route: Route, models: Models) -> dict[str, Any]:
    headers = ["X-Request-Id", *(RATE_LIMIT if route.allows.roles else ())]
    headers += ["Idempotency-Replayed"] if route.idempotent else []
    model = models.answered(route)
    if model is None:
        return {
            status: {**answer, "headers": header_refs(*headers) | answer.get("headers", {})}
            for status, answer in WITHOUT_MODEL[route.name].items()
        }
    statuses = dict([(route.status, "As it was asked."), *_also(route)])
    return {
        str(status): {
            "description": description,
            "headers": header_refs(*headers),
            "content": {_JSON: {"schema": model}},
        }
        for status, description in sorted(statuses.items())
    }


def _also(route: Route) -> list[tuple[int, str]]:
    return [ALSO_ANSWERS[route.name]] if route.name in ALSO_ANSWERS else []


def _problems(route: Route) -> set[int]:
    """The statuses of what can go wrong, by what the route declares."""
    changes_something = route.method != "GET" and not route.form
    return {
        400,  # a path or a query that can't be read
        503,
        *((401, 403, 429) if route.allows.roles else ()),
        *((401, 429) if route.form else ()),
        *((404,) if route.target else ()),
        *((409,) if changes_something else ()),
        *((413,) if route.method in _WITH_BODY else ()),
        *((422,) if route.query is not None else ()),
    }
