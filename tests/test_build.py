"""shared/build.sh: what a function is shipped with, compiled; nothing is built twice."""

import ast
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent / "shared"
SMALL = "NUMBER = 7\ndef divide(one, other):\n    return one / other\n"
DIVIDE = """
import sys
sys.path.insert(0, sys.argv[1])
import small
print(small.NUMBER, "columns:", {column for *_, column in small.divide.__code__.co_positions()})
small.divide(1, 0)
"""
OF_OPERATORS = ("__main__.py", "commands")
"""What of the package runs from a checkout only."""
UNCHECKED_HASH = b"\x01\x00\x00\x00"
"""The flags word of a .pyc that is run without a look at its source (PEP 552)."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The build script and the package, with one small wheel in place of the vendored ones."""
    copy = tmp_path / "shared"
    (copy / "requirements").mkdir(parents=True)
    shutil.copy(SHARED / "build.sh", copy)
    shutil.copytree(SHARED / "tollgate", copy / "tollgate")
    lock_wheel(copy, SMALL)
    return copy


def lock_wheel(copy: Path, source: str) -> None:
    """Makes a wheel of the package `small`, with `source` in it, and locks it as the set core."""
    wheel = copy.parent / "small-1.0-py3-none-any.whl"
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("small/__init__.py", source)
        file.writestr("small/stubs.pyi", "")
        file.writestr("small/tests/test_small.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (copy / "requirements" / "core.txt").write_text(f"{wheel.as_uri()} --hash=sha256:{digest}\n")


def build(copy: Path, **changed: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(copy),
        "PIP_NO_INDEX": "1",
        "TOLLGATE_PYTHON": sys.executable,
        "TOLLGATE_RUNTIME": "native",
        **changed,
    }
    return subprocess.run(
        ["bash", str(copy / "build.sh")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def compiled(source: Path) -> Path:
    return source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"


def is_unchecked(pyc: Path) -> bool:
    return pyc.read_bytes()[4:8] == UNCHECKED_HASH


def test_the_package_and_the_sets_are_built_and_compiled(copy: Path) -> None:
    stale = copy / "tollgate" / "__pycache__" / "removed_long_ago.cpython-311.pyc"
    stale.parent.mkdir(exist_ok=True)
    stale.write_bytes(b"of a module that is gone")
    result = build(copy)
    assert (result.returncode, result.stdout) == (0, "vendoring vendor-core\n"), result.stderr

    built = copy / "build" / "tollgate"
    sources = [file.relative_to(copy / "tollgate") for file in (copy / "tollgate").rglob("*.py")]
    shipped = {source for source in sources if source.parts[0] not in OF_OPERATORS}
    assert shipped == {file.relative_to(built) for file in built.rglob("*.py")} < set(sources)
    assert all(is_unchecked(compiled(built / source)) for source in shipped)
    assert not any((built / name).exists() for name in OF_OPERATORS)
    assert not list((copy / "build").rglob("removed_long_ago*"))
    assert stale.exists()  # the checkout's own are left alone

    vendored = copy / "build" / "vendor-core"
    assert [file.name for file in (vendored / "small").iterdir()] == ["__init__.pyc"]
    assert is_unchecked(vendored / "small" / "__init__.pyc")
    assert not list(vendored.glob("*.dist-info/RECORD"))


def test_what_is_vendored_is_imported_from_bytecode_alone(copy: Path) -> None:
    """A traceback names the line, and the file by its place in the bundle."""
    assert build(copy).returncode == 0
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", DIVIDE, str(copy / "build" / "vendor-core")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.stdout == "7 columns: {None}\n", result.stderr
    assert 'File "vendor-core/small/__init__.py", line 3, in divide' in result.stderr


def test_a_second_run_vendors_nothing_and_takes_the_new_source(copy: Path) -> None:
    assert build(copy).returncode == 0
    kept = copy / "build" / "vendor-core" / "small" / "__init__.pyc"
    before = kept.stat()
    (copy / "tollgate" / "logs.py").unlink()
    (copy / "tollgate" / "newer.py").write_text("NUMBER = 8\n")
    again = build(copy)
    assert (again.returncode, again.stdout) == (0, "")
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert is_unchecked(compiled(copy / "build" / "tollgate" / "newer.py"))
    assert not (copy / "build" / "tollgate" / "logs.py").exists()


def test_a_change_of_the_lock_or_the_script_vendors_anew(copy: Path) -> None:
    assert build(copy).returncode == 0
    for changed in (copy / "requirements" / "core.txt", copy / "build.sh"):
        left = copy / "build" / "vendor-core" / "left_over.py"
        left.touch()
        changed.write_text(changed.read_text() + "\n# changed\n")
        assert build(copy).stdout == "vendoring vendor-core\n"
        assert not left.exists()


def test_a_wheel_that_is_not_the_locked_one_is_refused(copy: Path) -> None:
    lock = copy / "requirements" / "core.txt"
    lock.write_text(lock.read_text().partition("sha256:")[0] + f"sha256:{'0' * 64}\n")
    result = build(copy)
    assert result.returncode != 0
    assert "DO NOT MATCH THE HASHES" in result.stderr
    assert not (copy / "build" / ".vendor-core.sha256").exists()


def test_an_interrupted_build_begins_again(copy: Path) -> None:
    (copy / "build" / "vendor-core").mkdir(parents=True)
    (copy / "build" / "vendor-core" / "half.py").touch()
    assert build(copy).returncode == 0
    assert not (copy / "build" / "vendor-core" / "half.py").exists()


def test_another_python_is_refused_for_the_platform(copy: Path) -> None:
    other = _program(copy / "python3.99", 'case "$2" in *version_info*) exit 1;; esac')
    result = build(copy, TOLLGATE_PYTHON=other, TOLLGATE_RUNTIME="")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"shared/build.sh compiles for CPython 3.11, but {other} is another version\n"
    )


@pytest.mark.parametrize("python", ["no-such-python", "without-pip"])
def test_a_python_that_can_t_build_is_told(copy: Path, python: str) -> None:
    named = python if python == "no-such-python" else _program(copy / python, "exit 1")
    result = build(copy, TOLLGATE_PYTHON=named)
    assert result.returncode == 1
    assert f"needs {named} with pip" in result.stderr
    assert not (copy / "build").exists()


def _program(file: Path, script: str) -> str:
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def test_source_that_does_not_compile_fails_the_build(copy: Path) -> None:
    broken = copy / "tollgate" / "broken.py"
    broken.write_text("def half(:\n")
    with pytest.raises(py_compile.PyCompileError):
        py_compile.compile(str(broken), doraise=True)
    assert build(copy).returncode != 0


def test_a_vendored_source_that_does_not_compile_fails_the_build(copy: Path) -> None:
    lock_wheel(copy, "def half(:\n")
    assert build(copy).returncode != 0
    assert (copy / "build" / "vendor-core" / "small" / "__init__.py").exists()
    assert not (copy / "build" / ".vendor-core.sha256").exists()


def test_the_types_of_stripes_parameters_are_for_type_checkers_only() -> None:
    """build.sh leaves stripe/params out, and the tests run with it: an import would go unseen."""
    spec = find_spec("stripe")
    assert spec and spec.submodule_search_locations
    stripe = Path(spec.submodule_search_locations[0])
    sdk = [file for file in stripe.rglob("*.py") if stripe / "params" not in file.parents]
    ours = list((SHARED / "tollgate").rglob("*.py"))
    assert len(sdk) > 100 and len(ours) > 20
    importing = [
        f"{file}: {name}"
        for file in (*sdk, *ours)
        if "params" in (text := file.read_text())
        for node in run_time(ast.parse(text))
        for name in imported(node)
        if f"{name}.".startswith("stripe.params.")
    ]
    assert not importing


def run_time(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, without what stands under `if TYPE_CHECKING`."""
    yield node
    skipped = node.body if isinstance(node, ast.If) and is_for_type_checkers(node.test) else []
    for child in ast.iter_child_nodes(node):
        if child not in skipped:
            yield from run_time(child)


def is_for_type_checkers(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []
