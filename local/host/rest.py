"""The REST paths of the original design, each mapped to the function that serves it.

A `{…}` segment becomes the function's path suffix. To add a path, add a row; its function must be
in project.yml, or the path answers 404.
"""

from dataclasses import dataclass

from local.host.problems import Refusal

# method, path, function
ROUTES = (
    ("POST", "/payments", "payments/create"),
    ("GET", "/payments", "payments/list"),
    ("GET", "/payments/{id}", "payments/get"),
    ("POST", "/payments/{id}/capture", "payments/capture"),
    ("POST", "/payments/{id}/cancel", "payments/cancel"),
    ("POST", "/payments/{id}/refund", "payments/refund"),
    ("POST", "/webhook/{psp}", "webhook/receive"),
    ("GET", "/webhook/{psp}", "webhook/receive"),
    ("POST", "/webhook/{psp}/{token}", "webhook/receive"),
    ("GET", "/webhook/{psp}/{token}", "webhook/receive"),
    ("POST", "/subscriptions", "subscriptions/create"),
    ("GET", "/subscriptions", "subscriptions/list"),
    ("GET", "/subscriptions/{client_id}", "subscriptions/check"),
    ("PUT", "/subscriptions/{id}", "subscriptions/cancel"),
    ("PUT", "/subscriptions/{id}/change", "subscriptions/change"),
    ("PUT", "/subscriptions/{id}/pause", "subscriptions/pause"),
    ("PUT", "/subscriptions/{id}/resume", "subscriptions/resume"),
)


@dataclass(frozen=True)
class Target:
    """A function's path (`package/name`) and the suffix it is called with."""

    function: str
    suffix: str


def find(method: str, path: str, functions: frozenset[str]) -> Target | None:
    """Where a request goes; None when it is no REST path.

    OPTIONS goes to any function of the path. Raises Refusal (405) for another wrong method.
    """
    targets: dict[str, Target] = {}
    for allowed, pattern, function in ROUTES:
        suffix = _match(pattern, path)
        if suffix is not None and function in functions:
            targets[allowed] = Target(function, suffix)
    if not targets:
        return None
    if method == "OPTIONS":
        return next(iter(targets.values()))
    if method not in targets:
        allow = ", ".join([*sorted(targets), "OPTIONS"])
        raise Refusal(
            405, "method_not_allowed", f"{path} takes {allow}, not {method}.", {"Allow": allow}
        )
    return targets[method]


def _match(pattern: str, path: str) -> str | None:
    """The suffix for the function, or None when the path is another one."""
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    suffix = ""
    for want, segment in zip(wanted, given, strict=True):
        if want.startswith("{") and segment:
            suffix += f"/{segment}"
        elif want != segment:
            return None
    return suffix
