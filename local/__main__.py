"""`python -m local run | demo | openapi`: Tollgate on a laptop. `make` calls this."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from local import openapi
from local.demo import demo
from local.host import ProjectError
from local.postgres import ServerError
from local.run import run
from local.system import PROJECT

INTERRUPTED = 130
"""What a shell makes of Ctrl-C: 128 and the signal's number."""


def main() -> int:
    """Runs what was asked for; 0 when all went well."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("what", choices=["run", "demo", "openapi"])
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8080))
    parser.add_argument("--directory", type=Path, default=PROJECT / ".local")
    arguments = parser.parse_args()
    if arguments.what == "openapi":
        openapi.write()
        return 0
    work = run if arguments.what == "run" else demo
    try:
        return asyncio.run(work(arguments.directory, arguments.port))
    except (ServerError, ProjectError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
