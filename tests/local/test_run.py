"""`make run`: what it started is stopped, also when nobody reads any more what it says."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from local.postgres import ServerError
from local.run import run


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
