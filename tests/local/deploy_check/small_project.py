"""A small project of two functions, good as it stands, for the tests to break."""

import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.deploy_check.check import ZIP_BYTES_MAX, Report, check_project

BUILD = """#!/bin/bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
rm -rf build && mkdir build && cp -R tollgate build/tollgate
"$TOLLGATE_PYTHON" -m compileall -q --invalidation-mode unchecked-hash build/tollgate
"""
MANIFEST = """
environment:
  LOG_LEVEL: "${LOG_LEVEL}"
packages:
  - name: payments
    environment:
      DATABASE_URL: "${DATABASE_URL}"
    functions:
      - name: create
        runtime: python:3.11
        web: raw
        limits: {timeout: 15000, memory: 512}
        environment:
          PSP_KEY: "${PSP_KEY}"
      - name: reconcile
        runtime: python:3.11
        web: false
        limits: {timeout: 60000, memory: 256}
        triggers:
          - name: every-minute
            sourceType: scheduler
            sourceDetails:
              cron: "* * * * *"
"""
INCLUDE = "__main__.py\n../../../lib/build/tollgate\n"
WEB = """from tollgate.answers import unavailable

def main(event, context=None):
    return unavailable(event["http"]["path"])
"""
TIMER = """import tollgate

def main(event, context=None):
    return {}
"""
ANSWERS = """def unavailable(path):
    return {"statusCode": 503, "body": {"path": path}}
"""


@dataclass(frozen=True)
class Project:
    """The project's root, and how to change what lies in it."""

    root: Path
    python: Path

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert old in text
        self.write(name, text.replace(old, new))

    def check(
        self, zip_bytes_max: int = ZIP_BYTES_MAX, variables: Mapping[str, str] | None = None
    ) -> Report:
        return check_project(
            self.root, self.python, print, zip_bytes_max=zip_bytes_max, variables=variables
        )

    def findings(
        self, zip_bytes_max: int = ZIP_BYTES_MAX, variables: Mapping[str, str] | None = None
    ) -> list[str]:
        """The problems found, each as `where: what`."""
        problems = self.check(zip_bytes_max, variables).problems
        return [f"{problem.where}: {problem.what}" for problem in problems]


def write_project(root: Path, python: Path) -> Project:
    """Writes the good project into `root`, as a git work tree."""
    project = Project(root, python)
    project.write("project.yml", MANIFEST)
    project.write(".gitignore", "/shared/build/\n.env\n")
    project.write("shared/build.sh", BUILD)
    (project.root / "shared/build.sh").chmod(stat.S_IRWXU)
    project.write("shared/tollgate/__init__.py", "")
    project.write("shared/tollgate/answers.py", ANSWERS)
    (project.root / "lib").symlink_to("shared")
    for name, source in (("create", WEB), ("reconcile", TIMER)):
        project.write(f"packages/payments/{name}/__main__.py", source)
        project.write(f"packages/payments/{name}/.include", INCLUDE)
    subprocess.run(["git", "init", "--quiet"], cwd=project.root, check=True)
    return project
