"""What every web call passes through: decoded, authenticated, validated, run, shaped, logged.

An entry file declares its routes: main = endpoint(POST(create_payment, body=…), …).
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from tollgate.domain.card_numbers import has_card_number
from tollgate.domain.errors import (
    ConstraintViolated,
    ContentTooLarge,
    Forbidden,
    IdempotencyKeyMalformed,
    IdempotencyKeyMissing,
    InternalError,
    MethodNotAllowed,
    NotFound,
    TollgateError,
    TooManyRequests,
)
from tollgate.domain.idempotency import Claim, StoredAnswer
from tollgate.domain.permissions import may_call
from tollgate.domain.principal import NO_TENANT, Principal
from tollgate.domain.rate import Allowance
from tollgate.http.auth import read_proof
from tollgate.http.fields import refuse_unknown_query
from tollgate.http.problems import problem
from tollgate.http.request import Request, read_request, request_id
from tollgate.http.route import Route
from tollgate.logs import log, log_exception
from tollgate.operations.admission import Admission, admit
from tollgate.operations.context import Call, Context, Reply, container_context
from tollgate.storage.admissions import ReadAhead

Telling = Callable[[int, Request | None], Reply]
"""What a refusal of this status is, to whom a problem document says nothing. The request is None
where it could not be read."""


class Main(Protocol):
    """The `main` of a function, as the platform calls it."""

    routes: tuple[Route, ...]

    def __call__(self, event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
        """Answers one event."""


def endpoint(*routes: Route, tells: Telling | None = None) -> Main:
    """The `main` of a function with these routes. `tells` is how it refuses, in place of problem
    documents. A KeyError when nobody may call one of the routes."""
    for route in routes:
        _ = route.allows

    def main(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
        return respond(routes, event, context, tells)

    main.__dict__["routes"] = (
        routes  # a plain function, as the platform wants it, and yet described
    )
    return cast(Main, main)


@dataclass
class _Seen:
    """What is known of a call as it goes on: for its line in the log, and the answer's headers."""

    request: Request | None = None
    operation: str | None = None
    key_id: str | None = None
    app_id: str | None = None
    allowance: Allowance | None = None


def respond(
    routes: tuple[Route, ...],
    event: Mapping[str, Any],
    activation: object,
    tells: Telling | None = None,
) -> dict[str, Any]:
    """Answers one event. Never raises: an error of any kind is a problem document, or what `tells`
    makes of it."""
    started, caller_request_id = time.perf_counter(), request_id(event, activation)
    code, seen = None, _Seen()
    try:
        answer = _answer(routes, event, caller_request_id, seen)
    except TollgateError as error:
        if isinstance(error, InternalError):
            log_exception("call.crashed", error, request_id=caller_request_id)
        if isinstance(error, ConstraintViolated):
            log("constraint", name=error.constraint, request_id=caller_request_id)
        if isinstance(error, TooManyRequests):
            seen.allowance = error.allowance
        code = error.code
        answer = _refusal(error, caller_request_id, seen, tells)
    except Exception as error:  # noqa: BLE001 - the one place: what gets out becomes the platform's 400
        log_exception("call.crashed", error, request_id=caller_request_id)
        code = InternalError().code
        answer = _refusal(InternalError(), caller_request_id, seen, tells)
    answer["headers"].update(_rate_headers(seen.allowance))
    log(
        "call",
        function=seen.operation,
        status=answer["statusCode"],
        code=code,
        ms=round((time.perf_counter() - started) * 1000, 1),
        request_id=caller_request_id,
        app_id=seen.app_id,
        key_id=seen.key_id,
    )
    return answer


def _refusal(
    error: TollgateError, caller_request_id: str, seen: _Seen, tells: Telling | None
) -> dict[str, Any]:
    answer = problem(error, caller_request_id)
    if tells is not None:
        told = tells(answer["statusCode"], seen.request)
        answer["headers"].update({**told.headers, "content-type": told.content_type})
        answer["body"] = told.value
    return answer


def _answer(
    routes: tuple[Route, ...], event: Mapping[str, Any], caller_request_id: str, seen: _Seen
) -> dict[str, Any]:
    request = seen.request = read_request(event)
    route = _route(routes, request)
    seen.operation = route.name
    context = container_context()
    admission = _admitted(context, route, request, seen) if route.allows.roles else None
    context = context.within(admission.principal.tenant if admission else NO_TENANT)
    call = _call(route, request, admission)
    result = route.operation(context, call)
    if isinstance(result, Reply) and result.principal is not None:
        seen.key_id, seen.app_id = result.principal.key_id, result.principal.app_id
        seen.allowance = result.allowance
    return _shape(route, result, caller_request_id)


