"""The processes of one function: warm ones are used again, cold ones started when all are busy."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local.host.container import (
    Activation,
    Container,
    ContainerLostError,
    Failure,
    InitError,
    Outcome,
)
from local.host.project import Function


@dataclass(frozen=True)
class _Warm:
    container: Container
    since: float


class Pool:
    """At most `max_processes` at once; a call beyond that waits for its turn."""

    def __init__(
        self, function: Function, bundle: Path, max_processes: int, log: Callable[[str], None]
    ) -> None:
        self.function = function
        self._bundle = bundle
        self._generation = 0
        self._turns = asyncio.Semaphore(max_processes)
        self._warm: list[_Warm] = []
        self._log = log

    async def invoke(self, activation: Activation) -> Outcome:
        """Runs one call to its end, or kills it at the function's timeout."""
        async with self._turns:
            function, generation = self.function, self._generation
            container: Container | None = None
            healthy = False
            try:
                async with asyncio.timeout(function.timeout_seconds):
                    container = await self._take(activation.offset_seconds)
                    outcome = await container.run(activation)
                    healthy = True
            except TimeoutError:
                limit = f"{function.timeout_seconds:g} s"
                outcome = Failure("function_timed_out", f"killed at its timeout of {limit}")
            except InitError:
                outcome = Failure("function_not_started", "its module could not be loaded")
            except OSError as error:
                outcome = Failure("function_not_started", f"no process for it: {error}")
            except ContainerLostError:
                outcome = Failure("function_crashed", "its process ended during the call")
            finally:
                if container is not None:
                    await self._give_back(container, healthy and generation == self._generation)
        return outcome

    async def change(self, function: Function, bundle: Path) -> bool:
        """From now on calls run this; processes of the former are retired. False if it is alike."""
        if (function, bundle) == (self.function, self._bundle):
            return False
        self.function, self._bundle = function, bundle
        await self.retire()
        return True

    async def retire(self) -> None:
        """Ends the processes of what the pool ran so far: idle ones now, busy ones after."""
        self._generation += 1
        await self.close()

    async def reap(self, idle_seconds: float) -> None:
        """Ends processes that nobody has called for so long."""
        limit = time.monotonic() - idle_seconds
        old = [warm for warm in self._warm if warm.since < limit]
        self._warm = [warm for warm in self._warm if warm.since >= limit]
        for warm in old:
            await warm.container.kill()

    async def close(self) -> None:
        """Ends the idle processes; a busy one ends with its call."""
        warm, self._warm = self._warm, []
        for each in warm:
            await each.container.kill()

    async def _take(self, offset_seconds: float) -> Container:
        while self._warm:
            container = self._warm.pop().container
            if container.is_alive:
                return container
            await container.kill()
        return await Container.start(
            self.function, self._bundle, offset_seconds, self._log_of_function
        )

    async def _give_back(self, container: Container, keep: bool) -> None:
        if keep and container.is_alive:
            self._warm.append(_Warm(container, time.monotonic()))
        elif keep:
            await container.end()
        else:
            await container.kill()

    def _log_of_function(self, line: str) -> None:
        self._log(f"{self.function.path}: {line}")
