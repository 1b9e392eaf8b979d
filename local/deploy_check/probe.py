"""Runs inside the platform's Python, alone with one unpacked function:

    python3.11 -I -S -B probe.py DIRECTORY MAIN EVENT

Imports DIRECTORY/__main__.py as the platform's runtime does and calls MAIN with EVENT (JSON).
Each step prints a line REPORT + JSON, so that the last one and the traceback tell what failed.
It imports little itself: what a function imports is to be seen.
"""

import json
import sys
import time
from importlib.util import module_from_spec, spec_from_file_location

REPORT = "deploy-check: "


def probe(directory: str, main: str, event: str) -> None:
    """Reports {"import_ms", "modules"} after the import, then with "result" after the call."""
    sys.path.insert(0, directory)
    started = time.perf_counter()
    # The runtime's launcher renames __main__.py so.
    spec = spec_from_file_location("main__", f"{directory}/__main__.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    function = getattr(module, main)
    import_ms = (time.perf_counter() - started) * 1000
    _report(import_ms=import_ms)
    _report(import_ms=import_ms, result=function(json.loads(event)))


def _report(**facts: object) -> None:
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    line = json.dumps({"modules": modules, **facts}, allow_nan=False)
    print(f"\n{REPORT}{line}", flush=True)


if __name__ == "__main__":
    probe(*sys.argv[1:])
