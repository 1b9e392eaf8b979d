"""Lists as Stripe gives them: newest first, by creation time, in pages."""

import operator
from collections.abc import Callable
from typing import TypeVar

from local.stripe.errors import Json, invalid_parameter, no_such

Item = TypeVar("Item")

_COMPARISONS = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def listed(
    found: dict[str, Item], params: Json, resource: str, url: str, show: Callable[[Item], Json]
) -> Json:
    """One page of what was found (by id, newest first): ten unless `limit` says otherwise.

    Raises ApiError for a limit or a cursor that is none (docs.stripe.com/api/pagination).
    """
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid_parameter("limit", "limit must be between 1 and 100.")
    ids = list(found)
    first, last = 0, len(ids)
    if "starting_after" in params:
        first = _position(ids, params, "starting_after", resource) + 1
    if "ending_before" in params:
        last = _position(ids, params, "ending_before", resource)
        first = max(0, last - limit)
    return {
        "object": "list",
        "data": [show(found[one]) for one in ids[first:last][:limit]],
        "has_more": first > 0 if "ending_before" in params else last - first > limit,
        "url": url,
    }


def created_as_asked(created: int, params: Json) -> bool:
    """Whether `created` is the instant, or within the range, that a list was asked for."""
    asked = params.get("created", {})
    if isinstance(asked, int):
        return created == asked
    return all(_COMPARISONS[name](created, bound) for name, bound in asked.items())


def newest_first(objects: dict[str, Json], params: Json, fields: str) -> dict[str, Json]:
    """Those objects that have in each of these fields what the parameters ask for."""
    asked = {name: params[name] for name in fields.split() if name in params}
    return {
        one["id"]: one
        for one in reversed(objects.values())
        if created_as_asked(one["created"], params)
        and all(one[name] == value for name, value in asked.items())
    }


def _position(ids: list[str], params: Json, param: str, resource: str) -> int:
    if params[param] not in ids:
        raise no_such(resource, params[param], param)
    return ids.index(params[param])
