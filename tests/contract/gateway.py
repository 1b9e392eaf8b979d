"""Where PSPs and browsers reach the functions over HTTP, as they do the local host."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.host import rest
from tests.world import Answer, World
from tollgate.operations.context import Context

WEB = "/api/v1/web/fn-test"
"""Below it, each function by its own name."""
ENDS_WITHIN_SECONDS = 20
_TAKES = frozenset({"webhook/receive"})


class Containers:
    """The functions' containers: each works on one call at a time, and is kept for the next."""

    def __init__(self, start: Callable[[], Context]) -> None:
        self._start = start
        self._changed = threading.Condition()
        self._idle: list[Context] = []
        self._busy = 0

    @contextmanager
    def one(self) -> Iterator[Context]:
        """An idle container, or a new one."""
        with self._changed:
            self._busy += 1
            context = self._idle.pop() if self._idle else None
        context = context or self._start()
        try:
            yield context
        finally:
            with self._changed:
                self._busy -= 1
                self._idle.append(context)
                self._changed.notify_all()

    def end(self) -> None:
        """Every container ends once it has answered; the next call starts one."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, ENDS_WITHIN_SECONDS)
            ended, self._idle = self._idle, []
        for context in ended:
            context.database.close()
            context.cache.close()


@dataclass(frozen=True)
class Call:
    """What somebody called a function with."""

    function: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Arrival:
    """A call that came over HTTP, and how it was answered."""

    call: Call
    answer: Answer


class Gateway:
    """Calls the functions for whoever comes over HTTP, and remembers who came."""

    def __init__(self, world: World, containers: Containers) -> None:
        self._world = world
        self._containers = containers
        self.arrivals: list[Arrival] = []
        route = Route("/{path:path}", self._serve, methods=["GET", "POST"])
        self.app = Starlette(routes=[route])

    def call(self, call: Call) -> Answer:
        """Calls a function in a container of its own."""
        with self._containers.one() as context:
            return self._world.call(
                call.function,
                method=call.method,
                path=call.path,
                query=call.query,
                body=call.body,
                headers={"authorization": "", **call.headers},
                context=context,
            )

    async def _serve(self, request: Request) -> Response:
        function, suffix = _found(request.method, request.url.path)
        call = Call(
            function,
            request.method,
            suffix,
            request.url.query,
            dict(request.headers),
            await request.body(),
        )
        answer = await asyncio.to_thread(self.call, call)
        self.arrivals.append(Arrival(call, answer))
        return Response(answer.body, answer.status, headers=answer.headers)


def _found(method: str, path: str) -> tuple[str, str]:
    """The function and what stands behind its name, of a web address or a REST path."""
    if path.startswith(WEB):
        package, name, *rest_of_it = path.removeprefix(f"{WEB}/").split("/")
        return f"{package}/{name}", "".join(f"/{part}" for part in rest_of_it)
    target = rest.find(method, path, _TAKES)
    assert target is not None, f"nobody calls {path}"
    return target.function, target.suffix
