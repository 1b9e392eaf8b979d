"""What arrived at the API host, against what project.yml declares."""

from collections.abc import Collection, Iterator, Mapping

from .api_host import RUNTIME, Deployment, SentFunction
from .manifest import Function, Manifest
from .problem import Problem

TIMERS_MAX = 3  # scheduled triggers in a namespace
WEB_MODES = {False: (False, False), "raw": (True, True)}  # web: (web-export, raw-http)


def disagreements(
    manifest: Manifest, deployment: Deployment, triggers: Collection[str]
) -> Iterator[Problem]:
    """Every difference, with a remedy. `triggers` are the timers the deployer understood."""
    yield from _names(manifest, deployment)
    for name, function in sorted(manifest.functions.items()):
        sent = deployment.functions.get(name)
        yield from _declaration(function)
        if sent:
            yield from _runtime(sent)
            yield from _web_mode(function, sent)
            yield from _limits(function, sent)
            yield from _environment(name, function.environment, sent.environment)
    for package, environment in manifest.package_environments.items():
        yield from _environment(
            f"package {package}", environment, deployment.package_environments.get(package, {})
        )
    yield from _timers(manifest, triggers)
    for request in deployment.unknown:
        yield Problem(
            "deployer",
            f"asked for {request}, which the loopback API host does not answer",
            "teach local/deploy_check/api_host.py what the platform says to it",
        )


def _names(manifest: Manifest, deployment: Deployment) -> Iterator[Problem]:
    for name in sorted(manifest.functions.keys() - deployment.functions.keys()):
        yield Problem(
            name,
            "declared in project.yml, but it did not arrive",
            f"see the deployer's message, and that packages/{name}/ exists",
        )
    for name in sorted(deployment.functions.keys() - manifest.functions.keys()):
        yield Problem(
            name,
            "on disk but not in project.yml: it would go live as a public function",
            f"declare it in project.yml, or move packages/{name} out of packages/",
        )


def _declaration(function: Function) -> Iterator[Problem]:
    if function.timers and function.web is not False:
        yield Problem(
            function.name,
            "a timer that the public can call",
            "write `web: false`; the platform's default is public",
        )
    elif function.web not in WEB_MODES:
        yield Problem(
            function.name,
            "`web: true`, the default, destroys the bytes a signature is over",
            "write `web: raw`, or `web: false` if nothing calls it over HTTP",
        )
    for limit in ("timeout", "memory"):
        if limit not in function.limits:
            yield Problem(
                function.name,
                f"no limits.{limit}: the platform's default (3 s, 256 MB) would hold",
                f"set limits.{limit} in project.yml",
            )


def _runtime(sent: SentFunction) -> Iterator[Problem]:
    if sent.kind != RUNTIME:
        yield Problem(
            sent.name,
            f"sent for the runtime {sent.kind}, built for {RUNTIME}",
            f"write `runtime: {RUNTIME}` in project.yml",
        )


def _web_mode(function: Function, sent: SentFunction) -> Iterator[Problem]:
    arrived = (sent.annotations.get("web-export"), sent.annotations.get("raw-http"))
    if function.web in WEB_MODES and arrived != WEB_MODES[function.web]:
        yield Problem(
            function.name,
            f"declared `web: {function.web}`, sent as web-export, raw-http = {arrived}",
            "remove the annotations that contradict `web` in project.yml",
        )


def _limits(function: Function, sent: SentFunction) -> Iterator[Problem]:
    if dict(sent.limits) != dict(function.limits):
        yield Problem(
            function.name,
            f"declared limits {dict(function.limits)}, sent {dict(sent.limits)}",
            "write the limits as plain numbers, timeout in ms and memory in MB",
        )


def _environment(
    where: str, declared: Mapping[str, str], sent: Mapping[str, str]
) -> Iterator[Problem]:
    """Names only: a value may be a secret one day."""
    changed = {name for name in declared.keys() & sent.keys() if declared[name] != sent[name]}
    for names, finding in (
        (declared.keys() - sent.keys(), "declared but not sent as environment"),
        (sent.keys() - declared.keys(), "sent without being declared there"),
        (changed, "sent with another value than declared"),
    ):
        if names:
            yield Problem(
                where,
                f"variables {finding}: {', '.join(sorted(names))}",
                'declare each under the `environment` of what needs it, as NAME: "${NAME}"',
            )


def _timers(manifest: Manifest, triggers: Collection[str]) -> Iterator[Problem]:
    declared = [timer for function in manifest.functions.values() for timer in function.timers]
    if len(declared) > TIMERS_MAX:
        yield Problem(
            "project.yml",
            f"{len(declared)} timers; a namespace has at most {TIMERS_MAX}",
            "add the work to an existing timer's job",
        )
    if sorted(declared) != sorted(triggers):
        yield Problem(
            "project.yml",
            f"timers {sorted(declared)} declared, {sorted(triggers)} understood by the deployer",
            "give each timer a unique name, with sourceType: scheduler and sourceDetails",
        )
