"""What PayPal publishes about the shapes of its requests and answers, read strictly.

The published schemas allow fields that they do not name; here such a field is refused, so that a
misspelt one fails on a laptop rather than being ignored in production.
"""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_FOLDER = Path(__file__).parent / "specs"

ORDERS = "checkout_orders_v2"
PAYMENTS = "payments_payment_v2"
DISPUTES = "customer_disputes_v1"

_ISSUES = {
    "required": "MISSING_REQUIRED_PARAMETER",
    "minLength": "INVALID_STRING_LENGTH",
    "maxLength": "INVALID_STRING_LENGTH",
    "minItems": "INVALID_ARRAY_MIN_ITEMS",
    "maxItems": "INVALID_ARRAY_MAX_ITEMS",
    "enum": "INVALID_PARAMETER_VALUE",
}


@dataclass(frozen=True)
class Problem:
    """One fault of a value: where (a JSON pointer), PayPal's name for it, and a sentence."""

    field: str
    issue: str
    description: str


def problems(document: str, schema: str, value: object) -> list[Problem]:
    """What is wrong with this value by one of the documents; none where it is as published."""
    found = list(_validator(document, schema).iter_errors(value))
    # where a known field is wrong, its object's other fields count as unknown ones
    wrong = [error for error in found if error.validator != "unevaluatedProperties"]
    return [_problem(error) for error in wrong or found]


@cache
def _validator(document: str, schema: str) -> Draft202012Validator:
    components = json.loads(gzip.decompress((_FOLDER / f"{document}.json.gz").read_bytes()))
    components = components["components"]
    for named in components["schemas"].values():
        _close(named)
    root = {"$ref": f"#/components/schemas/{schema}", "unevaluatedProperties": False}
    return Draft202012Validator(root | {"components": components})


def _close(schema: Any) -> None:
    """Closes the value of every field and list; the parts of an `allOf` are closed as one, where
    they are used."""
    for inner in _parts(schema):
        _close(inner)
    fields = schema.get("properties", {}).values()
    for value in (*fields, *([schema["items"]] if "items" in schema else [])):
        value["unevaluatedProperties"] = False


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("properties", {}).values()
    for name in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(name, [])
    if "items" in schema:
        yield schema["items"]


def _problem(error: ValidationError) -> Problem:
    field = "/" + "/".join(str(part) for part in error.absolute_path)
    issue = _ISSUES.get(str(error.validator), "INVALID_PARAMETER_SYNTAX")
    return Problem(field, issue, f"The field does not satisfy: {error.validator}.")
