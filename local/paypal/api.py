"""The way in to PayPal's REST API: token, shape, idempotency, then the operation."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.paypal.errors import (
    ApiError,
    Json,
    invalid,
    malformed_json,
    not_found,
    rate_limited,
    request_id_required,
    server_error,
    unsupported_media_type,
)
from local.paypal.request_ids import RequestIds
from local.paypal.specification import problems
from local.paypal.tokens import Tokens
from local.paypal.world import World
from local.standin.interference import Interference

Serve = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Reading:
    """A GET: given the id in the address and the query, what it shows."""

    show: Callable[[str, dict[str, str]], Json]


@dataclass(frozen=True)
class Acting:
    """A POST: the published shape of its body (document, schema), what it does to the object in
    the address (the id of what came of it), and how that is shown."""

    shape: tuple[str, str]
    act: Callable[[str, Json], str]
    show: Callable[[str], Json]
    kept_seconds: float


class Api:
    """Serves operations as PayPal's API would. `finish` runs after each change, to save it."""

    def __init__(
        self,
        world: World,
        tokens: Tokens,
        *,
        tick: Callable[[], None],
        finish: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._world = world
        self._tokens = tokens
        self._request_ids = RequestIds(world)
        self._interference = Interference(world.switches, _fail)
        self._tick = tick
        self._finish = finish
        self._log = log

    def endpoint(self, operation: Reading | Acting | None) -> Serve:
        """None for a route that PayPal may have and the stand-in has not."""

        async def run(request: Request) -> Response:
            self._tokens.check(request)
            if operation is None:
                raise not_found()
            if self._world.switches.take("rate_limited"):
                raise rate_limited()
            instead = self._interference.instead()
            if instead is not None:
                return instead
            subject = request.path_params.get("id", "")
            if isinstance(operation, Reading):
                await self._interference.delay()
                return JSONResponse(operation.show(subject, dict(request.query_params)))
            return await self._act(request, operation, subject)

        return self._answering(run)

    def token_endpoint(self) -> Serve:
        """Asking for a token moves nothing, and uses up no switch that is about answers."""

        async def run(request: Request) -> Response:
            instead = self._interference.instead()
            if instead is not None:
                return instead
            token = await self._tokens.issue(request)
            self._finish()
            return JSONResponse(token)

        return self._answering(run, acts=False)

    def _answering(self, run: Serve, *, acts: bool = True) -> Serve:
        async def serve(request: Request) -> Response:
            self._tick()
            debug_id = self._world.ids.new("f", 12).lower()
            try:
                response = await run(request)
            except ApiError as error:
                named = {"debug_id": debug_id} if "name" in error.body else {}
                response = JSONResponse(error.body | named, error.status)
            self._log(f"paypal {request.method} {request.url.path}: {response.status_code}")
            response.headers["PayPal-Debug-Id"] = debug_id
            return await self._interference.after(request, response) if acts else response

        return serve

    async def _act(self, request: Request, operation: Acting, subject: str) -> Response:
        asked = await _body(request, operation.shape)
        request_id = request.headers.get("PayPal-Request-Id")
        if request_id is None:
            if "payment_source" in asked:
                raise request_id_required()
            await self._interference.delay()
            return self._shown(request, operation, operation.act(subject, asked), 201)
        with self._request_ids.claimed(request_id):
            await self._interference.delay()
            path = request.url.path
            done = self._request_ids.done(request_id, path, asked)
            if done is not None:
                return self._shown(request, operation, done, 200)
            made = operation.act(subject, asked)
            self._request_ids.keep(request_id, path, asked, made, operation.kept_seconds)
            return self._shown(request, operation, made, 201)

    def _shown(self, request: Request, operation: Acting, made: str, status: int) -> Response:
        self._finish()
        shown = operation.show(made)
        if request.headers.get("Prefer") != "return=representation":
            shown = {name: shown[name] for name in ("id", "status", "links")}
        return JSONResponse(shown, status)


async def _body(request: Request, shape: tuple[str, str]) -> Json:
    if request.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        raise unsupported_media_type()
    try:
        asked = json.loads(await request.body())
    except ValueError:
        raise malformed_json() from None
    found = problems(*shape, asked)
    if found:
        raise invalid(found)
    body: Json = asked
    return body


def _fail(status: int) -> Response:
    raise server_error(status)
