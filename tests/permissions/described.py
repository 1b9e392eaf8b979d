"""The operations as the OpenAPI document describes them: all that the matrix knows of the API."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from local import openapi


@dataclass(frozen=True)
class Operation:
    """One operation. `target` is the name of its path parameter, `schema` that of its body."""

    name: str
    method: str
    function: str
    target: str
    query: tuple[str, ...]
    schema: str
    is_idempotent: bool
    roles: frozenset[str]
    scope: str | None
    answers: Mapping[int, dict[str, Any] | None]
    """The schema of the body of each status; None where it is no JSON."""


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of the document."""
    document = json.loads(openapi.FILE.read_text())
    return tuple(
        _operation(document, path, method, described)
        for path, item in document["paths"].items()
        for method, described in item.items()
    )


def scopes_of(role: str) -> frozenset[str]:
    """Everything that some operation asks of this role."""
    return frozenset(each.scope for each in operations() if role in each.roles and each.scope)


@cache
def words() -> frozenset[str]:
    """The names and words of the document: what an answer says with one of them is no secret."""
    found = _words(json.loads(openapi.FILE.read_text()))
    return frozenset(word for word in found if isinstance(word, str))


def _words(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (*value, *value.get("enum", ()), value.get("const", ""))
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _words(item)


def _operation(
    document: dict[str, Any], path: str, method: str, described: dict[str, Any]
) -> Operation:
    _, package, function, *_ = path.split("/")
    parameters = [(each["in"], each["name"]) for each in described.get("parameters", ())]
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return Operation(
        name=described["operationId"],
        method=method.upper(),
        function=f"{package}/{function}",
        target=next((name for where, name in parameters if where == "path"), ""),
        query=tuple(name for where, name in parameters if where == "query"),
        schema=schema.get("$ref", "").rpartition("/")[2],
        is_idempotent=("header", "Idempotency-Key") in parameters,
        roles=frozenset(described["x-tollgate-roles"]),
        scope=described["x-tollgate-scope"],
        answers={
            int(status): _schema(document, response)
            for status, response in described["responses"].items()
        },
    )


def _schema(document: dict[str, Any], response: dict[str, Any]) -> dict[str, Any] | None:
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
    for media_type, content in response.get("content", {}).items():
        if media_type.endswith("json"):
            # with the schemas that it refers to
            return {**content["schema"], "components": document["components"]}
    return None
