"""One process of one function: started, called, killed."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.host.project import Function

RUNTIME = Path(__file__).with_name("runtime.py")
NAMESPACE = "fn-local"
MAX_RESULT_BYTES = 1_048_576
MAX_LINE_BYTES = 65_536
VERSION = "0.0.1"


class ContainerLostError(Exception):
    """The process ended instead of answering."""


class InitError(Exception):
    """The function's module could not be loaded."""


@dataclass(frozen=True)
class Activation:
    """One call: `deadline_ms` is in milliseconds since 1970, on the moved clock."""

    id: str
    request_id: str
    event: Mapping[str, Any]
    deadline_ms: int
    offset_seconds: float


@dataclass(frozen=True)
class Success:
    """What the function returned: an object, an array or nothing."""

    result: dict[str, Any] | list[Any] | None


@dataclass(frozen=True)
class ApplicationError:
    """What the function returned, or raised, under the key `error`."""

    error: Any


@dataclass(frozen=True)
class Failure:
    """The call came to nothing. `code` is for programs, `reason` for the log."""

    code: str
    reason: str


Outcome = Success | ApplicationError | Failure


class Container:
    """A process that has loaded its function. Make one with `start`; it takes a call at a time."""

    def __init__(
        self,
        function: Function,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        log: Callable[[str], None],
    ) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self._name = f"/{NAMESPACE}/{function.path}"
        self._logging = asyncio.create_task(_forward(process, log))

    @classmethod
    async def start(
        cls,
        function: Function,
        bundle: Path,
        offset_seconds: float,
        log: Callable[[str], None],
    ) -> "Container":
        """Cold start. Raises InitError when the function cannot be loaded."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            try:
                process = await _spawn(function, bundle, theirs)
            except BaseException:
                writer.close()
                raise
        container = cls(function, process, reader, writer, log)
        try:
            await container._send({"main": function.main, "offset_seconds": offset_seconds})
            loaded = json.loads(await container._receive())["ok"]
        except ContainerLostError:
            loaded = False
        except BaseException:
            await container.kill()
            raise
        if not loaded:
            await container.end()
            raise InitError
        return container

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None and not self._reader.at_eof()

    @property
    def pid(self) -> int:
        return self._process.pid

    async def run(self, activation: Activation) -> Outcome:
        """Calls the function. Raises ContainerLostError when the process ends meanwhile."""
        await self._send(
            {
                "event": activation.event,
                "offset_seconds": activation.offset_seconds,
                "api_host": "http://127.0.0.1",
                "namespace": NAMESPACE,
                "action_name": self._name,
                "action_version": VERSION,
                "activation_id": activation.id,
                "transaction_id": activation.request_id,
                "deadline": activation.deadline_ms,
            }
        )
        return judge(await self._receive())

    async def end(self) -> None:
        """Lets a process that is about to end say its last words to the log, then clears up."""
        self._writer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._process.wait()
        await self.kill()

    async def kill(self) -> None:
        """Ends the process and whatever it started, at once. Harmless when it is gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()
        await self._process.wait()
        await self._logging
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _send(self, message: Mapping[str, Any]) -> None:
        data = json.dumps(message).encode()
        try:
            self._writer.write(len(data).to_bytes(4, "big") + data)
            await self._writer.drain()
        except ConnectionError as error:
            raise ContainerLostError from error

    async def _receive(self) -> bytes:
        try:
            size = int.from_bytes(await self._reader.readexactly(4), "big")
            return await self._reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ContainerLostError from error


async def _spawn(
    function: Function, bundle: Path, line: socket.socket
) -> asyncio.subprocess.Process:
    """Isolated (-I), without site-packages (-S), not writing .pyc into the bundle (-B)."""
    base = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "TZ": "UTC"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-B", RUNTIME, bundle, str(line.fileno())),
        cwd=bundle,
        env=base | dict(function.environment),
        pass_fds=(line.fileno(),),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,  # the terminal's Ctrl-C is for the host; it then ends its processes
    )


async def _forward(process: asyncio.subprocess.Process, log: Callable[[str], None]) -> None:
    """Hands what the function prints to the log, line by line."""
    assert process.stdout is not None
    rest = b""
    while chunk := await process.stdout.read(MAX_LINE_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            lines, rest = [*lines, rest], b""
        for line in lines:
            log(line.decode(errors="replace"))
    if rest:
        log(rest.decode(errors="replace"))


def judge(answer: bytes) -> Outcome:
    """What the platform makes of a function's answer."""
    if len(answer) > MAX_RESULT_BYTES:
        return Failure("result_too_large", f"the result has {len(answer)} bytes, 1 MB is allowed")
    try:
        result = json.loads(answer, parse_constant=_refuse_constant)
    except ValueError:
        return Failure("invalid_result", "the result holds NaN or Infinity, which JSON has not")
    if isinstance(result, dict) and "error" in result:
        return ApplicationError(result["error"])
    if result is None or isinstance(result, dict | list):
        return Success(result)
    kind = type(result).__name__
    return Failure("invalid_result", f"the function returned {kind}, not a dictionary or array")


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
