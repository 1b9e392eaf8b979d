"""A total deadline for a request to a PSP.

httpx times each phase: connecting, each write, each read. A PSP that sends one byte a second never
exceeds a limit of five seconds, and holds the caller for as long as it likes. Here each phase gets
what is left of one deadline, from opening the connection to the last byte of the body.

No second thread has to close the socket for that: whatever waits here has a limit of its own. Only
the resolution of a name has none; the resolver's own timeouts hold it.
"""

import time
from collections.abc import Iterable
from ssl import SSLContext
from threading import local
from typing import Any

import httpcore
import httpx

EXPIRED_SECONDS = 0.001
"""What is left of a deadline that is over: sockets take no less, and 0 means not to wait."""


class DeadlineTransport(httpx.HTTPTransport):
    """For httpx.Client: each request ends `seconds` after its start, in httpx's TimeoutException.

    What the client's own timeout says of a phase holds too, where it is less.
    """

    def __init__(self, seconds: float, verify: SSLContext | None = None) -> None:
        context = verify or httpx.create_ssl_context()
        super().__init__(verify=context)
        self._deadline = _Deadline(seconds)
        # httpx has no parameter for what its pool opens connections with; httpcore has
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=_Network(self._deadline)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """See httpx.BaseTransport."""
        self._deadline.begin()
        return super().handle_request(request)


class _Deadline:
    """Of the request that this thread makes just now."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._of_thread = local()

    def begin(self) -> None:
        self._of_thread.at = time.monotonic() + self._seconds

    def limit(self, timeout: float | None) -> float:
        """What a phase may take that would be given `timeout`."""
        left: float = max(self._of_thread.at - time.monotonic(), EXPIRED_SECONDS)
        return left if timeout is None else min(timeout, left)


class _Network(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline."""

    def __init__(self, deadline: _Deadline) -> None:
        self._deadline = deadline
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._deadline.limit(timeout)
        stream = self._network.connect_tcp(host, port, limit, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    """A connection, with or without TLS, that keeps to the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.limit(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        limit = self._deadline.limit(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
