"""What may stand in project.yml: keys and types at each level, as the deployer checks them.

It goes beyond the deployer where the platform would refuse or misuse the value later: ranges of
limits, strings in the project's environment, cron lines.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

PROJECT_KEYS = {"targetNamespace": str, "packages": list, "parameters": dict, "environment": dict}
PACKAGE_KEYS = {
    "name": str,
    "functions": list,
    "actions": list,
    "shared": bool,
    "web": object,
    "environment": dict,
    "parameters": dict,
    "annotations": dict,
    "binding": dict,
}
FUNCTION_KEYS = {
    "name": str,
    "file": str,
    "runtime": str,
    "main": str,
    "docker": str,
    "binary": bool,
    "remoteBuild": bool,
    "localBuild": bool,
    "sequence": list,
    "web": object,
    "webSecure": object,
    "environment": dict,
    "parameters": dict,
    "annotations": dict,
    "limits": dict,
    "triggers": list,
}
TRIGGER_KEYS = {
    "name": str,
    "enabled": bool,
    "sourceType": str,
    "sourceDetails": dict,
    "type": str,
    "scheduledDetails": dict,
}
LIMIT_RANGES = {"timeout": (100, 900_000), "memory": (128, 1024), "logs": (0, 1024)}
FORBIDDEN_ANNOTATIONS = ("require-whisk-auth", "web-export", "raw-http")
UNSUPPORTED_HERE = ("file", "docker", "sequence", "binary")
NAME = re.compile(r"[\w][\w@ .-]*")
CRON_FIELD = re.compile(r"[\d*,/-]+")


class ProjectError(Exception):
    """The project cannot be served as it is; the message tells what to do."""


def check_project(document: dict[str, Any]) -> None:
    """Raises ProjectError for the first thing in the document that is not allowed."""
    _check_keys(document, PROJECT_KEYS, "project.yml")
    _check_environment(document, "project.yml")
    for package in document.get("packages") or []:
        _check_package(package, document)


def _check_package(package: Any, document: dict[str, Any]) -> None:
    _check_keys(package, PACKAGE_KEYS, "a package")
    where = f"package '{_name(package, 'a package')}'"
    _check_environment(package, where)
    _check_web(package, where)
    if package["name"] == "default":
        carried = [key for key in ("environment", "parameters", "annotations") if package.get(key)]
        carried += [key for key in ("environment", "parameters") if document.get(key)]
        if carried:
            raise ProjectError(f"the package 'default' may not be used with {carried[0]}")
    for function in package.get("functions") or package.get("actions") or []:
        _check_function(function, package["name"])


def _check_function(function: Any, package: str) -> None:
    _check_keys(function, FUNCTION_KEYS, f"a function of package '{package}'")
    where = f"function '{package}/{_name(function, 'a function')}'"
    for key in UNSUPPORTED_HERE:
        if function.get(key):
            raise ProjectError(f"{where}: `{key}` is not served here, only Python function folders")
    if not str(function.get("runtime", "python:")).startswith("python:"):
        raise ProjectError(f"{where}: runtime must be a Python one, such as python:3.11")
    _check_environment(function, where)
    _check_web(function, where)
    secure = function.get("webSecure", False)
    if secure is not False and not isinstance(secure, str):
        raise ProjectError(f"{where}: webSecure is false or a secret string")
    for annotation in FORBIDDEN_ANNOTATIONS:
        if annotation in (function.get("annotations") or {}):
            raise ProjectError(f"{where}: say `web` and `webSecure`, not annotation {annotation}")
    _check_limits(function.get("limits") or {}, where)
    for trigger in function.get("triggers") or []:
        _check_trigger(trigger, where)


def _check_keys(value: Any, allowed: Mapping[str, type], where: str) -> None:
    if not isinstance(value, dict):
        raise ProjectError(f"{where} must be a dictionary")
    for key, item in value.items():
        if key not in allowed:
            raise ProjectError(f"{where}: invalid key '{key}' (allowed: {', '.join(allowed)})")
        if item is not None and not isinstance(item, allowed[key]):
            raise ProjectError(f"{where}: '{key}' must be of type {allowed[key].__name__}")


def _name(value: dict[str, Any], where: str) -> str:
    name = value.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ProjectError(f"{where} must have a name of letters, digits, _ and -, not {name!r}")
    return name


def _check_environment(value: dict[str, Any], where: str) -> None:
    for name, item in (value.get("environment") or {}).items():
        if not isinstance(item, str):
            raise ProjectError(
                f"{where}: environment value '{name}' is a {type(item).__name__}; "
                'all must be strings, so write it in double quotes: "${…}"'
            )


def _check_web(value: dict[str, Any], where: str) -> None:
    web = value.get("web", True)
    if not isinstance(web, bool) and web != "raw":
        raise ProjectError(f"{where}: web is true, false or 'raw'")


def _check_limits(limits: dict[str, Any], where: str) -> None:
    for key, value in limits.items():
        if key not in LIMIT_RANGES:
            raise ProjectError(f"{where}: invalid limit '{key}' (allowed: timeout, memory, logs)")
        low, high = LIMIT_RANGES[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ProjectError(f"{where}: limit '{key}' must be a number")
        if not low <= value <= high:
            raise ProjectError(f"{where}: limit '{key}' must lie between {low} and {high}")


def _check_trigger(trigger: Any, where: str) -> None:
    _check_keys(trigger, TRIGGER_KEYS, f"{where}: a trigger")
    where = f"{where}: trigger '{_name(trigger, f'{where}: a trigger')}'"
    if trigger.get("sourceType") == "scheduler":
        details, body = trigger.get("sourceDetails") or {}, "withBody"
    elif trigger.get("type") == "SCHEDULED":
        details, body = trigger.get("scheduledDetails") or {}, "body"
    else:
        raise ProjectError(f"{where} must say `sourceType: scheduler`")
    _check_keys(details, {"cron": str, body: dict}, where)
    _check_cron(details.get("cron") or "", where)


def _check_cron(cron: str, where: str) -> None:
    fields = cron.split()
    if len(fields) != 5 or not all(CRON_FIELD.fullmatch(field) for field in fields):
        raise ProjectError(f"{where}: cron must be five numeric fields, not {cron!r}")
    try:
        CronSim(cron, datetime(2000, 1, 1, tzinfo=UTC))
    except CronSimError as error:
        raise ProjectError(f"{where}: cron {cron!r} is not valid: {error}") from error
