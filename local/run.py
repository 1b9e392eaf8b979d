"""`make run`: everything served until Ctrl-C."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from local.system import System


async def run(directory: Path, port: int) -> int:
    """Starts the system, says where it is, and waits to be stopped."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    system = System(
        directory,
        port,
        progress=_say,
        log=_say,
        database_url=os.environ.get("DATABASE_URL"),
        redis_url=os.environ.get("REDIS_URL"),
    )
    starting = asyncio.create_task(system.start())
    interrupted = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({starting, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if not stopped.is_set():
            _say(_welcome(await starting, system.run_file))
            await interrupted
    finally:
        interrupted.cancel()
        _say("\nStopping …")
        await asyncio.wait({starting})
        await system.stop()
    _say("Stopped.")
    return 0


def _say(text: str) -> None:
    # whoever read it may be gone, as `| tee` is after Ctrl-C: what runs is stopped all the same
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _welcome(described: dict[str, Any], run_file: Path) -> str:
    app = described["apps"][0]
    return f"""
Tollgate is running. Ctrl-C stops it.

  API          {described["rest_url"]}   (functions: {described["base_url"]})
  PSPs         {described["psp_url"]}   (stand-ins: no money moves)
  keys, URLs   {run_file}

Start a payment for a monthly plan:

  curl -s {described["rest_url"]}/payments \\
    -H 'Authorization: Bearer {app["key"]}' \\
    -H "Idempotency-Key: $(date +%s)" \\
    -d '{{"client_id": "client-1", "plan": "{app["plans"][0]}", "currency": "KES"}}'

Open next_action.url of the answer in a browser and pay. Then ask whether the client has paid:

  curl -s {described["rest_url"]}/subscriptions/client-1 -H 'Authorization: Bearer {app["key"]}'
"""
