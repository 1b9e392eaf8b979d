"""A zip unpacked into a directory of its own and run there, as the platform would."""

import json
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bundle import Bundle
from .probe import REPORT
from .problem import Problem

HERE = Path(__file__).parent
CALL_SECONDS_MAX = 60
# A call no client makes: nothing of the environment is there, so nothing can answer it.
HTTP_EVENT = {
    "http": {
        "method": "GET",
        "path": "/%00deploy-check",
        "headers": {"authorization": "Bearer deploy-check", "host": "127.0.0.1"},
        "queryString": "deploy=check",
        "body": "",
        "isBase64Encoded": False,
    }
}
TIMER_EVENT: Mapping[str, Any] = {}


@dataclass(frozen=True)
class Run:
    """One function run alone. `import_ms` is None when it could not be imported (or, on a
    machine that cannot load the platform's binaries, was not tried)."""

    problems: tuple[Problem, ...]
    import_ms: float | None = None
    modules: frozenset[str] = frozenset()


def runs_platform_binaries() -> bool:
    """Whether this machine can import what is vendored for Linux x86-64."""
    return (platform.system(), platform.machine()) == ("Linux", "x86_64")


def run_alone(bundle: Bundle, main: str, web: bool, python: Path, directory: Path) -> Run:
    """Unpacks the zip into `directory`, judges its .pyc files, imports its vendor sets, imports
    the function and calls `main`.

    The call has an empty environment and must end in an answer, not in an exception: for a web
    function a dict with a statusCode other than 500. The directory is removed afterwards.
    """
    with zipfile.ZipFile(bundle.path) as archive:
        archive.extractall(directory)
    try:
        stale = _stale_bytecode(bundle.function, python, directory)
        if not runs_platform_binaries():
            return Run(problems=stale)
        vendored = _vendored_problems(bundle.function, python, directory)
        done = _call(python, directory, main, HTTP_EVENT if web else TIMER_EVENT)
    except subprocess.TimeoutExpired:
        return Run((_silent(bundle.function),))
    finally:
        shutil.rmtree(directory)
    report = _last_report(done.stdout)
    return Run(
        problems=(
            *stale,
            *vendored,
            *_call_problems(bundle.function, main, web, report, done.stderr),
        ),
        import_ms=report.get("import_ms"),
        modules=frozenset(report.get("modules", ())),
    )


def _call(
    python: Path, directory: Path, main: str, event: Mapping[str, Any]
) -> subprocess.CompletedProcess[str]:
    return _isolated(python, "probe.py", directory, main, json.dumps(event))


def _isolated(
    python: Path, script: str, directory: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """-I and -S: neither the user's environment nor any installed package is to be seen."""
    return subprocess.run(
        [python, "-I", "-S", "-B", HERE / script, directory, *arguments],
        cwd=directory,
        env={},
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=CALL_SECONDS_MAX,
    )


def _stale_bytecode(function: str, python: Path, directory: Path) -> tuple[Problem, ...]:
    done = _isolated(python, "compiled.py", directory)
    done.check_returncode()
    return tuple(
        Problem(function, finding, "compile it in shared/build.sh, after its last change")
        for finding in done.stdout.splitlines()
    )


def _vendored_problems(function: str, python: Path, directory: Path) -> tuple[Problem, ...]:
    done = _isolated(python, "vendored.py", directory)
    if done.returncode == 0:
        return ()
    module = done.stdout.strip().rpartition("\n")[2]
    return (
        Problem(
            function,
            f"the vendored {module} cannot be imported: {_last_line(done.stderr)}",
            "see what shared/build.sh and SHIPPED_WITHOUT in local/lock.py leave out",
        ),
    )


def _last_line(errors: str) -> str:
    return errors.strip().rpartition("\n")[2] or "the process ended without a message"


def _last_report(output: str) -> dict[str, Any]:
    reports = [line for line in output.splitlines() if line.startswith(REPORT)]
    return json.loads(reports[-1].removeprefix(REPORT)) if reports else {}


def _call_problems(
    function: str, main: str, web: bool, report: Mapping[str, Any], errors: str
) -> list[Problem]:
    last_line = _last_line(errors)
    if "import_ms" not in report:
        remedy = "put what it imports into its .include; import nothing that needs settings"
        return [Problem(function, f"cannot be imported alone: {last_line}", remedy)]
    if "result" not in report:
        remedy = "answer every call with a dict that json.dumps accepts, never an exception"
        return [Problem(function, f"{main}() failed without environment: {last_line}", remedy)]
    if web and not _is_clean_answer(report["result"]):
        finding = f"{main}() without environment answered {str(report['result'])[:200]}"
        remedy = 'answer with {"statusCode": 503, ...} or another status that is no 500'
        return [Problem(function, finding, remedy)]
    return []


def _is_clean_answer(result: object) -> bool:
    if not isinstance(result, dict):
        return False
    status = result.get("statusCode")
    return isinstance(status, int) and 200 <= status < 600 and status != 500


def _silent(function: str) -> Problem:
    return Problem(
        function,
        f"no answer within {CALL_SECONDS_MAX} s without environment",
        "refuse a call whose settings are missing before any I/O",
    )
