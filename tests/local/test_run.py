"""`make run` and `make demo`: what they started is stopped, however they are ended."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from local.__main__ import INTERRUPTED
from local.postgres import ServerError
from local.run import run
from tests.journeys.conftest import free_pair

PROJECT = Path(__file__).parents[2]


def test_it_ends_in_order_though_nobody_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # as `make run 2>&1 | tee log` leaves it: Ctrl-C is tee's as well
    stderr = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stderr", stderr)
    # it stops what there is, and tells why, after it has said so to nobody
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ServerError):
        asyncio.run(run(tmp_path, taken.getsockname()[1]))
    with suppress(BrokenPipeError):
        stderr.close()


@pytest.mark.parametrize(("what", "code"), [("demo", INTERRUPTED), ("run", 0)])
def test_what_is_ended_while_it_starts_leaves_no_server(folder: Path, what: str, code: int) -> None:
    data = folder / ("demo" if what == "demo" else "") / "postgres" / "data"
    command = [sys.executable, "-m", "local", what, "--directory", str(folder)]
    with subprocess.Popen([*command, "--port", str(free_pair())], cwd=PROJECT) as started:
        give_up_at = time.monotonic() + 60
        while not data.exists():
            assert started.poll() is None and time.monotonic() < give_up_at, "nothing starts"
            time.sleep(0.02)
        started.send_signal(signal.SIGINT)
        ended = started.wait(180)
    assert ended == code
    assert not (data / "postmaster.pid").exists()
