"""The deploy check from start to end: copy, build, compare, unpack, run."""

import tempfile
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from . import deployer
from .agreement import disagreements
from .api_host import ApiHost, SentFunction
from .bundle import contents_problems, open_bundle
from .checkout import copy_project
from .isolation import run_alone
from .manifest import placeholders, read_manifest, variables_named
from .problem import Problem

ZIP_BYTES_MAX = 20_000_000
# Modules whose import alone would cost the paid-check its cold start.
HOT_PATHS: Mapping[str, frozenset[str]] = {
    "subscriptions/check": frozenset({"psycopg", "pydantic", "stripe", "httpx"})
}

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """A function's line in the table. `size` in bytes; `import_ms` None if not imported."""

    function: str
    size: int
    files: int
    compiled: int
    import_ms: float | None


@dataclass(frozen=True)
class Report:
    """What the check found: fit for deployment if there are no problems."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def check_project(
    project: Path,
    python: Path,
    progress: Progress,
    *,
    zip_bytes_max: int = ZIP_BYTES_MAX,
    variables: Mapping[str, str] | None = None,
) -> Report:
    """Builds every function of `project` with the real deployer and judges what it would send.

    `python` is a CPython 3.11 with pip. `variables` are values for project.yml, by default a
    placeholder for each it names. Raises DeployerUnavailableError.
    """
    progress("installing the deployer (once per lock file)")
    deployer.install()
    with tempfile.TemporaryDirectory(prefix="deploy-check-") as folder:
        workspace = Path(folder)
        copy = workspace / "project"
        copy.mkdir()
        copy_project(project, copy)
        text = (copy / "project.yml").read_text()
        values = placeholders(variables_named(text)) if variables is None else variables
        with ApiHost(workspace) as host:
            progress("building every function with the deployer")
            outcome = deployer.deploy(copy, host.url, workspace, values, python)
        problems = [_refusal(failure) for failure in outcome.failures]
        if any(failure.where == "project.yml" for failure in outcome.failures):
            return Report((), tuple(problems))
        manifest = read_manifest(text, values)
        problems += disagreements(manifest, host.deployment, outcome.triggers)
        sent = sorted(host.deployment.functions.values(), key=lambda function: function.name)
        judged = _judge_all(sent, python, workspace, zip_bytes_max, progress)
    return Report(judged.rows, (*problems, *judged.problems))


def _refusal(failure: deployer.Failure) -> Problem:
    return Problem(failure.where, failure.message, _remedy_for(failure.message))


def _remedy_for(message: str) -> str:
    """What to do about the deployer's best-known complaints."""
    remedies = {
        "substitutions could not be resolved": "give the variable a non-empty value",
        "Illegal use of '..'": "reach shared code through ../../../lib in .include",
        "does not exist": "see what .include names, and that shared/build.sh builds it",
        "exited with code": "see the build's output above",
        "runtime type could not be determined": "only function folders may lie in packages/<name>/",
    }
    for part, remedy in remedies.items():
        if part in message:
            return remedy
    return "the deployer refuses this; correct what it names"


def _judge_all(
    functions: Iterable[SentFunction],
    python: Path,
    workspace: Path,
    zip_bytes_max: int,
    progress: Progress,
) -> Report:
    rows: list[Row] = []
    problems: list[Problem] = []
    for function in functions:
        progress(f"importing {function.name} alone")
        report = _judge(function, python, workspace / "unpacked", zip_bytes_max)
        rows += report.rows
        problems += report.problems
    return Report(tuple(rows), tuple(problems))


def _judge(function: SentFunction, python: Path, directory: Path, zip_bytes_max: int) -> Report:
    """One function: what its zip holds, and how it runs alone."""
    try:
        bundle = open_bundle(function.name, function.code)
    except zipfile.BadZipFile:
        remedy = "list __main__.py and ../../../lib/build/tollgate in its .include"
        return Report((), (Problem(function.name, "sent as bare source, not a zip", remedy),))
    problems = list(contents_problems(bundle, zip_bytes_max))
    if "__main__.py" not in bundle.names:
        return Report((), tuple(problems))
    web = bool(function.annotations.get("web-export"))
    run = run_alone(bundle, function.main, web, python, directory)
    problems += run.problems
    heavy = HOT_PATHS.get(function.name, frozenset()) & run.modules
    if heavy:
        finding = f"imports {', '.join(sorted(heavy))} on the hot path"
        problems.append(Problem(function.name, finding, "import it where it is needed, not before"))
    row = Row(function.name, bundle.size, len(bundle.names), bundle.compiled, run.import_ms)
    return Report((row,), tuple(problems))
