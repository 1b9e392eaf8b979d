"""A small project in a temporary folder, and a host that serves it."""

import asyncio
import functools
import textwrap
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from local.clock import Clock
from local.host import FunctionHost

ADMIN = {"Authorization": "Bearer admin-token"}
WEB = "/api/v1/web/fn-local"

BUILD_SH = """\
#!/bin/bash
set -eu
cd "$(dirname "$0")"
mkdir -p build
echo run >> build/runs
if [ ! -d build/vendor-core ]; then
    mkdir build/vendor-core
    echo 'NAME = "vendored"' > build/vendor-core/thing.py
fi
rm -rf build/greeting
cp -R greeting build/greeting
"$TOLLGATE_PYTHON" -m compileall -q --invalidation-mode unchecked-hash build/greeting
"""


def in_loop(
    test: Callable[..., Coroutine[Any, Any, None]],
) -> Callable[..., None]:
    """Runs an async test in an event loop of its own."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))

    return run


@dataclass
class Sample:
    """The project under `root`; functions are added to package `p`."""

    root: Path
    functions: list[dict[str, Any]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    top: dict[str, Any] = field(default_factory=dict)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def function(self, name: str, source: str, **entry: Any) -> None:
        self.write(f"packages/p/{name}/__main__.py", source)
        options = {"web": "raw", "limits": {"timeout": 10_000}}
        self.functions.append({"name": name, **options, **entry})
        self.write_project()

    def write_project(self, **package: Any) -> None:
        document = {**self.top, "packages": [{"name": "p", "functions": self.functions, **package}]}
        (self.root / "project.yml").write_text(yaml.safe_dump(document))

    def shared(self, greeting: str = "hello") -> None:
        """A shared package `greeting`, built by a build.sh that also vendors `thing`."""
        self.write("shared/greeting/__init__.py", f"WORD = {greeting!r}\n")
        self.write("shared/build.sh", BUILD_SH).chmod(0o755)
        if not (self.root / "lib").exists():
            (self.root / "lib").symlink_to("shared")


@dataclass
class Served:
    """A running host, a client whose addresses start at its root, and what it logged."""

    host: FunctionHost
    client: httpx.AsyncClient
    clock: Clock
    log: list[str]

    async def get(self, name: str, **request: Any) -> httpx.Response:
        return await self.client.get(f"{WEB}/p/{name}", **request)

    async def post(self, name: str, **request: Any) -> httpx.Response:
        return await self.client.post(f"{WEB}/p/{name}", **request)

    async def logged(self, text: str) -> None:
        """Waits until a line with the text has been logged."""
        async with asyncio.timeout(10):
            while not any(text in line for line in self.log):
                await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(sample: Sample, **options: Any) -> AsyncIterator[Served]:
    log: list[str] = []
    clock = Clock()
    host = FunctionHost(
        project=sample.root,
        build_directory=sample.root / ".local" / "build",
        environment=sample.environment,
        clock=clock,
        admin_token="admin-token",
        log=log.append,
        **options,
    )
    await host.start()
    transport = httpx.ASGITransport(host.app)
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
            yield Served(host, client, clock, log)
    finally:
        await host.stop()
