"""What an answer shows: objects in place of their ids (docs.stripe.com/api/expanding_objects)."""

from copy import deepcopy
from typing import Any

from local.stripe.errors import Json
from local.stripe.store import State

_REFUNDS_SHOWN = 10


def expanded(state: State, subject: Json, paths: list[str]) -> Json:
    """A copy of an API object, with the objects that the paths name in place of their ids; with
    the state that somebody wants it to have, if anybody does."""
    shown = deepcopy(subject)
    for path in paths:
        _expand(state, shown, path.split("."))
    for one in shown["data"] if shown["object"] == "list" else [shown]:
        if one["id"] in state.said:
            one["status"] = state.said[one["id"]]
    return shown


def _expand(state: State, inner: Any, names: list[str]) -> None:
    if not names or inner is None:
        return
    if isinstance(inner, list):
        for one in inner:
            _expand(state, one, names)
        return
    name, *deeper = names
    if name == "refunds":
        inner[name] = _refunds_of(state, inner)
    elif isinstance(inner[name], str):
        inner[name] = deepcopy(_table(state, name)[inner[name]])
    _expand(state, inner[name], deeper)


def _table(state: State, name: str) -> dict[str, Json]:
    match name:
        case "balance_transaction":
            return state.balance_transactions
        case "charge" | "latest_charge":
            return state.charges
        case _:
            return state.payment_intents


def _refunds_of(state: State, charge: Json) -> Json:
    """A charge's newest refunds; the rest is had from the list of refunds."""
    found = [one for one in reversed(state.refunds.values()) if one["charge"] == charge["id"]]
    return {
        "object": "list",
        "data": deepcopy(found[:_REFUNDS_SHOWN]),
        "has_more": len(found) > _REFUNDS_SHOWN,
        "url": f"/v1/charges/{charge['id']}/refunds",
    }
