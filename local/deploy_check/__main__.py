"""`python -m local.deploy_check`: would this project deploy, and would each function start?"""

import argparse
import platform
import sys
from pathlib import Path

from .check import Report, Row, check_project
from .deployer import DeployerUnavailableError
from .interpreter import Python311NotFoundError, find_python311
from .isolation import runs_platform_binaries

PROJECT = Path(__file__).parents[2]


def main() -> int:
    """Exit code 0 when fit for deployment, 1 on any problem."""
    parser = argparse.ArgumentParser(prog="python -m local.deploy_check", description=__doc__)
    parser.add_argument("project", nargs="?", type=Path, default=PROJECT)
    arguments = parser.parse_args()
    try:
        python = find_python311()
        _say_where(python)
        report = check_project(arguments.project.resolve(), python, _say)
    except (DeployerUnavailableError, Python311NotFoundError) as error:
        print(f"deploy-check cannot run: {error}", file=sys.stderr)
        return 1
    print(_table(report))
    return 1 if report.problems else 0


def _say(step: str) -> None:
    print(f"deploy-check: {step}", flush=True)


def _say_where(python: Path) -> None:
    if python != Path(sys.executable):
        _say(f"this is Python {platform.python_version()}; the platform runs 3.11: using {python}")
    if not runs_platform_binaries():
        _say(
            f"{platform.system()} {platform.machine()} cannot load what is built for Linux x86_64:"
            " zips are built and read here, but not imported; CI imports them"
        )


def _table(report: Report) -> str:
    lines = [f"{'function':32} {'zip MB':>7} {'files':>6} {'.pyc':>6} {'import ms':>10}"]
    lines += map(_line, report.rows)
    lines += ["", *map(str, report.problems)]
    count = len(report.problems)
    lines.append(
        f"{count} problem{'s' if count != 1 else ''}: not fit for deployment"
        if count
        else f"{len(report.rows)} functions, fit for deployment"
    )
    return "\n".join(lines)


def _line(row: Row) -> str:
    imported = "-" if row.import_ms is None else f"{row.import_ms:.0f}"
    size = f"{row.size / 1e6:.1f}"
    return f"{row.function:32} {size:>7} {row.files:>6} {row.compiled:>6} {imported:>10}"


if __name__ == "__main__":
    sys.exit(main())
