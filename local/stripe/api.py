"""The way in to /v1: key, version, idempotency and field check, then the operation."""

import hmac
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field

import stripe
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.standin.faults import Switchboard
from local.standin.identifiers import Identifiers
from local.standin.interference import Interference
from local.stripe.errors import (
    ApiError,
    Json,
    invalid_key,
    invalid_parameter,
    server_error,
    unknown_route,
    unknown_version,
)
from local.stripe.events import Cause
from local.stripe.faults import Faults
from local.stripe.forms import decode
from local.stripe.idempotency import IdempotencyKeys, fingerprint
from local.stripe.parameters import read

API_VERSION = stripe.api_version


@dataclass(frozen=True)
class Operation:
    """One route: what it takes (a TypedDict of stripe.params), how it is checked, what it does.

    `run` is given the id in the address ("" if there is none), the parameters and the cause.
    """

    shape: type
    run: Callable[[str, Json, Cause], Json]
    check: Callable[[Json], None] | None = None
    expandable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Json
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """Serves operations as Stripe's API would. `finish` runs after each change, to save it."""

    def __init__(
        self,
        *,
        secret_key: str,
        keys: IdempotencyKeys,
        ids: Identifiers,
        switches: Switchboard[Faults],
        expand: Callable[[Json, list[str]], Json],
        finish: Callable[[], None],
        log: Callable[[str], None],
    ) -> None:
        self._secret_key = secret_key
        self._keys = keys
        self._ids = ids
        self._interference = Interference(switches, _fail)
        self._expand = expand
        self._finish = finish
        self._log = log

    async def serve(self, request: Request, operation: Operation | None) -> Response:
        """The answer to one request; `operation` is None for a route that Stripe may have and the
        stand-in has not."""
        request_id = self._ids.new("req_", 14)
        try:
            response = await self._response(request, operation, request_id)
        except ApiError as error:
            response = _respond(_refusal(error), request_id)
        self._log(f"stripe {request.method} {request.url.path}: {response.status_code}")
        return await self._interference.after(request, response)

    async def _response(
        self, request: Request, operation: Operation | None, request_id: str
    ) -> Response:
        self._authenticate(request)
        if operation is None:
            raise unknown_route(request.method, request.url.path)
        instead = self._interference.instead()
        if instead is not None:
            return instead
        return _respond(await self._answer(request, operation, request_id), request_id)

    async def _answer(self, request: Request, operation: Operation, request_id: str) -> _Answer:
        key = request.headers.get("Idempotency-Key")
        cause = Cause(request_id, key)
        if request.method == "GET":
            return await self._perform(request, operation, str(request.url.query), cause)
        form = (await request.body()).decode()
        if key is None:
            return await self._perform(request, operation, form, cause)
        return await self._perform_once(request, operation, form, cause, key)

    def _authenticate(self, request: Request) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not hmac.compare_digest(key.encode(), self._secret_key.encode()):
            raise invalid_key()
        version = request.headers.get("Stripe-Version", API_VERSION)
        if version != API_VERSION:
            raise unknown_version(version)

    async def _perform_once(
        self, request: Request, operation: Operation, form: str, cause: Cause, key: str
    ) -> _Answer:
        request_mark = fingerprint(request.url.path, form)
        kept = self._keys.claim(key, request_mark)
        if kept is not None:
            headers = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            return _Answer(kept.status, kept.body, headers)
        try:
            answer = await self._perform(request, operation, form, cause)
            self._keys.keep(key, request_mark, cause.request_id or "", answer.status, answer.body)
        finally:
            self._keys.release(key)
        self._finish()
        return answer

    async def _perform(
        self, request: Request, operation: Operation, form: str, cause: Cause
    ) -> _Answer:
        """Raises ApiError for a request that was not carried out: no key keeps that."""
        params = read(decode(form), operation.shape)
        expand = params.pop("expand", [])
        for path in expand:
            if path not in operation.expandable:
                raise invalid_parameter("expand", f"This property cannot be expanded ({path}).")
        if operation.check is not None:
            operation.check(params)
        await self._interference.delay()
        try:
            result = operation.run(request.path_params.get("id", ""), params, cause)
        except ApiError as error:
            if not error.executed:
                raise
            self._finish()
            return _refusal(error)
        self._finish()
        return _Answer(200, self._expand(result, expand))


def _refusal(error: ApiError) -> _Answer:
    return _Answer(error.status, {"error": deepcopy(error.error)})


def _respond(answer: _Answer, request_id: str) -> Response:
    headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION, **answer.headers}
    return JSONResponse(answer.body, answer.status, headers)


def _fail(status: int) -> Response:
    raise server_error(status)
