"""Stripe's form encoding: a[b]=1, a[0][c]=2 and a[]=3 become nested values."""

import re
from typing import Union
from urllib.parse import parse_qsl

from local.stripe.errors import invalid_parameter

Form = dict[str, Union[str, "Form"]]

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")


def decode(text: str) -> Form:
    """The nested values of a form or query string. A list stays a Form with the keys 0, 1, …:
    only the parameter's type tells it from a hash. Raises ApiError for brackets that do not match.
    """
    form: Form = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.fullmatch(key)
        if match is None:
            raise invalid_parameter(key, f"Invalid parameter name: {key}")
        steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])]
        _put(form, steps, value, key)
    return form


def _put(form: Form, steps: list[str], value: str, key: str) -> None:
    for step in steps[:-1]:
        inner = form.setdefault(step or str(len(form)), {})
        if isinstance(inner, str):
            raise invalid_parameter(key, f"{key} is given both as a value and as a hash.")
        form = inner
    form[steps[-1] or str(len(form))] = value
