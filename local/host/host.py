"""The function host: the platform's gateway and Python runtime, on a laptop."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route

from local.clock import Clock
from local.host.bundle import Builder
from local.host.clock_api import ClockApi
from local.host.container import Activation, ApplicationError, Failure, Outcome
from local.host.gateway import Gateway
from local.host.pool import Pool
from local.host.project import Function, load_project
from local.host.rules import ProjectError
from local.host.sources import Fingerprint, Sources
from local.host.timers import Timers
from local.travel import Journey, Target, Traveller

REAP_SECONDS = 5.0


class FunctionHost:
    """Serves a project's functions as the platform would, each call in a process of its function.

    project           the folder with project.yml and packages/
    build_directory   where bundles are made; it belongs to this host alone
    environment       fills the references in project.yml; functions see only their own variables
    clock             what time it is inside functions and for timers
    admin_token       the bearer token of `/_local/clock`
    redis_url         the Redis whose keys age when the clock is moved
    max_processes     at most so many processes of one function
    wait_seconds      how long a caller waits before 202 "not yet ready"
    idle_seconds      after how long without a call a process is ended
    """

    def __init__(
        self,
        *,
        project: Path,
        build_directory: Path,
        environment: Mapping[str, str],
        clock: Clock,
        admin_token: str,
        redis_url: str | None = None,
        max_processes: int = 8,
        log: Callable[[str], None] = print,
        wait_seconds: float = 30.0,
        idle_seconds: float = 120.0,
    ) -> None:
        self._root = project.resolve()
        self._environment = dict(environment)
        self._clock = clock
        self._max_processes = max_processes
        self._idle_seconds = idle_seconds
        self._log = log
        self._sources = Sources(self._root)
        self._builder = Builder(self._root, build_directory.resolve(), log)
        self._timers = Timers(clock, self._fire)
        self._traveller = Traveller(clock, self._timers, redis_url, log)
        self._pools: dict[str, Pool] = {}
        self._built: Fingerprint = {}
        self._lib_is_built = False
        self._building = asyncio.Lock()
        self._calls: set[asyncio.Task[Outcome]] = set()
        self._chores: list[asyncio.Task[None]] = []
        clock_api = ClockApi(clock, self._traveller, admin_token)
        gateway = Gateway(self, clock_api, wait_seconds)
        self.app = Starlette(routes=[Route("/{path:path}", gateway)])

    async def start(self) -> None:
        """Reads project.yml, builds, starts timers and the watcher. Raises ProjectError."""
        self._built = self._sources.fingerprint()
        bundles = await asyncio.to_thread(self._build)
        await asyncio.to_thread(self._builder.prune, {bundle for _, bundle in bundles.values()})
        await self._take_over(bundles)
        chores: list[Coroutine[Any, Any, None]] = [
            self._timers.run(),
            self._follow_sources(),
            self._reap(),
        ]
        self._chores = [asyncio.create_task(chore) for chore in chores]
        for chore in self._chores:
            chore.add_done_callback(self._say_if_it_ended)

    async def stop(self) -> None:
        """Stops watcher and timers, ends every process; calls under way are given up."""
        self.end_travel()
        async with self._building:
            tasks = [*self._chores, *self._calls]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._chores = []
            for pool in self._pools.values():
                await pool.close()

    async def current(self) -> Mapping[str, Function]:
        """The functions by path. A change saved before this call is built before it returns."""
        async with self._building:
            seen = self._sources.fingerprint()
            if seen != self._built:
                if self._sources.touches_lib(self._built, seen):
                    self._lib_is_built = False
                await self._rebuild()
                self._built = seen
        return {path: pool.function for path, pool in self._pools.items()}

    def submit(
        self, function: Function, event: Mapping[str, object], request_id: str
    ) -> tuple[str, asyncio.Task[Outcome]]:
        """Starts a call: its activation id, and the task that ends with its outcome."""
        activation = Activation(
            id=uuid.uuid4().hex,
            request_id=request_id,
            event=event,
            deadline_ms=int((self._clock.time() + function.timeout_seconds) * 1000),
            offset_seconds=self._clock.offset_seconds,
        )
        task = asyncio.create_task(self._invoke(self._pools[function.path], activation))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return activation.id, task

    async def travel(self, target: Target, *, every_seconds: float | None = None) -> Journey:
        """Moves the clock; see Traveller.travel."""
        return await self._traveller.travel(target, every_seconds)

    def end_travel(self) -> None:
        """Ends a journey under way, so that nobody waits for it while the host is stopped."""
        self._traveller.end()

    async def _invoke(self, pool: Pool, activation: Activation) -> Outcome:
        outcome = await pool.invoke(activation)
        if isinstance(outcome, Failure):
            self._log(f"{pool.function.path}: {outcome.code}: {outcome.reason} ({activation.id})")
        return outcome

    async def _fire(self, function: Function, event: dict[str, Any]) -> None:
        functions = await self.current()
        if function.path not in functions:
            return
        _, task = self.submit(functions[function.path], event, uuid.uuid4().hex)
        outcome = await task
        if isinstance(outcome, ApplicationError):
            self._log(f"{function.path}: the timer's call ended in an error")

    def _build(self) -> dict[str, tuple[Function, Path]]:
        functions = load_project(self._root, self._environment)
        if not self._lib_is_built:
            self._builder.build_lib()
            self._lib_is_built = True
        return {
            path: (function, self._builder.build(function)) for path, function in functions.items()
        }

    async def _rebuild(self) -> None:
        """Takes over changed sources; what cannot be built is logged, and the former runs on."""
        try:
            bundles = await asyncio.to_thread(self._build)
        except (ProjectError, OSError) as error:
            self._log(f"the change cannot be built, serving what was there before: {error}")
            return
        changed = await self._take_over(bundles)
        if changed:
            self._log(f"rebuilt {', '.join(changed)}")

    async def _take_over(self, bundles: Mapping[str, tuple[Function, Path]]) -> list[str]:
        changed = []
        for path, (function, bundle) in bundles.items():
            if path not in self._pools:
                self._pools[path] = Pool(function, bundle, self._max_processes, self._log)
            elif not await self._pools[path].change(function, bundle):
                continue
            changed.append(path)
        for path in self._pools.keys() - bundles.keys():
            await self._pools.pop(path).retire()
        self._timers.plan(function for function, _ in bundles.values())
        return changed

    async def _follow_sources(self) -> None:
        async for _ in self._sources.looks():
            await self.current()

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(REAP_SECONDS)
            for pool in list(self._pools.values()):
                await pool.reap(self._idle_seconds)

    def _say_if_it_ended(self, chore: asyncio.Task[None]) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            error = chore.exception()
            if error is not None:
                self._log(f"the function host is impaired: {error!r}")
