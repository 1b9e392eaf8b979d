"""A loopback port for whatever is under test, and waiting for what a worker does."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true value of `condition`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    else:
        return value
    raise AssertionError("it did not happen in time")


class Server:
    """A loopback port in a thread with its own event loop, serving whatever `app` is now."""

    def __init__(self) -> None:
        self.app: ASGIApp = Starlette()
        config = uvicorn.Config(
            self._serve,
            host="127.0.0.1",
            port=0,
            log_config=None,
            lifespan="off",
            interface="asgi3",
        )
        self._socket = config.bind_socket()
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        until(lambda: self._server.started)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server.serve(sockets=[self._socket]))

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs it in the server's event loop."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(5)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
