"""Plants each bug in a copy of the tree and runs the tests that must catch it.

python -m tests.seeded_bugs [part of a bug's name]
"""

import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.seeded_bugs.bug import Bug, NotPlantable
from tests.seeded_bugs.bugs import BUGS
from tests.seeded_bugs.psp_bugs import PSP_BUGS
from tests.seeded_bugs.renewal_bugs import RENEWAL_BUGS

ROOT = Path(__file__).parents[2]
AT_ONCE = 2
TIMEOUT_SECONDS = 300
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".local", "build", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"
)


def main(wanted: str) -> int:
    """0 when every bug was caught; tells of each as it is known."""
    bugs = [bug for bug in BUGS + PSP_BUGS + RENEWAL_BUGS if wanted in bug.name]
    with ThreadPoolExecutor(AT_ONCE) as runners:
        results = []
        for bug, got_by in zip(bugs, runners.map(_gets_by, bugs), strict=True):
            results.append(got_by)
            print(f"{len(results):3}/{len(bugs)} {got_by or 'caught'}: {bug.name}", flush=True)
    missed = [result for result in results if result]
    print(f"{len(bugs) - len(missed)} of {len(bugs)} seeded bugs were caught.")
    return 1 if missed or not bugs else 0


def _gets_by(bug: Bug) -> str:
    """Why the bug counts as not caught; empty when it was."""
    with tempfile.TemporaryDirectory(prefix="tollgate-bug-") as folder:
        Path(folder).chmod(0o755)  # for the user that a server runs as when root starts it
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=_LEFT_OUT, symlinks=True)
        try:
            bug.plant(tree)
        except NotPlantable as error:
            return f"NOT PLANTED ({error})"
        return _not_caught(tree, bug)


def _not_caught(tree: Path, bug: Bug) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *bug.caught_by]
    try:
        ran = subprocess.run(
            command, cwd=tree, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return "NOT CAUGHT (the tests hung)"
    if ran.returncode == 1 and " failed" in ran.stdout:
        return ""
    return f"NOT CAUGHT (pytest ended with {ran.returncode}: {ran.stdout[-300:]})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
