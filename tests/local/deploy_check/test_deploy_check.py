"""The deploy check on a small project: a good one passes, each seeded fault is named."""

import os
import shutil
from pathlib import Path

import pytest

from local.deploy_check import deployer
from local.deploy_check.interpreter import Python311NotFoundError, find_python311

from .small_project import Project

CREATE = "packages/payments/create"
MAIN = f"{CREATE}/__main__.py"
COMPILE_VENDORED = """\
"$TOLLGATE_PYTHON" -m compileall -q -b --invalidation-mode unchecked-hash build/vendor-core
"""
REMOVE_SOURCES = "rm build/vendor-core/*.py\n"


def has(findings: list[str], where: str, words: str) -> bool:
    return any(line.startswith(f"{where}: ") and words in line for line in findings)


def test_node_npm_and_python311_are_installed_on_this_machine() -> None:
    assert shutil.which("node"), "install Node.js 20 or newer"
    assert shutil.which("npm"), "install npm"
    assert find_python311(), "install Python 3.11"


def test_good_project_passes_and_leaves_nothing_in_its_tree(project: Project) -> None:
    before = sorted(project.root.rglob("[!.]*"))

    report = project.check()

    assert report.problems == ()
    assert [row.function for row in report.rows] == ["payments/create", "payments/reconcile"]
    assert all(row.compiled == 2 and row.import_ms is not None for row in report.rows)
    assert sorted(project.root.rglob("[!.]*")) == before
    assert not (project.root / ".deployed").exists()


def test_lock_file_names_no_registry_and_has_every_hash() -> None:
    lock = (deployer.HERE / "package-lock.json").read_text()

    assert '"resolved"' not in lock
    assert lock.count('"integrity": "sha512-') == lock.count('"node_modules/')


def test_zip_without_bytecode(project: Project) -> None:
    project.edit("shared/build.sh", '"$TOLLGATE_PYTHON" -m compileall', "true -m compileall")

    assert has(project.findings(), "payments/create", "tollgate/answers.py has no .pyc")


def test_bytecode_of_another_source(project: Project) -> None:
    with (project.root / "shared/build.sh").open("a") as script:
        script.write("echo '# changed' >> build/tollgate/answers.py\n")

    assert has(project.findings(), "payments/create", "compiled from another source")


def test_bytecode_checked_against_a_time(project: Project) -> None:
    project.edit("shared/build.sh", "unchecked-hash", "timestamp")

    assert has(project.findings(), "payments/create", "not compiled as unchecked-hash")


def vendor(project: Project, source: str) -> None:
    """Adds a vendor set with one module, shipped as bytecode alone."""
    with (project.root / "shared/build.sh").open("a") as script:
        script.write(f"mkdir build/vendor-core && echo '{source}' > build/vendor-core/small.py\n")
        script.write(COMPILE_VENDORED + REMOVE_SOURCES)
    for function in (CREATE, "packages/payments/reconcile"):
        project.edit(
            f"{function}/.include", "tollgate\n", "tollgate\n../../../lib/build/vendor-core\n"
        )


def test_vendor_set_of_bytecode_alone(project: Project) -> None:
    vendor(project, "NUMBER = 7")

    report = project.check()

    assert report.problems == ()
    assert [row.compiled for row in report.rows] == [3, 3]


def test_vendored_bytecode_of_another_python(project: Project) -> None:
    vendor(project, "NUMBER = 7")
    with (project.root / "shared/build.sh").open("a") as script:
        script.write("printf old! | dd of=build/vendor-core/small.pyc conv=notrunc status=none\n")

    findings = project.findings()

    assert has(findings, "payments/create", "vendor-core/small.pyc: compiled by another Python")
    assert has(findings, "payments/create", "the vendored small cannot be imported: ImportError")


def test_vendored_bytecode_checked_against_a_time(project: Project) -> None:
    vendor(project, "NUMBER = 7")
    project.edit("shared/build.sh", "-b --invalidation-mode unchecked-hash", "-b")

    assert has(project.findings(), "payments/create", "small.pyc: not compiled as unchecked-hash")


def test_vendored_sources_that_were_left(project: Project) -> None:
    vendor(project, "NUMBER = 7")
    project.edit("shared/build.sh", REMOVE_SOURCES, "")

    findings = project.findings()

    assert has(findings, "payments/create", "small.pyc: beside its source, so never imported")
    assert has(findings, "payments/create", "vendor-core/small.py has no .pyc")


def test_vendored_bytecode_that_is_missing(project: Project) -> None:
    vendor(project, "import smaller")

    findings = project.findings()

    assert has(findings, "payments/create", "the vendored small cannot be imported: ModuleNotFound")


