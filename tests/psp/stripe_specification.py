"""Stripe's published OpenAPI: what it says against a request, or against an object of an answer.

It is older than the API version that is asked for (specs/stripe-SOURCE.md). What is newer is named
here, with the reason.
"""

import gzip
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft4Validator

from local.stripe.forms import decode

Json = Any

_ALLOWED_TYPES: Json = {
    "allowed_payment_method_types": {"type": "array", "items": {"enum": ["card"]}}
}
_RANGE: Json = {bound: {"type": "integer"} for bound in ("gt", "gte", "lt", "lte")}

NEWER_PARAMETERS: Mapping[tuple[str, str], Mapping[str, Json]] = {
    # in the place of payment_method_types, which 2026-09-30.endive takes no more
    ("POST", "/v1/checkout/sessions"): _ALLOWED_TYPES,
    ("POST", "/v1/payment_intents"): _ALLOWED_TYPES,
    # sessions are listed by when they were made, as everything else was then
    ("GET", "/v1/checkout/sessions"): {"created": {"type": "object", "properties": _RANGE}},
}

GONE_PARAMETERS = {
    ("POST", "/v1/checkout/sessions"): {"payment_method_types"},
    ("POST", "/v1/payment_intents"): {"payment_method_types"},
}
"""What the API version that is asked for refuses."""


def wrong_with_request(request: httpx.Request) -> list[str]:
    """What the specification says against this request; nothing, if all is well."""
    found = _operation(request.method.lower(), request.url.path)
    if found is None:
        return [f"no such operation: {request.method} {request.url.path}"]
    path, operation = found
    if request.method == "GET":
        schema, sent = _query_schema(operation), str(request.url.query, "ascii")
    else:
        schema, sent = _form_schema(operation), request.content.decode()
    properties = {**schema["properties"], **NEWER_PARAMETERS.get((request.method, path), {})}
    for gone in GONE_PARAMETERS.get((request.method, path), ()):
        del properties[gone]
    schema = _closed({**schema, "properties": properties, "additionalProperties": False})
    return _complaints(schema, _typed(decode(sent), schema))


def wrong_with_object(name: str, subject: Json) -> list[str]:
    """What the specification says against this object: types, enumerations, what is missing."""
    reference = {"$ref": f"#/components/schemas/{name}"}
    return _complaints(reference, subject)


def is_specified(name: str, field: str) -> bool:
    """Whether objects of this kind have such a field."""
    return field in _specification()["components"]["schemas"][name]["properties"]


def _complaints(schema: Json, value: Json) -> list[str]:
    whole = {**schema, "components": _specification()["components"]}
    return [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft4Validator(whole).iter_errors(value)
    ]


@cache
def _specification() -> Json:
    file = Path(__file__).parent / "specs/stripe-2023-08-16.json.gz"
    return _without_nullable(json.loads(gzip.decompress(file.read_bytes())))


def _without_nullable(schema: Json) -> Json:
    """OpenAPI 3.0 says `nullable` where JSON Schema says null."""
    if isinstance(schema, list):
        return [_without_nullable(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {key: _without_nullable(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [rest, {"type": "null"}]} if schema.get("nullable") is True else rest


def _operation(method: str, path: str) -> tuple[str, Json] | None:
    for template, methods in _specification()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in methods:
            return template, methods[method]
    return None


def _form_schema(operation: Json) -> Json:
    return operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"]


def _query_schema(operation: Json) -> Json:
    asked = [one for one in operation["parameters"] if one["in"] == "query"]
    return {
        "type": "object",
        "properties": {one["name"]: one["schema"] for one in asked},
        "required": [one["name"] for one in asked if one["required"]],
    }


def _closed(schema: Json) -> Json:
    """With nothing let pass in any object that is not named in it."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    return closed


def _typed(value: Json, schema: Json) -> Json:
    """What the text of a form stands for where this schema applies; what fits nothing is left."""
    if "anyOf" in schema:
        readings = [(_typed(value, option), option) for option in schema["anyOf"]]
        fitting = (read for read, option in readings if Draft4Validator(option).is_valid(read))
        return next(fitting, value)
    kind = schema.get("type")
    if kind == "integer" and isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        return int(value)
    if kind == "boolean" and isinstance(value, str):
        return {"true": True, "false": False}.get(value, value)
    if kind == "array" and isinstance(value, dict):
        return [_typed(one, schema.get("items", {})) for one in value.values()]
    if kind == "object" and isinstance(value, dict):
        rest = schema.get("additionalProperties") or {}
        named = schema.get("properties", {})
        return {name: _typed(one, named.get(name, rest)) for name, one in value.items()}
    return value
