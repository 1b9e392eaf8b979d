"""A loopback API host: takes a deployment as the platform would, and keeps what was sent."""

import asyncio
import base64
import binascii
import socket
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# The platform's limits page: milliseconds, megabytes, bytes of built code.
TIMEOUT_RANGE = range(100, 900_000 + 1)
MEMORY_RANGE = range(128, 1024 + 1)
CODE_BYTES_MAX = 48 * 1024 * 1024

RUNTIME = "python:3.11"
RUNTIMES = {"python": [{"kind": RUNTIME, "default": True, "deprecated": False}]}


@dataclass(frozen=True)
class SentFunction:
    """A function as the deployer sent it. `environment` are the parameters marked `init`,
    `parameters` the others; `code` is the zip (or the bare source, if `binary` is false)."""

    name: str
    kind: str
    main: str
    binary: bool
    code: Path
    annotations: Mapping[str, Any]
    environment: Mapping[str, str]
    parameters: Mapping[str, Any]
    limits: Mapping[str, int]


@dataclass(frozen=True)
class Deployment:
    """What has arrived, by name. `unknown` are requests the host has no answer for."""

    functions: dict[str, SentFunction] = field(default_factory=dict)
    package_environments: dict[str, Mapping[str, str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


class RefusedError(Exception):
    """The platform would refuse this function; the message is its answer."""


class ApiHost(AbstractContextManager["ApiHost"]):
    """Serves on a free port of 127.0.0.1 while the context is open; zips go to `folder`."""

    def __init__(self, folder: Path) -> None:
        self.deployment = Deployment()
        self._folder = folder
        self._one_body = asyncio.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(
            uvicorn.Config(self._application(), log_level="warning", lifespan="off")
        )
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _application(self) -> Starlette:
        namespace = "/api/v1/namespaces/{namespace}"
        return Starlette(
            routes=[
                Route("/api/v1", self._describe),
                Route("/api/v1/namespaces", self._namespaces),
                Route(f"{namespace}/packages/{{name}}", self._absent, methods=["GET"]),
                Route(f"{namespace}/packages/{{name}}", self._put_package, methods=["PUT"]),
                Route(f"{namespace}/actions/{{name:path}}", self._absent, methods=["GET"]),
                Route(f"{namespace}/actions/{{name:path}}", self._put_action, methods=["PUT"]),
                Route("/{path:path}", self._unknown, methods=["GET", "PUT", "POST", "DELETE"]),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        """Without the runtimes listed here the deployer takes python:3.11 for a mistake."""
        return JSONResponse({"runtimes": RUNTIMES})

    async def _namespaces(self, _: Request) -> Response:
        return JSONResponse(["fn-deploy-check"])

    async def _absent(self, _: Request) -> Response:
        return JSONResponse({"error": "The requested resource does not exist."}, 404)

    async def _unknown(self, request: Request) -> Response:
        self.deployment.unknown.append(f"{request.method} {request.url.path}")
        return await self._absent(request)

    async def _put_package(self, request: Request) -> Response:
        name = request.path_params["name"]
        package = await request.json()
        self.deployment.package_environments[name] = _split(package["parameters"])[0]
        return _stored(name)

    async def _put_action(self, request: Request) -> Response:
        name = request.path_params["name"]
        async with self._one_body:  # the deployer sends all zips at once
            action = await request.json()
        try:
            function = _accept(name, action, self._folder / f"{name.replace('/', '__')}.zip")
        except RefusedError as refusal:
            return JSONResponse({"error": str(refusal)}, 400)
        self.deployment.functions[name] = function
        return _stored(name)


def _stored(name: str) -> Response:
    return JSONResponse({"namespace": "fn-deploy-check", "name": name, "version": "0.0.1"})


def _accept(name: str, action: Mapping[str, Any], code_path: Path) -> SentFunction:
    """The platform's judgement of one function. Code goes to `code_path`. Raises RefusedError."""
    limits = action.get("limits") or {}
    _require_in_range("timeout", limits, TIMEOUT_RANGE, "ms")
    _require_in_range("memory", limits, MEMORY_RANGE, "MB")
    execution = action["exec"]
    binary = bool(execution.get("binary"))
    code = _decode(execution["code"]) if binary else execution["code"].encode()
    if len(code) > CODE_BYTES_MAX:
        raise RefusedError(f"code of {len(code)} bytes is over the limit of {CODE_BYTES_MAX}")
    code_path.write_bytes(code)
    environment, parameters = _split(action["parameters"])
    return SentFunction(
        name=name,
        kind=execution["kind"],
        main=execution.get("main") or "main",
        binary=binary,
        code=code_path,
        annotations={entry["key"]: entry["value"] for entry in action["annotations"]},
        environment=environment,
        parameters=parameters,
        limits=limits,
    )


def _require_in_range(name: str, limits: Mapping[str, int], allowed: range, unit: str) -> None:
    if name in limits and limits[name] not in allowed:
        bounds = f"{allowed[0]} to {allowed[-1]} {unit}"
        raise RefusedError(f"limits.{name} of {limits[name]} {unit} is outside {bounds}")


def _decode(code: str) -> bytes:
    try:
        return base64.b64decode(code, validate=True)
    except binascii.Error as error:
        raise RefusedError("the code is not base64") from error


def _split(entries: list[Mapping[str, Any]]) -> tuple[dict[str, str], dict[str, Any]]:
    """Parameters as sent, into (environment, parameters)."""
    environment = {entry["key"]: entry["value"] for entry in entries if entry.get("init")}
    parameters = {entry["key"]: entry["value"] for entry in entries if not entry.get("init")}
    return environment, parameters
