"""The platform's Python, found on this machine."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_PROBE = "import sys, pip; sys.exit(sys.version_info[:2] != (3, 11))"


class Python311NotFoundError(Exception):
    """No Python 3.11 with pip was found: install it, or put python3.11 on PATH."""


def find_python311() -> Path:
    """The running interpreter if it is 3.11, else the first usable python3.11 on PATH.

    Usable means that it starts, is 3.11 and has pip, which shared/build.sh vendors with.
    Raises Python311NotFoundError.
    """
    for candidate in _candidates():
        probe = subprocess.run([candidate, "-c", _PROBE], check=False, capture_output=True)
        if probe.returncode == 0:
            return candidate
    raise Python311NotFoundError(Python311NotFoundError.__doc__)


def _candidates() -> list[Path]:
    running = [Path(sys.executable)] if sys.version_info[:2] == (3, 11) else []
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = (shutil.which("python3.11", path=folder) for folder in folders if folder)
    return running + [Path(path) for path in found if path]
