"""What arrived against what is declared, for differences that project.yml alone cannot make."""

from dataclasses import replace
from pathlib import Path

import pytest

from local.deploy_check.agreement import disagreements
from local.deploy_check.api_host import Deployment, SentFunction
from local.deploy_check.manifest import placeholders, read_manifest, variables_named

from .small_project import MANIFEST

VALUES = placeholders(variables_named(MANIFEST))
CREATE = SentFunction(
    name="payments/create",
    kind="python:3.11",
    main="main",
    binary=True,
    code=Path("unread.zip"),
    annotations={"web-export": True, "raw-http": True},
    environment={"PSP_KEY": "placeholder-psp_key"},
    parameters={},
    limits={"timeout": 15000, "memory": 512},
)
RECONCILE = replace(
    CREATE,
    name="payments/reconcile",
    annotations={"web-export": False, "raw-http": False},
    environment={},
    limits={"timeout": 60000, "memory": 256},
)
PACKAGE = {"LOG_LEVEL": "placeholder-log_level", "DATABASE_URL": "placeholder-database_url"}


def findings(deployment: Deployment, triggers: tuple[str, ...] = ("every-minute",)) -> list[str]:
    manifest = read_manifest(MANIFEST, VALUES)
    found = disagreements(manifest, deployment, triggers)
    return [f"{problem.where}: {problem.what}" for problem in found]


def deployment(*functions: SentFunction) -> Deployment:
    return Deployment(
        functions={function.name: function for function in functions},
        package_environments={"payments": PACKAGE},
    )


def test_what_was_declared_arrived() -> None:
    assert findings(deployment(CREATE, RECONCILE)) == []


@pytest.mark.parametrize(
    ("sent", "finding"),
    [
        (
            replace(CREATE, annotations={"web-export": True, "raw-http": False}),
            "declared `web: raw`",
        ),
        (replace(CREATE, limits={"timeout": 3000, "memory": 512}), "declared limits"),
        (replace(CREATE, environment={}), "declared but not sent as environment: PSP_KEY"),
        (
            replace(CREATE, environment={"PSP_KEY": "placeholder-psp_key", "OTHER": "x"}),
            "sent without being declared there: OTHER",
        ),
        (
            replace(CREATE, environment={"PSP_KEY": "x"}),
            "with another value than declared: PSP_KEY",
        ),
    ],
)
def test_difference_in_a_function(sent: SentFunction, finding: str) -> None:
    (found,) = findings(deployment(sent, RECONCILE))

    assert found.startswith("payments/create: ")
    assert finding in found


def test_package_without_its_environment() -> None:
    arrived = deployment(CREATE, RECONCILE)
    arrived.package_environments["payments"] = {"LOG_LEVEL": "placeholder-log_level"}

    assert findings(arrived) == [
        "package payments: variables declared but not sent as environment: DATABASE_URL"
    ]


def test_timer_the_deployer_did_not_understand() -> None:
    (found,) = findings(deployment(CREATE, RECONCILE), triggers=())

    assert "['every-minute'] declared, [] understood" in found


def test_more_timers_than_a_namespace_has() -> None:
    manifest = read_manifest(MANIFEST, VALUES)
    reconcile = replace(
        manifest.functions["payments/reconcile"], timers=("one", "two", "three", "four")
    )
    crowded = replace(manifest, functions={**manifest.functions, reconcile.name: reconcile})

    found = disagreements(crowded, deployment(CREATE, RECONCILE), reconcile.timers)

    assert [problem.what for problem in found] == ["4 timers; a namespace has at most 3"]


def test_request_the_host_cannot_answer() -> None:
    arrived = deployment(CREATE, RECONCILE)
    arrived.unknown.append("GET /api/v1/web")

    assert "asked for GET /api/v1/web" in findings(arrived)[0]
