"""All of Tollgate on a laptop: stores, functions, the PSPs' stand-ins, and the seed."""

import asyncio
import contextlib
import json
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from local.clock import Clock
from local.databases import Databases, seeing_all
from local.host import FunctionHost
from local.postgres import ServerError
from local.psps import Laptop, environment_of_psps, stand_ins, webhook_secrets
from local.seed import Seed, seed
from local.standin.front import front_page
from local.travel import Journey, Target

PROJECT = Path(__file__).parent.parent
HOST = "127.0.0.1"
DEVELOPMENT_ORIGINS = (
    "http://localhost:3000",
    "http://127.0.0.1:3000",
    "https://example.com",
    "https://shop.example",
)
"""Where the seeded apps may send their clients back to, besides the host itself."""

Progress = Callable[[str], None]


class System:
    """Started once, stopped once. `run_file` says where everything is, for programs.

    Without a `database_url` or `redis_url` it serves its own.
    """

    def __init__(
        self,
        directory: Path,
        port: int,
        progress: Progress,
        log: Progress,
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
    ) -> None:
        self._directory = directory
        self._port = port
        self._progress = progress
        self._log = log
        self._database_url = database_url
        self._redis_url = redis_url
        self.environment: dict[str, str] = {}
        self._host: FunctionHost | None = None
        self._stack = contextlib.AsyncExitStack()
        self.run_file = directory / "run.json"
        self.clock = Clock(directory / "clock_offset_seconds")
        self.base_url = f"http://{HOST}:{port}/api/v1/web/fn-local"
        self.rest_url = f"http://{HOST}:{port}"
        self.psp_url = f"http://{HOST}:{port + 1}"

    async def start(self) -> dict[str, Any]:
        """Starts all of it; what `run.json` holds. Raises ServerError; call stop() even then."""
        for port in (self._port, self._port + 1):
            _refuse_taken(port)
        self._directory.mkdir(parents=True, exist_ok=True)
        self.run_file.unlink(missing_ok=True)
        databases = Databases(self._directory)
        self._stack.push_async_callback(asyncio.to_thread, databases.stop)
        urls = await asyncio.to_thread(databases.start_postgres, self._database_url, self._progress)
        redis_url = await asyncio.to_thread(databases.start_redis, self._redis_url, self._progress)

        self._progress("Seed: two apps, their plans and keys")
        origins = (self.rest_url, f"http://localhost:{self._port}", *DEVELOPMENT_ORIGINS)
        seeded = await asyncio.to_thread(seed, urls.owner, self.clock.now(), origins)

        environment = self.environment = self._environment(urls.service, redis_url)
        await self._start_stand_ins(environment)
        await self._start_functions(environment, seeded)
        description = self._description(environment, seeded)
        _write_private(self.run_file, json.dumps(description, indent=2))
        self._stack.callback(self.run_file.unlink, missing_ok=True)
        return description

    async def stop(self) -> None:
        """Stops what was started, last first."""
        await self._stack.aclose()

    async def travel(self, target: Target, *, every_seconds: float | None = None) -> Journey:
        """Moves the clock of all of it, as `/_local/clock` does: so many seconds on, or to an
        instant; at once, or in steps of `every_seconds`, at each of which what is due happens.

        In the event loop of `start`, after it. Raises TravelError for a way that can't be gone.
        """
        assert self._host is not None
        return await self._host.travel(target, every_seconds=every_seconds)

    def _environment(self, database_url: str, redis_url: str) -> dict[str, str]:
        """What project.yml's placeholders stand for on a laptop."""
        return {
            "TOLLGATE_MODE": "test",
            "TOLLGATE_URL": self.base_url,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CACHE_SECRET": secrets.token_urlsafe(32),
            "ACCESS_TOKEN_KEYS": _new_keyring(),
            "ENTITLEMENT_KEYS": _new_keyring(),
            "PAY_LINK_KEYS": _kept_keyring(self._directory / "pay_link_keys"),
            "FIELD_KEYS": _kept_keyring(self._directory / "field_keys"),
            **environment_of_psps(self.psp_url),
        }

    async def _start_stand_ins(self, environment: dict[str, str]) -> None:
        self._progress("Stand-ins for the PSPs: starting")
        laptop = Laptop(self._directory, self.clock, self.rest_url, self.psp_url, self._log)
        psps = stand_ins(laptop, environment)
        for stand_in in psps.values():
            await stand_in.start()
            self._stack.push_async_callback(stand_in.stop)
        await self._serve(front_page(psps), self._port + 1)

    async def _start_functions(self, environment: dict[str, str], seeded: Seed) -> None:
        self._progress("Functions: building (the first time takes a minute)")
        host = self._host = FunctionHost(
            project=PROJECT,
            build_directory=self._directory / "build",
            environment=environment,
            clock=self.clock,
            admin_token=seeded.admin_key,
            redis_url=environment["REDIS_URL"],
            log=self._log,
        )
        await host.start()
        self._stack.push_async_callback(host.stop)
        self._progress("Functions: serving")
        await self._serve(host.app, self._port)
        self._stack.callback(host.end_travel)

    async def _serve(self, app: Any, port: int) -> None:
        config = uvicorn.Config(app, host=HOST, port=port, log_config=None, lifespan="off")
        server = _Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            if task.done():
                raise ServerError(f"Port {port} can't be served.")
            await asyncio.sleep(0.01)

        async def stop() -> None:
            server.should_exit = True
            await task

        self._stack.push_async_callback(stop)

    def _description(self, environment: dict[str, str], seeded: Seed) -> dict[str, Any]:
        return {
            "base_url": self.base_url,
            "rest_url": self.rest_url,
            "psp_url": self.psp_url,
            "database_url": seeing_all(environment["DATABASE_URL"]),
            "redis_url": environment["REDIS_URL"],
            "admin_key": seeded.admin_key,
            "apps": [
                {"id": app.id, "name": app.name, "key": app.key, "plans": list(app.plans)}
                for app in seeded.apps
            ],
            "webhook_secrets": webhook_secrets(environment),
        }


class _Server(uvicorn.Server):
    """A server that leaves Ctrl-C to us: several run in one process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise ServerError(
                f"Port {port} is taken: stop what listens there, or choose another, "
                "as in `make run PORT=9080` (the stand-ins take the port after it)."
            ) from None


def _new_keyring() -> str:
    return f"local:{secrets.token_urlsafe(32)}"


def _kept_keyring(file: Path) -> str:
    """The keyring in this file, made at the first start: stored rows stay readable."""
    if not file.exists():
        _write_private(file, _new_keyring())
    return file.read_text()


def _write_private(file: Path, text: str) -> None:
    """Written whole and readable by its owner only, before it appears under its name."""
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(text)
    partial.replace(file)
