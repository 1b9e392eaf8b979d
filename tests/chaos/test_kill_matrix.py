"""Whatever dies wherever: each payment is charged once and known, and each refund given once.

Every crash point is killed at with SIGKILL, with a PSP that knows idempotency keys and with one
that has none, while clients try again or don't, events come twice or never, and time passes. A
failure prints its seed: TOLLGATE_SEED=<seed> plays that one again.
"""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.chaos.__main__ import POINTS, Plan
from tests.conftest import Cluster, new_stores

SEEDS = ("2026", "31")
FRESH = "fresh"
KILLS = 340
"""In each kind and with each seed: more than 2,000 in all."""
KILLS_AT_EACH = 3
BY_THE_CLOCK = 40
SECONDS = 900
"""Long before this the machine is too slow for any test."""


def seeds() -> tuple[str, ...]:
    """The given one alone; else those that are always played, and a fresh one."""
    given = os.environ.get("TOLLGATE_SEED")
    return (given,) if given else (*SEEDS, FRESH)


class Play:
    """One run of the matrix, in a process of its own, over a database of its own."""

    def __init__(self, plan: Plan) -> None:
        self._kind = "with keys" if plan.has_keys else "without keys"
        self._seed = plan.seed
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos", json.dumps(asdict(plan))],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def judge(self) -> None:
        """Waits for it. Every point was killed at often enough, and the judge found nothing."""
        out, complaints = self._process.communicate(timeout=SECONDS)
        replay = f"a PSP {self._kind}; to replay: TOLLGATE_SEED={self._seed}"
        assert self._process.returncode == 0, f"{replay}\n{complaints}"
        told = json.loads(out)
        print(f"{replay}: {told}")
        assert set(told["killed"]) == set(POINTS)
        rarely = {at: times for at, times in told["killed"].items() if times < KILLS_AT_EACH}
        assert not rarely, f"{replay}: never or rarely reached: {rarely}"
        assert sum(told["killed"].values()) + told["by_the_clock"] >= KILLS, replay
        assert told["by_the_clock"] >= BY_THE_CLOCK, replay

    def stop(self) -> None:
        """Ends it, if it is still there."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def plays(cluster: Cluster) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.mark.parametrize("seed", seeds())
def test_every_kill_is_survived(cluster: Cluster, plays: ExitStack, seed: str) -> None:
    seed = secrets.token_hex(4) if seed == FRESH else seed
    started = []
    for has_keys in (True, False):
        stores = plays.enter_context(new_stores(cluster))
        play = Play(Plan(asdict(stores), seed, has_keys, KILLS, KILLS_AT_EACH, BY_THE_CLOCK))
        plays.callback(play.stop)
        started.append(play)
    for play in started:
        play.judge()
