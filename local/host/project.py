"""What project.yml and packages/ say together: the functions, as the deployer would see them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import yaml

from local.host import rules
from local.host.rules import ProjectError
from local.host.substitution import SubstitutionError, substitute

MAX_TRIGGERS = 3

# What the deployer leaves out wherever it reads a folder.
IGNORED_NAMES = frozenset({".gitignore", ".DS_Store", ".git"})
IGNORED_PARTS = (".nimbella", ".deployed", "_tmp_", ".#")
IGNORED_ENDINGS = ("~", ".swp", ".swx")


class Web(Enum):
    """How a function is reached over HTTP."""

    NO = "no"
    PARSED = "parsed"
    RAW = "raw"


@dataclass(frozen=True)
class Trigger:
    """A timer: five numeric cron fields, read in UTC; the body's keys become the event."""

    name: str
    cron: str
    body: Mapping[str, Any]
    enabled: bool = True


@dataclass(frozen=True)
class Function:
    """One deployed function. The default timeout is the platform's: 3 s."""

    package: str
    name: str
    folder: Path
    main: str = "main"
    web: Web = Web.PARSED
    secret: str | None = None
    custom_options: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: float = 3.0
    triggers: tuple[Trigger, ...] = ()

    @property
    def path(self) -> str:
        """`package/function`, as in the address."""
        return f"{self.package}/{self.name}"


def load_project(root: Path, environment: Mapping[str, str]) -> dict[str, Function]:
    """The project's functions by path. Raises ProjectError with what to do about it."""
    document = _read(root / "project.yml", environment, root)
    rules.check_project(document)
    functions = {function.path: function for function in _functions(root, document)}
    _compare_with_disk(root / "packages", functions)
    _check_triggers(functions)
    return functions


def _read(path: Path, environment: Mapping[str, str], root: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ProjectError(f"there is no {path}: a project's functions are listed there")
    try:
        text = substitute(path.read_text(), environment, root)
    except SubstitutionError as error:
        raise ProjectError(f"project.yml: {error}") from error
    if "\t" in text:
        raise ProjectError("project.yml: tabs are not allowed, indent with spaces")
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, below
    except yaml.YAMLError as error:
        raise ProjectError(f"project.yml is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ProjectError("project.yml is empty: it must list `packages`")
    return document


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key given twice, as the deployer's YAML reader does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _functions(root: Path, document: dict[str, Any]) -> Iterator[Function]:
    for package in document.get("packages") or []:
        entries = package.get("functions") or package.get("actions") or []
        names = [entry["name"] for entry in entries]
        for entry in entries:
            if names.count(entry["name"]) > 1:
                raise ProjectError(f"project.yml: {package['name']}/{entry['name']} is there twice")
            yield _function(root, document, package, entry)


def _function(
    root: Path, project: dict[str, Any], package: dict[str, Any], entry: dict[str, Any]
) -> Function:
    levels = (project, package, entry)
    secret = entry.get("webSecure")
    annotations = entry.get("annotations") or {}
    limits = entry.get("limits") or {}
    return Function(
        package=package["name"],
        name=entry["name"],
        folder=root / "packages" / package["name"] / entry["name"],
        main=entry.get("main") or "main",
        web=_web(entry.get("web", package.get("web", True))),
        secret=secret or None,
        custom_options=annotations.get("web-custom-options") is True,
        environment=_merged("environment", levels),
        parameters=_merged("parameters", levels),
        timeout_seconds=limits.get("timeout", 3000) / 1000,
        triggers=tuple(_trigger(trigger) for trigger in entry.get("triggers") or []),
    )


def _web(value: bool | str) -> Web:
    if value == "raw":
        return Web.RAW
    return Web.PARSED if value else Web.NO


def _merged(key: str, levels: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {name: value for level in levels for name, value in (level.get(key) or {}).items()}


def _trigger(entry: dict[str, Any]) -> Trigger:
    details = entry.get("sourceDetails") or entry.get("scheduledDetails") or {}
    return Trigger(
        name=entry["name"],
        cron=details["cron"],
        body=details.get("withBody") or details.get("body") or {},
        enabled=entry.get("enabled", True),
    )


def _check_triggers(functions: Mapping[str, Function]) -> None:
    names = [trigger.name for function in functions.values() for trigger in function.triggers]
    if len(names) > MAX_TRIGGERS:
        raise ProjectError(
            f"project.yml: {len(names)} triggers, the platform allows {MAX_TRIGGERS} a namespace"
        )
    for name in names:
        if names.count(name) > 1:
            raise ProjectError(f"project.yml: two triggers are named '{name}'")


def is_ignored(name: str) -> bool:
    """Whether the deployer leaves out a file of this name."""
    return (
        name in IGNORED_NAMES
        or name.endswith(IGNORED_ENDINGS)
        or any(part in name for part in IGNORED_PARTS)
    )


def _compare_with_disk(packages: Path, functions: Mapping[str, Function]) -> None:
    """The deployer merges both: what is on disk only is deployed too, publicly."""
    on_disk: set[str] = set()
    for package in sorted(packages.iterdir()) if packages.is_dir() else []:
        if not package.is_dir() or is_ignored(package.name):
            continue
        for entry in sorted(package.iterdir()):
            if is_ignored(entry.name):
                continue
            path = f"{package.name}/{entry.name}"
            if path not in functions or not entry.is_dir():
                raise ProjectError(
                    f"packages/{path} would be deployed as a public function of its own: "
                    "list it in project.yml as a function folder, or move it out of packages/"
                )
            on_disk.add(path)
    for path in functions:
        if path not in on_disk:
            raise ProjectError(
                f"project.yml names {path}, but there is no folder packages/{path}: "
                "make it, or take the function out of project.yml"
            )
