"""The warm parent: plays rounds until every point was killed at often enough.

A process of its own, because it forks: it has one thread, and no connection but its own. The
arguments are JSON: see Plan. The last line of its output is JSON too.
"""

import contextlib
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.chaos.ledger_psp import LedgerPsp
from tests.chaos.rounds import Round, Tally
from tests.chaos.stage import Stage
from tests.scripted_psp import EVERYTHING
from tests.world import Stores, entry, world_over
from tollgate.crash_points import CrashPoint

MOST_ROUNDS = 200
POINTS = tuple(at for at in CrashPoint if not at.startswith(("bill.", "renew.")))
"""Those of the timer of renewals are killed at in tests/chaos/renewals.py."""
FUNCTIONS = ("create", "get", "refund", "reconcile")


@dataclass(frozen=True)
class Plan:
    """What is to be played: so many kills in all, at each point and by the clock at least."""

    stores: dict[str, str]
    seed: str
    has_keys: bool
    kills: int
    kills_at_each: int
    kills_by_the_clock: int


def play(plan: Plan) -> tuple[Tally, int]:
    """Plays rounds until there were enough kills; how many rounds. Raises as Round.play does."""
    tally, rounds = Tally(), 0
    with world_over(Stores(**plan.stores)) as world, ledger_psp(has_keys=plan.has_keys) as psp:
        stage = Stage(world, psp, plan.seed)
        for function in FUNCTIONS:
            entry(f"payments/{function}")
        entry("webhook/receive")
        gc.freeze()  # what is there stays, and is not copied into each child
        while rounds < MOST_ROUNDS and not _is_enough(plan, tally):
            rounds += 1
            try:
                Round(stage, tally, f"{plan.seed}/{rounds}").play()
            except AssertionError as error:
                raise AssertionError(f"round {rounds}: {error}") from error
            print(f"round {rounds}: {tally}", file=sys.stderr)
    return tally, rounds


def _is_enough(plan: Plan, tally: Tally) -> bool:
    fewest = min(tally.killed[point] for point in POINTS)
    total = tally.killed.total() + tally.by_the_clock
    return (
        fewest >= plan.kills_at_each
        and tally.by_the_clock >= plan.kills_by_the_clock
        and total >= plan.kills
    )


@contextlib.contextmanager
def ledger_psp(*, has_keys: bool) -> Iterator[LedgerPsp]:
    """The judge's PSP, in a process of its own."""
    kind = "with_keys" if has_keys else "without_keys"
    command = [sys.executable, "-m", "tests.chaos.ledger_server", kind]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        can = replace(EVERYTHING, idempotency_hours=24 if has_keys else 0)
        yield LedgerPsp(int(server.stdout.readline()), can)


def main() -> None:
    """Plays what the first argument says, and reports."""
    plan, report, started = Plan(**json.loads(sys.argv[1])), sys.stdout, time.monotonic()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        tally, rounds = play(plan)
    told = {
        "killed": {point: tally.killed[point] for point in POINTS},
        "by_the_clock": tally.by_the_clock,
        "spared": tally.spared,
        "rounds": rounds,
        "seconds": round(time.monotonic() - started, 1),
    }
    print(json.dumps(told), file=report)


if __name__ == "__main__":
    main()