def test_function_on_disk_but_not_declared(project: Project) -> None:
    shutil.copytree(project.root / CREATE, project.root / "packages/payments/debug")

    assert has(project.findings(), "payments/debug", "not in project.yml")


def test_function_declared_but_not_on_disk(project: Project) -> None:
    shutil.rmtree(project.root / "packages/payments/reconcile")

    assert has(project.findings(), "payments/reconcile", "did not arrive")


def test_include_that_leaves_for_anywhere_but_lib(project: Project) -> None:
    project.write(f"{CREATE}/.include", "__main__.py\n../../../shared/build/tollgate\n")

    assert has(project.findings(), "action 'payments/create'", "Illegal use of '..'")


def test_web_true(project: Project) -> None:
    project.edit("project.yml", "web: raw", "web: true")

    assert has(project.findings(), "payments/create", "destroys the bytes a signature is over")


def test_runtime_left_to_the_platform(project: Project) -> None:
    project.edit("project.yml", "runtime: python:3.11\n        web: raw", "web: raw")

    assert has(project.findings(), "payments/create", "sent for the runtime python:default")


def test_public_timer(project: Project) -> None:
    project.edit("project.yml", "web: false", "web: raw")

    assert has(project.findings(), "payments/reconcile", "a timer that the public can call")


def test_zip_too_big(project: Project) -> None:
    assert has(project.findings(zip_bytes_max=500), "payments/create", "the limit is 0.00 MB")


def test_import_of_what_is_not_in_the_zip(project: Project) -> None:
    project.write(MAIN, "import pip\n" + (project.root / MAIN).read_text())

    assert has(project.findings(), "payments/create", "cannot be imported alone: ModuleNotFound")


def test_call_that_raises(project: Project) -> None:
    project.edit(MAIN, "return unavailable", 'raise KeyError("DATABASE_URL") or unavailable')

    assert has(project.findings(), "payments/create", "main() failed without environment: KeyError")


def test_answer_that_is_no_json(project: Project) -> None:
    project.edit("shared/tollgate/answers.py", '{"path": path}', '{"path": {path}}')

    assert has(project.findings(), "payments/create", "set is not JSON serializable")


def test_answer_500(project: Project) -> None:
    project.edit("shared/tollgate/answers.py", "503", "500")

    assert has(project.findings(), "payments/create", "main() without environment answered")


def test_variable_without_a_value(project: Project) -> None:
    given = {"LOG_LEVEL": "info", "DATABASE_URL": "postgresql://127.0.0.1/x"}

    findings = project.findings(variables=given)

    assert has(findings, "project.yml", "could not be resolved: 'PSP_KEY'")


def test_limits_the_platform_refuses(project: Project) -> None:
    project.edit("project.yml", "timeout: 15000, memory: 512", "timeout: 50, memory: 512")
    project.edit("project.yml", "memory: 256", "memory: 2048")

    findings = project.findings()

    assert has(findings, "action 'payments/create'", "limits.timeout of 50 ms")
    assert has(findings, "action 'payments/reconcile'", "limits.memory of 2048 MB")


def test_limits_left_to_the_platform(project: Project) -> None:
    project.edit("project.yml", "timeout: 15000, ", "")

    assert has(project.findings(), "payments/create", "no limits.timeout")


def test_heavy_import_on_the_hot_path(project: Project) -> None:
    check = "packages/subscriptions/check"
    project.write(f"{check}/__main__.py", "import httpx\n" + (project.root / MAIN).read_text())
    project.write(f"{check}/httpx.py", "")
    project.write(
        f"{check}/.include", "httpx.py\n" + (project.root / CREATE / ".include").read_text()
    )

    assert has(project.findings(), "subscriptions/check", "imports httpx on the hot path")


def test_link_to_a_file(project: Project) -> None:
    (project.root / "shared/tollgate/same.py").symlink_to("answers.py")

    assert has(project.findings(), "payments/create", "tollgate/same.py is a symbolic link")


def test_secrets_and_tests_in_the_zip(project: Project) -> None:
    project.write("shared/tollgate/tests/test_answers.py", "")
    project.write("shared/tollgate/requirements.txt", "")

    findings = project.findings()

    assert has(findings, "payments/create", "tollgate/tests/test_answers.py is in the zip")
    assert has(findings, "payments/create", "tollgate/requirements.txt is in the zip")


def test_build_that_fails(project: Project) -> None:
    project.write("shared/tollgate/answers.py", "def broken(:\n")

    assert has(project.findings(), "project.yml", "'./build.sh' exited with code 1")


def test_no_python311_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.version_info", (3, 13, 0))
    monkeypatch.setenv("PATH", os.fspath(tmp_path))

    with pytest.raises(Python311NotFoundError, match=r"put python3\.11 on PATH"):
        find_python311()
