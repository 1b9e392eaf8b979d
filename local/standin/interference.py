"""What comes between a caller and an API: delays, proxies that fail, answers that get lost."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from local.standin.faults import Switchboard

Handler = Callable[[Request], Awaitable[Response]]

_SILENCE_SECONDS_MAX = 120
_PROXY_PAGE = (
    "<!doctype html><html><head><title>One moment, please</title></head>"
    "<body><h1>One moment, please</h1><p>Your request is being checked.</p></body></html>"
)


class Interference:
    """The switches at work on an API's requests: `wrap` a handler, or use the parts.

    `fail` makes the PSP's own answer of a 5xx status, or raises what the API turns into it.
    """

    def __init__(self, switches: Switchboard[Any], fail: Callable[[int], Response]) -> None:
        self._switches = switches
        self._fail = fail

    def wrap(self, handler: Handler, *, acts: bool = True) -> Handler:
        """The handler as its callers get to know it.

        `acts` is false for a POST that changes nothing, such as asking for a token: its answer
        arrives, and uses up no switch that is about answers.
        """

        async def serve(request: Request) -> Response:
            await self.delay()
            instead = self.instead()
            if instead is not None:
                return instead
            response = await handler(request)
            return await self.after(request, response) if acts else response

        return serve

    async def delay(self) -> None:
        """Takes as long as the switch says."""
        await asyncio.sleep(self._switches.take("latency_seconds"))

    def instead(self) -> Response | None:
        """What is answered in the place of doing the request, if anything."""
        if status := self._switches.take("status_5xx"):
            return self._fail(status)
        if self._switches.take("garbage"):
            return HTMLResponse(_PROXY_PAGE)
        return None

    async def after(self, request: Request, response: Response) -> Response:
        """The answer to a request that was done, or, of a POST, what its caller gets instead."""
        if request.method == "POST":
            if self._switches.take("timeout_after_charge"):
                await _hear_nothing(request)
                return _CutOff()
            if self._switches.take("drop_after_charge"):
                return _CutOff()
        return response


async def _hear_nothing(request: Request) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SILENCE_SECONDS_MAX):
            while (await request.receive())["type"] != "http.disconnect":
                pass


class _CutOff(Response):
    """Promises a body and does not send it, upon which the server closes the connection."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"1000"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
