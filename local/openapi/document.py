"""The whole document: its head, its paths, and the schemas that they refer to."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from local.openapi.components import HEADERS, PROBLEM, SECURITY_SCHEMES, problem_responses
from local.openapi.entries import read_entries
from local.openapi.models import Models
from local.openapi.paths import path_item

SCHEMA_PATH = "#/components/schemas/{model}"

DESCRIPTION = """\
Payments and subscriptions behind apps. An app asks two things: take this payment, and has this \
client paid?

Money is `amount`, an integer in minor units of ISO 4217, with `currency`. Instants are RFC 3339 \
in UTC. Errors are problem documents (RFC 9457) with a `code` to act on; foreign and missing ids \
answer alike.

Of every operation `x-tollgate-roles` tells who may call it (nobody named: anyone), \
`x-tollgate-scope` which scope that takes, and `x-tollgate-moves-money` whether its calls are \
counted in any case.
"""


def document(project: Path) -> dict[str, Any]:
    """The document as JSON values. A KeyError where a table of local/openapi lacks a name."""
    models = Models()
    paths: dict[str, Any] = {}
    entries = list(read_entries(project))
    for entry in entries:
        for route in entry.routes:
            path, item = path_item(entry, route, models)
            paths.setdefault(path, {}).update(item)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": _info(project),
        "servers": [
            {
                "url": "/api/v1/web/{namespace}",
                "description": "The namespace that this document was read from.",
                "variables": {"namespace": {"default": "fn-local"}},
            }
        ],
        "tags": [{"name": name} for name in dict.fromkeys(entry.package for entry in entries)],
        "paths": paths,
        "components": {
            "schemas": _schemas(models),
            "responses": problem_responses(),
            "headers": HEADERS,
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _info(project: Path) -> dict[str, str]:
    told = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    return {
        "title": "Tollgate",
        "summary": told["description"],
        "description": DESCRIPTION,
        "version": told["version"],
    }


def _schemas(models: Models) -> dict[str, Any]:
    _, definitions = models_json_schema(models.used, ref_template=SCHEMA_PATH)
    return dict(sorted({**definitions["$defs"], "Problem": PROBLEM}.items()))
