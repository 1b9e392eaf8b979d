"""The platform's deployer: installed from the lock file, run against a loopback API host."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_STAMP = HERE / "node_modules" / ".deploy-check.sha256"


class DeployerUnavailableError(Exception):
    """The deployer could not be installed or started; the message says what to do."""


@dataclass(frozen=True)
class Failure:
    """Something the deployer refused or could not build, in its own words."""

    where: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What the deployer says it did. `triggers` are the timers it understood, by name."""

    failures: tuple[Failure, ...]
    triggers: tuple[str, ...]


def install() -> None:
    """`npm ci` from package-lock.json, once per lock file. Raises DeployerUnavailableError."""
    with (HERE / "package-lock.json").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests on another core want it, too
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if _STAMP.is_file() and _STAMP.read_text() == wanted:
            return
        npm = _required("npm")
        done = subprocess.run([npm, "ci"], cwd=HERE, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise DeployerUnavailableError(f"npm ci failed in {HERE}:\n{done.stderr.strip()}")
        _STAMP.write_text(wanted)


def deploy(
    project: Path, api_host: str, workspace: Path, variables: Mapping[str, str], python: Path
) -> Outcome:
    """Validates project.yml, builds lib/ and every function, and sends them to `api_host`.

    `variables` are the values for project.yml; `python` is what shared/build.sh vendors and
    compiles with. The deployer's progress goes to this process's output. Raises
    DeployerUnavailableError when it ends without an answer.
    """
    result = workspace / "deployer-result.json"
    done = subprocess.run(
        [_required("node"), str(HERE / "deploy.js"), str(project), api_host, str(result)],
        check=False,
        env=_environment(workspace, variables, python),
    )
    if done.returncode != 0:
        raise DeployerUnavailableError("the deployer crashed; its output is above")
    answer = json.loads(result.read_text())
    return Outcome(
        failures=tuple(Failure(**failure) for failure in answer["failures"]),
        triggers=tuple(answer["triggers"]),
    )


def _environment(workspace: Path, variables: Mapping[str, str], python: Path) -> dict[str, str]:
    """The caller's environment without anything that could reach a real account.

    DO_API_KEY would make the deployer replace real triggers; credentials stored by an earlier
    login would win over the loopback host.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "DO_API_KEY" and not name.startswith(("__OW_", "__NIM_", "TOLLGATE_"))
    }
    return {
        **inherited,
        **variables,
        "NIMBELLA_DIR": str(workspace / "no-credentials"),
        "TOLLGATE_PYTHON": str(python),
    }


def _required(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise DeployerUnavailableError(f"{program} is not on PATH: install Node.js 20 or newer")
    return path
