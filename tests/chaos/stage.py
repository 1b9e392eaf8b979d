"""Where the kills happen: a warm parent that forks a child for a call, and lets it die in it."""

import json
import os
import random
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.chaos.ledger_psp import LedgerPsp
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.operations.context import Context

Told = dict[str, Any]
Act = Callable[[Context], Told]
"""A call of a function; what it answered, as JSON can carry it."""

LONGEST_CALL_SECONDS = 0.02
"""Within so long a call is done, mostly: when to kill is drawn from it."""


@dataclass(frozen=True)
class Kill:
    """When a child dies: at the nth passing of a point, or so long after it began."""

    point: CrashPoint | None = None
    nth: int = 1
    after_seconds: float = 0.0

    def __str__(self) -> str:
        if self.point is None:
            return f"after {self.after_seconds * 1e6:.0f} us"
        return f"at {self.point}" + (f" #{self.nth}" if self.nth > 1 else "")


class Stage:
    """A world whose PSP is the judge's. The same seed makes the same ids and, but for what a kill
    by the clock hits, the same story."""

    def __init__(self, world: World, psp: LedgerPsp, seed: str) -> None:
        self.world, self.psp = world, psp
        self._seed, self._opened = seed, 0
        self.context = self.new_context()

    def new_context(self) -> Context:
        """A container's own means: nothing is connected yet."""
        self._opened += 1
        chance = random.Random(f"{self._seed}/{self._opened}")
        return Context.open(
            self.world.settings,
            now=lambda: self.world.now,
            open_psp=lambda name, settings, tokens: self.psp,
            random_bytes=chance.randbytes,
        )

    def act(self, act: Act, kill: Kill | None) -> Told | None:
        """Runs it here, or in a child that is to be killed; None when that was killed."""
        if kill is None:
            return act(self.context)
        context = self.new_context()
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(read_end)
            _live(act, context, kill, write_end)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as told:
            told.read(1)  # it begins
            if kill.point is None:
                time.sleep(kill.after_seconds)
                os.kill(child, signal.SIGKILL)
            answer = told.read()
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            return None
        assert os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0, "a child crashed: see above"
        result: Told = json.loads(answer)
        return result


def _live(act: Act, context: Context, kill: Kill, write_end: int) -> None:
    """A child's life. It ends here, killed or not, and never returns to the parent's code."""
    status = 1
    try:
        if kill.point is not None:
            listen(kill.point, _dies_at(kill.nth))
        os.write(write_end, b"!")
        os.write(write_end, json.dumps(act(context)).encode())
        status = 0
    finally:
        if status:
            traceback.print_exc()
        os._exit(status)


def _dies_at(nth: int) -> Callable[[], None]:
    passed = 0

    def listener() -> None:
        nonlocal passed
        passed += 1
        if passed == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    return listener
