"""Runs one function, one call at a time: `python -I -S -B runtime.py BUNDLE DESCRIPTOR`.

Stands in for the platform's Python runtime. The host speaks to it over the given descriptor: a
message is four bytes of length (big endian) and that many bytes of JSON. The first one,
{"main", "offset_seconds"}, loads the function and is answered {"ok": bool}. Each further one,
{"event", "offset_seconds"} with the keys of ACTIVATION_KEYS, is a call, answered with whatever the
function returned.

As on the platform, an exception becomes {"error": message}; a result that json.dumps refuses ends
the process, and so does sys.exit. Standard library only: nothing else can be imported here.
"""

import importlib.util
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

Call = dict[str, Any]

# Known to the function by its context, and in its environment as __OW_….
ACTIVATION_KEYS = (
    "api_host",
    "namespace",
    "action_name",
    "action_version",
    "activation_id",
    "transaction_id",
    "deadline",
)


class MovedTime:
    """time.time() and time.time_ns(), shifted: the laptop's clock can be moved."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0
        self._time = time.time
        self._time_ns = time.time_ns

    def install(self) -> None:
        """Whoever asks the module `time` from now on gets the moved time."""
        vars(time).update(time=self.time, time_ns=self.time_ns)

    def time(self) -> float:
        return self._time() + self.offset_seconds

    def time_ns(self) -> int:
        return self._time_ns() + round(self.offset_seconds * 1_000_000_000)


class Context:
    """The second argument of main: attributes as the platform documents them."""

    def __init__(self, call: Call) -> None:
        self.activation_id: str = call["activation_id"]
        self.api_host: str = call["api_host"]
        self.api_key = ""
        self.deadline: int = call["deadline"]
        self.function_name: str = call["action_name"]
        self.function_version: str = call["action_version"]
        self.namespace: str = call["namespace"]
        self.request_id: str = call["transaction_id"]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the platform kills this call."""
        return self.deadline - int(time.time() * 1000)


class Line:
    """The descriptor to the host."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._reader = os.fdopen(descriptor, "rb", closefd=False)
        self._writer = os.fdopen(descriptor, "wb", closefd=False)

    def receive(self) -> Call:
        """The next message. Raises EOFError when the host is gone."""
        size = int.from_bytes(self._exactly(4), "big")
        message: Call = json.loads(self._exactly(size))
        return message

    def send(self, data: bytes) -> None:
        self._writer.write(len(data).to_bytes(4, "big") + data)
        self._writer.flush()

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) < size:
            raise EOFError
        return data


def load(bundle: str, name: str) -> Callable[[Any, Context], Any]:
    """The function's entry, from the bundle's __main__.py; called with as much as it takes."""
    spec = importlib.util.spec_from_file_location("main__", f"{bundle}/__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["main__"] = module
    spec.loader.exec_module(module)
    entry = getattr(module, name)
    kinds = [parameter.kind for parameter in inspect.signature(entry).parameters.values()]
    takes = 2 if inspect.Parameter.VAR_POSITIONAL in kinds else 0
    takes += kinds.count(inspect.Parameter.POSITIONAL_ONLY)
    takes += kinds.count(inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return lambda event, context: entry(*(event, context)[:takes])


def run(main: Callable[[Any, Context], Any], call: Call) -> Any:
    """What main returned, or {"error": …} for what it raised."""
    for key in ACTIVATION_KEYS:
        os.environ[f"__OW_{key.upper()}"] = str(call[key])
    try:
        return main(call["event"], Context(call))
    except Exception as error:  # noqa: BLE001 - the runtime is where whatever a function raises ends
        traceback.print_exc()
        return {"error": str(error)}


def serve(bundle: str, line: Line) -> None:
    """Loads the function, then answers calls until the host closes the line."""
    moved = MovedTime()
    moved.install()
    start = line.receive()
    moved.offset_seconds = start["offset_seconds"]
    try:
        main = load(bundle, start["main"])
    except BaseException:
        line.send(b'{"ok": false}')
        raise
    line.send(b'{"ok": true}')
    while True:
        call = line.receive()
        moved.offset_seconds = call["offset_seconds"]
        result = run(main, call)
        answer = json.dumps(result, ensure_ascii=False).encode()
        sys.stdout.flush()
        sys.stderr.flush()
        line.send(answer)


if __name__ == "__main__":
    bundle_directory, descriptor_number = sys.argv[1], int(sys.argv[2])
    sys.argv = [""]
    sys.path.insert(0, bundle_directory)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # it is a TextIOWrapper
    try:
        serve(bundle_directory, Line(descriptor_number))
    except (EOFError, ConnectionError):
        sys.exit(0)
