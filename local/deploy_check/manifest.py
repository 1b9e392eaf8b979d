"""What project.yml declares, read independently of the deployer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class Function:
    """A function as declared. `web` is False, True or "raw"; the platform's default is True."""

    name: str
    package: str
    web: bool | str
    limits: Mapping[str, int]
    environment: Mapping[str, str]
    timers: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """All of project.yml that the check compares. Environments are by package name."""

    functions: Mapping[str, Function]
    package_environments: Mapping[str, Mapping[str, str]]


def variables_named(text: str) -> frozenset[str]:
    """The names of all `${NAME}`s in project.yml; the deployer substitutes in comments too."""
    return frozenset(_VARIABLE.findall(text))


def placeholders(names: Iterable[str]) -> dict[str, str]:
    """A value for each name that is no secret and survives YAML unquoted."""
    return {name: f"placeholder-{name.lower()}" for name in names}


def read_manifest(text: str, variables: Mapping[str, str]) -> Manifest:
    """Reads project.yml with its variables substituted. The deployer has validated it before."""
    document = yaml.safe_load(_VARIABLE.sub(lambda match: variables[match[1]], text))
    project_environment = document.get("environment") or {}
    packages = document.get("packages") or []
    return Manifest(
        functions={
            function.name: function for package in packages for function in _functions_of(package)
        },
        package_environments={
            package["name"]: {**project_environment, **(package.get("environment") or {})}
            for package in packages
        },
    )


def _functions_of(package: Mapping[str, Any]) -> list[Function]:
    entries = package.get("functions") or package.get("actions") or []
    return [
        Function(
            name=f"{package['name']}/{entry['name']}",
            package=package["name"],
            web=entry.get("web", package.get("web", True)),
            limits=entry.get("limits") or {},
            environment=entry.get("environment") or {},
            timers=tuple(trigger["name"] for trigger in entry.get("triggers") or ()),
        )
        for entry in entries
    ]
