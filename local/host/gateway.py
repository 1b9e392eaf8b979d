"""The gateway: web addresses, REST paths and the clock, as one ASGI application."""

import asyncio
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Protocol

from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from local.host import rest
from local.host.clock_api import ClockApi
from local.host.container import NAMESPACE, ApplicationError, Failure, Outcome
from local.host.events import Request, event_of
from local.host.problems import Refusal, not_found
from local.host.project import Function, Web
from local.host.responses import response_of, split_extension

WEB = f"/api/v1/web/{NAMESPACE}/"
CLOCK = "/_local/clock"
MAX_REQUEST_BYTES = 1_048_576
METHODS = ("OPTIONS", "GET", "DELETE", "POST", "PUT", "HEAD", "PATCH")
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": ", ".join(METHODS),
    "access-control-allow-headers": (
        "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent"
    ),
}
REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
ANSWERED = "There was an error processing your request."


class Functions(Protocol):
    """What the gateway needs of the host."""

    async def current(self) -> Mapping[str, Function]:
        """The functions by path, after any change of the sources has been taken over."""

    def submit(
        self, function: Function, event: Mapping[str, object], request_id: str
    ) -> tuple[str, asyncio.Task[Outcome]]:
        """Starts a call: its activation id, and the task that ends with its outcome."""


class Gateway:
    """An ASGI application; `wait_seconds` is how long a caller waits for a function's answer."""

    def __init__(self, functions: Functions, clock: ClockApi, wait_seconds: float) -> None:
        self._functions = functions
        self._clock = clock
        self._wait_seconds = wait_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        request = HttpRequest(scope, receive)
        request_id = _request_id(request)
        try:
            response = await self._answer(request, request_id)
        except Refusal as refusal:
            response = refusal.response(request_id)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: HttpRequest, request_id: str) -> Response:
        path = _raw_path(request)
        body = await _body(request)
        if path == CLOCK:
            authorization = request.headers.get("authorization", "")
            return await self._clock.answer(request.method, authorization, body)
        functions = await self._functions.current()
        function, suffix, extension = _find(request.method, path, functions)
        called = Request(
            method=request.method,
            path=suffix,
            query=request.scope["query_string"].decode("latin-1"),
            headers=_headers(request, request_id),
            body=body,
            request_id=request_id,
        )
        if function.custom_options:
            return await self._call(function, called, extension)
        try:
            if request.method == "OPTIONS":
                response = Response()
            else:
                response = await self._call(function, called, extension)
        except Refusal as refusal:
            response = refusal.response(request_id)
        return _with_cors(response, request)

    async def _call(self, function: Function, request: Request, extension: str) -> Response:
        given = request.headers.get("x-require-whisk-auth", "")
        if (
            function.secret is not None
            and request.method != "OPTIONS"
            and not _same(given, function.secret)
        ):
            raise Refusal(401, "unauthenticated", "X-Require-Whisk-Auth is missing or wrong.")
        event = event_of(function, request)
        activation_id, task = self._functions.submit(function, event, request.request_id)
        # wait() leaves the task alone: the call runs on when the wait ends or the caller goes.
        await asyncio.wait({task}, timeout=self._wait_seconds)
        if not task.done():
            waiting = {"error": "Response not yet ready.", "code": request.request_id}
            response: Response = JSONResponse(waiting, status_code=202)
        elif task.cancelled():
            raise Refusal(503, "stopping", "The function host is being stopped.")
        else:
            response = _shape(task.result(), extension, request.request_id)
        response.headers["x-openwhisk-activation-id"] = activation_id
        return response


def _find(method: str, path: str, functions: Mapping[str, Function]) -> tuple[Function, str, str]:
    """The function an address means, its path suffix, and the form of the response."""
    extension = ".http"
    if path.startswith(WEB):
        package, _, rest_of_path = path.removeprefix(WEB).partition("/")
        name, slash, suffix = rest_of_path.partition("/")
        name, extension = split_extension(name)
        target: rest.Target | None = rest.Target(f"{package}/{name}", slash + suffix)
    else:
        target = rest.find(method, path, frozenset(functions))
    function = functions.get(target.function) if target is not None else None
    if target is None or function is None or function.web is Web.NO:
        raise not_found("such resource")
    if method not in METHODS:
        allow = ", ".join(METHODS)
        raise Refusal(405, "method_not_allowed", f"A function takes {allow}.", {"Allow": allow})
    return function, target.suffix, extension


def _shape(outcome: Outcome, extension: str, request_id: str) -> Response:
    try:
        if isinstance(outcome, Failure):
            raise Refusal(400, outcome.code, ANSWERED)
        if isinstance(outcome, ApplicationError):
            return response_of(outcome.error, extension)
        return response_of({} if outcome.result is None else outcome.result, extension)
    except Refusal as refusal:
        return refusal.response(request_id)


async def _body(request: HttpRequest) -> bytes:
    too_large = Refusal(
        413, "request_too_large", f"A request may have {MAX_REQUEST_BYTES} bytes at most."
    )
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > MAX_REQUEST_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            raise too_large
    return bytes(body)


def _raw_path(request: HttpRequest) -> str:
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.decode("latin-1")


def _request_id(request: HttpRequest) -> str:
    given = request.headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _headers(request: HttpRequest, request_id: str) -> dict[str, str]:
    """Lower-case names, a repeated one once, and what the platform's front adds."""
    headers = {"accept": "*/*", "accept-encoding": "gzip", "user-agent": ""}
    headers |= {name.lower(): value for name, value in request.headers.items()}
    client = request.client.host if request.client else "127.0.0.1"
    hops = [headers["x-forwarded-for"]] if "x-forwarded-for" in headers else []
    return headers | {
        "x-forwarded-for": ", ".join([*hops, client]),
        "x-forwarded-proto": request.url.scheme,
        "x-request-id": request_id,
    }


def _with_cors(response: Response, request: HttpRequest) -> Response:
    for name, value in CORS.items():
        response.headers.append(name, value)
    asked = request.headers.get("access-control-request-headers")
    if asked:
        response.headers["access-control-allow-headers"] = asked
    return response


def _same(given: str, wanted: str) -> bool:
    return secrets.compare_digest(given.encode(), wanted.encode())
