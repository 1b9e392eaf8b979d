"""A TCP proxy on loopback whose line breaks, in every way that lines break, while it is used.

with FaultProxy(server_url) as proxy:
    connect(proxy.through(server_url))
    proxy.switch(BLACK_HOLE)
    proxy.switch(RESET, Cut(b"COMMIT"))  # COMMIT arrives, its answer does not
    proxy.heal()
"""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

HOST = "127.0.0.1"
READ_BYTES = 65536
SWITCH_TIMEOUT_SECONDS = 10
RST_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class Line(Enum):
    """What a line does with what is put on it."""

    CARRIES = auto()
    RESETS = auto()
    IS_SILENT = auto()
    IS_DOWN = auto()


@dataclass(frozen=True)
class Mode:
    """What happens to connections, those that live and those to come."""

    line: Line
    delay_seconds: float = 0.0
    drip_seconds: float = 0.0

    @property
    def ends_connections(self) -> bool:
        """Whether no connection outlives it."""
        return self.line in (Line.RESETS, Line.IS_DOWN)


PASS = Mode(Line.CARRIES)
RESET = Mode(Line.RESETS)
"""Connections are taken and reset: RST, not FIN."""
BLACK_HOLE = Mode(Line.IS_SILENT)
"""Connections are taken, and nothing comes or goes. One that lost a byte that way is silent for
good, and neither of its ends hears of the other's end."""
REFUSE = Mode(Line.IS_DOWN)
"""Nothing listens, as when the server is gone; living connections are reset."""


def delay(seconds: float) -> Mode:
    """Each chunk waits, in both directions."""
    return Mode(Line.CARRIES, seconds)


def drip(seconds: float) -> Mode:
    """Each byte of an answer comes alone, and waits."""
    return Mode(Line.CARRIES, drip_seconds=seconds)


@dataclass(frozen=True)
class Cut:
    """When a mode begins: at the next request that has `request` in one chunk, or after `skips` of
    them; in its answer, after `answer_bytes` of it, or with the request itself. Until then
    everything passes."""

    request: bytes = b""
    skips: int = 0
    answer_bytes: int = 0
    takes_request: bool = False


class FaultProxy:
    """In front of the server that a URL names, in a thread of its own.

    `faults` counts the connections that met another mode than PASS.
    """

    def __init__(self, server_url: str) -> None:
        self.lead_to(server_url)
        self.mode = PASS
        self.armed: tuple[Mode, Cut] | None = None
        self.faults = 0
        self._links: set[_Link] = set()
        self._socket = _bound_to(0)
        self.port: int = self._socket.getsockname()[1]
        self._listening: asyncio.Task[None] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def lead_to(self, server_url: str) -> None:
        """New connections go to the server that this URL names."""
        parts = urlsplit(server_url)
        self.server = (parts.hostname, parts.port)

    def through(self, url: str) -> str:
        """The same URL by way of this proxy."""
        parts = urlsplit(url)
        login, at, _ = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{login}{at}{HOST}:{self.port}"))

    def switch(self, mode: Mode, cut: Cut | None = None) -> None:
        """Puts every connection into a mode: when this returns, or at the cut."""
        self._run(self._switch(mode, cut))

    def heal(self) -> None:
        """Everything passes from now on; what was lost stays lost."""
        self.switch(PASS)

    def begin(self, mode: Mode) -> None:
        """Puts every connection into a mode. In the proxy's own thread only."""
        self.mode, self.armed = mode, None
        self._listen(mode.line is not Line.IS_DOWN)
        if mode.ends_connections:
            for link in self._links:
                if not link.task.done():
                    link.reset()

    def __enter__(self) -> Self:
        self._thread.start()
        self.heal()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.switch(REFUSE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._socket.close()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(SWITCH_TIMEOUT_SECONDS)

    async def _switch(self, mode: Mode, cut: Cut | None) -> None:
        self.begin(mode if cut is None else PASS)
        if cut is not None:
            self.armed = mode, cut
        if self.mode.ends_connections:
            await asyncio.gather(*(link.task for link in self._links), return_exceptions=True)

    def _listen(self, wanted: bool) -> None:
        """Listens, or doesn't: the port is kept either way, so that nobody else gets it."""
        if wanted and self._listening is None:
            self._socket.listen(512)
            self._listening = self._loop.create_task(self._accept())
        elif not wanted and self._listening is not None:
            self._listening.cancel()
            self._listening = None
            self._socket.close()
            self._socket = _bound_to(self.port)

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._socket)
            self._links = {link for link in self._links if not link.task.done()}
            self._links.add(_Link(self, client))


