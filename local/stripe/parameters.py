"""The field check: a request may hold what the SDK's own parameter types hold, and nothing else.

stripe.params is generated from Stripe's specification of the pinned API version, so its
TypedDicts are the closest machine-readable statement of which fields Stripe knows. They add
`str` to every enumeration; here the enumeration is kept and the `str` is not.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from stripe import RequestOptions

from local.stripe.errors import (
    ApiError,
    Json,
    empty_parameter,
    invalid_integer,
    invalid_parameter,
    missing_parameter,
    unknown_parameter,
)
from local.stripe.forms import Form

# Names which the SDK's modules import for type checkers only.
_NAMES = {"StripeContext": object, "Mapping": Mapping}
# How to call the SDK, not what is sent: inherited by every top-level parameter type.
_CALL_OPTIONS = frozenset(RequestOptions.__annotations__)


def read(form: Form, shape: type) -> Json:
    """The typed values of a form, checked at every depth against a TypedDict of stripe.params.

    Raises ApiError (400): parameter_unknown, parameter_missing, parameter_invalid_integer,
    parameter_invalid_empty, or without a code for a value of the wrong kind.
    """
    return _read_object(form, shape, "")


@cache
def _fields(shape: type) -> dict[str, Any]:
    hints = get_type_hints(shape, localns=_NAMES)
    return {name: hint for name, hint in hints.items() if name not in _CALL_OPTIONS}


def _read_object(form: Form, shape: type, path: str) -> Json:
    fields = _fields(shape)
    for name in form:
        if name not in fields:
            raise unknown_parameter(_inside(path, name))
    required: frozenset[str] = getattr(shape, "__required_keys__", frozenset())
    for name in sorted(required):
        if name not in form:
            raise missing_parameter(_inside(path, name))
    return {name: _read(value, fields[name], _inside(path, name)) for name, value in form.items()}


def _inside(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _read(value: str | Form, kind: Any, path: str) -> Any:
    if get_origin(kind) in (Union, UnionType):
        return _read_union(value, get_args(kind), path)
    if isinstance(value, str):
        return _read_scalar(value, kind, path)
    if hasattr(kind, "__required_keys__"):
        return _read_object(value, kind, path)
    if get_origin(kind) is list:
        return _read_list(value, get_args(kind)[0], path)
    if _is_scalar(kind):
        raise invalid_parameter(path, f"Invalid value for {path}: a hash was given.")
    item = get_args(kind)[-1]
    return {name: _read_entry(part, item, _inside(path, name)) for name, part in value.items()}


def _read_entry(value: str | Form, kind: Any, path: str) -> Any:
    """A hash's entry; unlike a parameter it may be empty (metadata: that unsets the key)."""
    return value if value == "" else _read(value, kind, path)


def _is_scalar(kind: Any) -> bool:
    return kind in (str, int, bool, float, Decimal) or get_origin(kind) is Literal


def _is_enumeration(kind: Any) -> bool:
    """Not so Literal[""], which says that the parameter may be unset."""
    return get_origin(kind) is Literal and "" not in get_args(kind)


def _read_union(value: str | Form, kinds: tuple[Any, ...], path: str) -> Any:
    if any(_is_enumeration(kind) for kind in kinds):
        kinds = tuple(kind for kind in kinds if kind is not str)
    fitting = [kind for kind in kinds if _is_scalar(kind) == isinstance(value, str)]
    # An enumeration names its values best when nothing fits, so it is asked last.
    fitting.sort(key=_is_enumeration)
    for kind in fitting[:-1]:
        try:
            return _read(value, kind, path)
        except ApiError:
            continue
    if not fitting:
        raise invalid_parameter(path, f"Invalid value for {path}.")
    return _read(value, fitting[-1], path)


def _read_list(value: Form, kind: Any, path: str) -> list[Any]:
    if not all(name.isdecimal() for name in value):
        raise invalid_parameter(path, f"Invalid array: {path}")
    ordered = sorted(value, key=int)
    return [_read(value[name], kind, _inside(path, name)) for name in ordered]


def _read_scalar(value: str, kind: Any, path: str) -> Any:
    if get_origin(kind) is Literal:
        return _read_member(value, get_args(kind), path)
    if value == "":
        raise empty_parameter(path)
    if kind is str:
        return value
    if kind is bool:
        return _read_member(value, ("true", "false"), path) == "true"
    if kind is int:
        if re.fullmatch(r"-?[0-9]+", value) is None:
            raise invalid_integer(path, value)
        return int(value)
    if kind in (float, Decimal):
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is None:
            raise invalid_parameter(path, f"Invalid decimal: {value}")
        return value
    raise invalid_parameter(path, f"Invalid object: {path}")


def _read_member(value: str, members: tuple[str, ...], path: str) -> str:
    if value not in members:
        allowed = ", ".join(member or "''" for member in members)
        raise invalid_parameter(path, f"Invalid {path}: must be one of {allowed}")
    return value
