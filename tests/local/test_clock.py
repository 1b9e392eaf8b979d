"""The laptop's clock: real time plus a shift that only grows and is remembered."""

import math
import subprocess
import sys
import time
from datetime import UTC
from pathlib import Path

import pytest

from local.clock import Clock


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    return time.time()


def test_is_real_time_at_first(frozen: float) -> None:
    clock = Clock()
    assert clock.time() == frozen
    assert (clock.now().timestamp(), clock.now().tzinfo) == (frozen, UTC)


def test_moves_forward(frozen: float) -> None:
    clock = Clock()
    clock.advance(86_400)
    clock.advance(0.5)
    clock.advance(0)
    assert clock.time() == clock.now().timestamp() == frozen + 86_400.5


@pytest.mark.parametrize("seconds", [-1, -0.001, -math.inf, math.nan])
def test_never_moves_back(frozen: float, seconds: float) -> None:
    clock = Clock()
    clock.advance(10)
    with pytest.raises(ValueError, match="forward only"):
        clock.advance(seconds)
    assert clock.time() == frozen + 10


def test_the_shift_outlives_a_restart(frozen: float, tmp_path: Path) -> None:
    file = tmp_path / "offset"
    assert Clock(file).time() == frozen
    Clock(file).advance(86_400.25)
    again = Clock(file)
    again.advance(1)
    assert Clock(file).time() == frozen + 86_401.25


_RESTLESS = """
import sys
from pathlib import Path
from local.clock import Clock
clock = Clock(Path(sys.argv[1]))
while True:
    clock.advance(86_400)
    print(flush=True)
"""


def test_who_is_killed_while_it_moves_can_be_started_again(tmp_path: Path) -> None:
    file, command = tmp_path / "offset", [sys.executable, "-c", _RESTLESS]
    for kill in range(1, 11):
        with subprocess.Popen([*command, str(file)], stdout=subprocess.PIPE) as moving:
            assert moving.stdout is not None
            for _ in range(kill):
                moving.stdout.readline()
            moving.kill()
        assert Clock(file).offset_seconds >= 86_400


def test_without_a_file_nothing_is_remembered(frozen: float) -> None:
    Clock().advance(5)
    assert Clock().time() == frozen
