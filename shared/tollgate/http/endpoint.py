"""What every web call passes through: decoded, authenticated, validated, run, shaped, logged.

An entry file declares: main = endpoint(create_payment, method="POST", roles=APP, …).
"""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

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
)
from tollgate.domain.idempotency import Claim, StoredAnswer
from tollgate.domain.principal import Principal, Role
from tollgate.http.auth import authenticate
from tollgate.http.fields import refuse_unknown_query
from tollgate.http.problems import problem
from tollgate.http.request import Request, read_request, request_id
from tollgate.logs import log, log_exception
from tollgate.operations.context import Call, Context, Reply
from tollgate.settings import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

Main = Callable[..., dict[str, Any]]
Operation = Callable[[Context, Call[Any]], Any]

APP = frozenset({Role.APP})
APP_OR_ADMIN = frozenset({Role.APP, Role.ADMIN})
ANYONE: frozenset[Role] = frozenset()

MAX_BODY_BYTES = 64 * 1024
"""Far more than any request of the API needs. A webhook may fill the platform's own megabyte."""


@dataclass(frozen=True)
class Declaration:
    """What an entry file says of its function."""

    operation: Operation
    method: str | tuple[str, ...]
    roles: frozenset[Role]
    body: "type[BaseModel] | None" = None
    returns: Callable[[Any], "BaseModel"] | None = None
    target: bool = False
    query: tuple[str, ...] | None = ()
    status: int = 200
    idempotent: bool = False
    max_body_bytes: int = MAX_BODY_BYTES


def endpoint(operation: Operation, **declared: Any) -> Main:
    """The `main` of a function; the fields of Declaration say how it is called.

    roles      who may call; ANYONE for no authentication at all
    body       the pydantic model of the JSON body
    returns    makes the answer's model of what the operation returns; None: it is a dict
    target     whether a path segment follows the function's name
    query      the query fields that are understood; None lets any pass
    idempotent whether the Idempotency-Key header is required
    """
    declaration = Declaration(operation, **declared)

    def main(event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
        return respond(declaration, event, context)

    return main


@cache
def container_context() -> Context:
    """The one Context of this process. Raises Misconfigured."""
    return Context(Settings.from_environment())


def respond(
    declaration: Declaration, event: Mapping[str, Any], activation: object
) -> dict[str, Any]:
    """Answers one event. Never raises: an error of any kind is a problem document."""
    started, caller_request_id = time.perf_counter(), request_id(event, activation)
    code, principal = None, None
    try:
        request = read_request(event)
        context = container_context()
        principal = _admit(declaration, context, request)
        call = _call(declaration, request, principal)
        answer = _shape(declaration, declaration.operation(context, call), caller_request_id)
    except TollgateError as error:
        if isinstance(error, InternalError):
            log_exception("call.crashed", error, request_id=caller_request_id)
        if isinstance(error, ConstraintViolated):
            log("constraint", name=error.constraint, request_id=caller_request_id)
        code = error.code
        answer = problem(error, caller_request_id)
    except Exception as error:  # noqa: BLE001 - the one place: what gets out becomes the platform's 400
        log_exception("call.crashed", error, request_id=caller_request_id)
        code = InternalError().code
        answer = problem(InternalError(), caller_request_id)
    log(
        "call",
        function=declaration.operation.__name__,
        status=answer["statusCode"],
        code=code,
        ms=round((time.perf_counter() - started) * 1000, 1),
        request_id=caller_request_id,
        app_id=principal.app_id if principal else None,
        key_id=principal.key_id if principal else None,
    )
    return answer


def _admit(declaration: Declaration, context: Context, request: Request) -> Principal | None:
    """Refuses what this function does not answer, and whom."""
    methods = declaration.method
    methods = (methods,) if isinstance(methods, str) else methods
    if request.method not in methods:
        raise MethodNotAllowed(methods)
    if bool(request.target) != declaration.target:
        raise NotFound
    if not declaration.roles:
        return None
    principal = authenticate(context, request.headers.get("authorization"))
    if principal.role not in declaration.roles:
        raise Forbidden
    return principal


def _call(declaration: Declaration, request: Request, principal: Principal | None) -> Call[Any]:
    if len(request.body) > declaration.max_body_bytes:
        limit = declaration.max_body_bytes // 1024
        raise ContentTooLarge(f"The body is larger than {limit} KiB.")
    if declaration.query is not None:
        refuse_unknown_query(request.query, declaration.query)
    body = None
    if declaration.body is not None:
        from tollgate.http.fields import parse_body

        body = parse_body(declaration.body, request.body)
    return Call(
        principal=principal,
        target=request.target,
        query=request.query,
        headers=request.headers,
        raw_body=request.body,
        body=body,
        claim=_claim(declaration, request, principal) if declaration.idempotent else None,
        render=lambda value: _render(declaration, value),
    )


def _claim(declaration: Declaration, request: Request, principal: Principal | None) -> Claim:
    key = request.headers.get("idempotency-key")
    if key is None:
        raise IdempotencyKeyMissing
    if not (1 <= len(key) <= 255 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyMalformed
    assert principal is not None
    # over the raw bytes, before any parsing, and over what they were sent to
    what = f"{declaration.operation.__name__} {request.target}\n".encode()
    return Claim(principal.app_id, key, hashlib.sha256(what + request.body).digest())


def _render(declaration: Declaration, value: Any) -> bytes:
    if declaration.returns is None:
        return json.dumps(value).encode()
    return declaration.returns(value).model_dump_json().encode()


def _shape(declaration: Declaration, result: Any, caller_request_id: str) -> dict[str, Any]:
    headers = {"cache-control": "no-store", "x-request-id": caller_request_id}
    if isinstance(result, StoredAnswer):
        if result.replayed:
            headers["idempotency-replayed"] = "true"
        return _answer(result.status, result.body.decode(), "application/json", headers)
    reply = result if isinstance(result, Reply) else Reply(declaration.status, result)
    headers.update(reply.headers)
    value = reply.value
    body = value if isinstance(value, str) else _render(declaration, value).decode()
    return _answer(reply.status, body, reply.content_type, headers)


def _answer(status: int, body: str, content_type: str, headers: dict[str, str]) -> dict[str, Any]:
    # A str, not a dict: the gateway passes it on byte for byte. It never looks like base64, which
    # the gateway would decode, because it begins with a brace or a tag. An empty one has no type:
    # the gateway refuses nothing as JSON.
    described = {"content-type": content_type} if body else {}
    return {"statusCode": status, "headers": {**described, **headers}, "body": body}