class _Link:
    """A connection to the proxy and the one that it makes to the server."""

    def __init__(self, proxy: FaultProxy, client: socket.socket) -> None:
        self._proxy = proxy
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._server = socket.socket()
        self._server.setblocking(False)
        for end in (self._client, self._server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._is_faulty = False
        self._is_silent = False
        self._is_reset = False
        self._answer_bytes: int | None = None  # how many pass before the cut that is armed
        self.task = self._loop.create_task(self._serve())

    def reset(self) -> None:
        """Ends both connections with an RST."""
        self._note_fault()
        self._is_reset = self._is_silent = True
        self.task.cancel()

    async def _serve(self) -> None:
        try:
            if self._proxy.mode.line is Line.RESETS:
                self.reset()
            await self._loop.sock_connect(self._server, self._proxy.server)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry_requests())
                both.create_task(self._carry_answers())
        except* OSError:
            self._is_reset = True  # what one side did, the other is told
        finally:
            for end in (self._client, self._server):
                if self._is_reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST_ON_CLOSE)
                end.close()

    async def _carry_requests(self) -> None:
        async for chunk in self._chunks(self._client):
            self._look_for_cut(chunk)
            await self._carry(chunk, self._server)
        await self._finish(self._server)

    def _look_for_cut(self, request: bytes) -> None:
        if self._proxy.armed is None or self._proxy.armed[1].request not in request:
            return
        mode, cut = self._proxy.armed
        if cut.skips:
            self._proxy.armed = mode, replace(cut, skips=cut.skips - 1)
        elif cut.takes_request:
            self._proxy.begin(mode)
        else:
            self._answer_bytes = cut.answer_bytes

    async def _carry_answers(self) -> None:
        async for chunk in self._chunks(self._server):
            passes, self._answer_bytes = self._answer_bytes, None
            if passes is None or self._proxy.armed is None:
                await self._carry(chunk, self._client)
            elif passes > len(chunk):
                self._answer_bytes = passes - len(chunk)
                await self._carry(chunk, self._client)
            else:
                await self._carry(chunk[:passes], self._client)
                self._proxy.begin(self._proxy.armed[0])
                await self._carry(chunk[passes:], self._client)
        await self._finish(self._client)

    async def _chunks(self, source: socket.socket) -> AsyncIterator[bytes]:
        while chunk := await self._loop.sock_recv(source, READ_BYTES):
            yield chunk

    async def _carry(self, chunk: bytes, to: socket.socket) -> None:
        """As late as the mode wants it, unless it is lost."""
        mode = self._proxy.mode
        drips = mode.drip_seconds and to is self._client
        for piece in (chunk[i : i + 1] for i in range(len(chunk))) if drips else (chunk,):
            if wait_seconds := mode.drip_seconds if drips else mode.delay_seconds:
                self._note_fault()
                await asyncio.sleep(wait_seconds)
            if not self._loses():
                await self._loop.sock_sendall(to, piece)

    async def _finish(self, to: socket.socket) -> None:
        """Hands on that nothing more comes, unless that is lost too."""
        if self._loses():
            await self._loop.create_future()  # until the proxy ends
        to.shutdown(socket.SHUT_WR)

    def _loses(self) -> bool:
        if self._proxy.mode.line is Line.IS_SILENT:
            self._note_fault()
            self._is_silent = True
        return self._is_silent

    def _note_fault(self) -> None:
        self._proxy.faults += not self._is_faulty
        self._is_faulty = True


def _bound_to(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    bound.setblocking(False)
    return bound
