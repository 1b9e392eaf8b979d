"""The OpenAPI document: as the code has it, valid, complete, and silent on what is nobody's."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from local import openapi
from local.openapi.entries import read_entries
from tests.world import World
from tollgate.domain.permissions import PERMISSIONS

PROJECT = Path(__file__).parent.parent
LINK = PROJECT / "docs" / "openapi.json"
METHODS = {"get", "put", "post", "delete"}
ADDRESS = re.compile(r"[a-z]+://([\w.-]+)")
SECRET = re.compile(r"tg_(test|live)_\w|sk_|whsec_|[A-Za-z0-9_-]{43}")
HOSTS = {"json-schema.org", "shop.example"}
"""The dialect of the schemas, and a name that stands for nobody."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document as it is served."""
    written: dict[str, Any] = json.loads(LINK.read_text())
    return written


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        assert set(item) <= METHODS
        for method, operation in item.items():
            yield path, method.upper(), operation


def texts(value: Any) -> Iterator[str]:
    """Every text in a document, its names too."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str):
        yield value


def references(value: Any) -> Iterator[str]:
    """Every $ref in a document."""
    if isinstance(value, dict):
        yield from (item for name, item in value.items() if name == "$ref")
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_what_is_written_is_what_the_code_says() -> None:
    assert openapi.FILE.read_text() == openapi.generate(), "run `make openapi`"


def test_the_documentation_and_the_function_have_the_same_file() -> None:
    assert LINK.is_symlink()
    assert not LINK.readlink().is_absolute()
    assert LINK.resolve() == openapi.FILE


def test_it_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        here: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in here, reference
            here = here[step]


def test_every_schema_is_used(document: dict[str, Any]) -> None:
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert names == {name for name in references(document) if "/schemas/" in name}


def test_every_function_is_in_it(document: dict[str, Any]) -> None:
    declared = yaml.safe_load((PROJECT / "project.yml").read_text())
    functions = {
        f"/{package['name']}/{function['name']}"
        for package in declared["packages"]
        for function in package["functions"]
        if function["web"] is not False
    }
    assert {"/".join(path.split("/")[:3]) for path in document["paths"]} == functions


def test_every_route_is_in_it_once(document: dict[str, Any]) -> None:
    told = [(path, method, each["operationId"]) for path, method, each in operations(document)]
    routes = [
        (
            f"/{entry.package}/{entry.name}" + (f"/{{{route.target}}}" if route.target else ""),
            route.method,
            route.name,
        )
        for entry in read_entries(PROJECT)
        for route in entry.routes
    ]
    assert sorted(told) == sorted(routes)


def test_every_operation_of_the_table_is_served_once_and_no_other(document: dict[str, Any]) -> None:
    served = [operation["operationId"] for _, _, operation in operations(document)]
    assert sorted(served) == sorted(PERMISSIONS)


def test_it_says_who_may_call_as_the_table_does(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        row = PERMISSIONS[operation["operationId"]]
        assert operation["x-tollgate-roles"] == sorted(row.roles)
        assert operation["x-tollgate-scope"] == row.scope
        assert operation["x-tollgate-moves-money"] is row.moves_money
        takes_bearer = {"bearer": []} in operation["security"]
        assert takes_bearer is bool(row.roles)


def test_every_operation_tells_what_it_does_and_how_it_fails(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        statuses = set(operation["responses"])
        assert operation["summary"].endswith((".", "?"))
        assert "Raises" not in operation["summary"] + operation.get("description", "")
        assert any(status < "400" for status in statuses)
        assert {"400", "503"} <= statuses
        assert bool(operation["x-tollgate-roles"]) <= ({"401", "403", "429"} <= statuses)


def test_it_says_where_a_body_is_wanted(document: dict[str, Any]) -> None:
    told = {each["operationId"]: each.get("requestBody") for _, _, each in operations(document)}
    without_model = {"pay_on_page", "receive_event"}  # a form, and bytes that are signed
    for entry in read_entries(PROJECT):
        for route in entry.routes:
            body = told[route.name]
            wants_one = route.body is not None or route.name in without_model
            assert (body is not None) is wants_one, route.name
            assert body is None or body["required"] is not route.body_optional, route.name


def test_every_instant_is_told_as_one(document: dict[str, Any]) -> None:
    found = [
        (f"{name}.{field}", kind)
        for name, schema in document["components"]["schemas"].items()
        for field, told in schema.get("properties", {}).items()
        if re.search(r"_(at|until|through|end)$|^as_of$", field)
        for kind in told.get("anyOf", [told])
        if kind.get("type") == "string"
    ]
    assert found
    assert not [where for where, kind in found if kind.get("format") != "date-time"]


def test_it_names_no_host_and_no_secret(document: dict[str, Any]) -> None:
    found = list(texts(document))
    hosts = {host for text in found for host in ADDRESS.findall(text)}
    assert hosts <= HOSTS
    assert not [text for text in found if SECRET.search(text)]
    assert not [text for text in found if "localhost" in text or "127.0.0.1" in text]


def test_the_function_serves_it(world: World) -> None:
    answer = world.call("ops/openapi", method="GET", headers={"authorization": ""})
    assert answer.status == 200
    assert answer.body == openapi.FILE.read_text()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "public, max-age=300"