def _route(routes: tuple[Route, ...], request: Request) -> Route:
    """The route of this method, with or without a target. Raises NotFound, MethodNotAllowed."""
    fitting = [route for route in routes if bool(route.target) == bool(request.target)]
    if not fitting:
        raise NotFound
    for route in fitting:
        if route.method == request.method:
            return route
    raise MethodNotAllowed(tuple(route.method for route in fitting))


def _admitted(context: Context, route: Route, request: Request, seen: _Seen) -> Admission:
    proof = read_proof(context, request.headers.get("authorization"))
    seen.key_id = proof.key_id
    ahead = ReadAhead(route.reads_ahead, request.target) if route.reads_ahead else None
    admission = admit(context, proof, ahead, moves_money=route.allows.moves_money)
    seen.app_id, seen.allowance = admission.principal.app_id, admission.allowance
    if not may_call(admission.principal, route.allows):
        raise Forbidden
    return admission


def _call(route: Route, request: Request, admission: Admission | None) -> Call[Any]:
    if len(request.body) > route.max_body_bytes:
        limit = route.max_body_bytes // 1024
        raise ContentTooLarge(f"The body is larger than {limit} KiB.")
    if route.query is not None:
        refuse_unknown_query(request.query, route.query)
    body = None
    if route.body is not None:
        from tollgate.http.fields import parse_body, parse_form

        if route.form:
            body = parse_form(route.body, request)
        else:
            body = parse_body(route.body, request, optional=route.body_optional)
    principal = admission.principal if admission else None
    return Call(
        principal=principal,
        method=request.method,
        target=request.target,
        query=request.query,
        headers=request.headers,
        raw_body=request.body,
        body=body,
        claim=_claim(route, request, principal) if route.idempotent else None,
        render=lambda value: _render(route, value),
        ahead=admission.ahead if admission else None,
    )


def _claim(route: Route, request: Request, principal: Principal | None) -> Claim:
    key = request.headers.get("idempotency-key")
    if key is None:
        raise IdempotencyKeyMissing
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyMalformed
    if has_card_number(key):
        raise IdempotencyKeyMalformed("An Idempotency-Key must not hold a card number.")
    assert principal is not None
    # over the raw bytes, before any parsing, and over what they were sent to
    what = f"{route.name} {request.target}\n".encode()
    return Claim(principal.app_id, key, hashlib.sha256(what + request.body).digest())


def _render(route: Route, value: Any) -> bytes:
    if route.returns is None:
        return json.dumps(value).encode()
    return route.returns.of(value).model_dump_json().encode()


def _shape(route: Route, result: Any, caller_request_id: str) -> dict[str, Any]:
    headers = {"cache-control": "no-store", "x-request-id": caller_request_id}
    if isinstance(result, StoredAnswer):
        if result.replayed:
            headers["idempotency-replayed"] = "true"
        return _platform_answer(result.status, result.body.decode(), "application/json", headers)
    reply = result if isinstance(result, Reply) else Reply(route.status, result)
    headers.update(reply.headers)
    value = reply.value
    body = value if isinstance(value, str) else _render(route, value).decode()
    return _platform_answer(reply.status, body, reply.content_type, headers)


def _platform_answer(
    status: int, body: str, content_type: str, headers: dict[str, str]
) -> dict[str, Any]:
    # A str, not a dict: the gateway passes it on byte for byte. It never looks like base64, which
    # the gateway would decode, because it begins with a brace or a tag. An empty one has no type:
    # the gateway refuses nothing as JSON.
    described = {"content-type": content_type} if body else {}
    return {"statusCode": status, "headers": {**described, **headers}, "body": body}


def _rate_headers(allowance: Allowance | None) -> dict[str, str]:
    """The RateLimit headers of draft-ietf-httpapi-ratelimit-headers-06, by their three names."""
    if allowance is None:
        return {}
    headers = {
        "ratelimit-limit": str(allowance.limit),
        "ratelimit-remaining": str(allowance.remaining),
        "ratelimit-reset": str(allowance.reset_seconds),
    }
    if not allowance.allowed:
        headers["retry-after"] = str(allowance.retry_after_seconds)
    return headers
