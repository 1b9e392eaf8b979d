"""shared/build.sh: what a function is shipped with, compiled; nothing is built twice."""

import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SHARED = Path(__file__).parent.parent / "shared"
UNCHECKED_HASH = b"\x01\x00\x00\x00"
"""The flags word of a .pyc that is run without a look at its source (PEP 552)."""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The build script and the package, with one small wheel in place of the vendored ones."""
    copy = tmp_path / "shared"
    (copy / "requirements").mkdir(parents=True)
    shutil.copy(SHARED / "build.sh", copy)
    shutil.copytree(SHARED / "tollgate", copy / "tollgate")
    wheel = _wheel(tmp_path)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (copy / "requirements" / "core.txt").write_text(f"{wheel.as_uri()} --hash=sha256:{digest}\n")
    return copy


def _wheel(folder: Path) -> Path:
    wheel = folder / "small-1.0-py3-none-any.whl"
    info = "small-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("small/__init__.py", "NUMBER = 7\n")
        file.writestr("small/tests/test_small.py", "")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    return wheel


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


def is_compiled(source: Path) -> bool:
    header = compiled(source).read_bytes()[:16]
    return header[4:8] == UNCHECKED_HASH


def test_the_package_and_the_sets_are_built_and_compiled(copy: Path) -> None:
    stale = copy / "tollgate" / "__pycache__" / "removed_long_ago.cpython-311.pyc"
    stale.parent.mkdir(exist_ok=True)
    stale.write_bytes(b"of a module that is gone")
    result = build(copy)
    assert (result.returncode, result.stdout) == (0, "vendoring vendor-core\n"), result.stderr

    sources = [file.relative_to(copy) for file in (copy / "tollgate").rglob("*.py")]
    assert sources
    for source in sources:
        assert is_compiled(copy / "build" / source)
    assert not list((copy / "build").rglob("removed_long_ago*"))
    assert stale.exists()  # the checkout's own are left alone

    vendored = copy / "build" / "vendor-core"
    assert is_compiled(vendored / "small" / "__init__.py")
    assert not (vendored / "small" / "tests").exists()
    assert not list(vendored.glob("*.dist-info/RECORD"))


def test_a_second_run_vendors_nothing_and_takes_the_new_source(copy: Path) -> None:
    assert build(copy).returncode == 0
    kept = compiled(copy / "build" / "vendor-core" / "small" / "__init__.py")
    before = kept.stat()
    (copy / "tollgate" / "logs.py").unlink()
    (copy / "tollgate" / "newer.py").write_text("NUMBER = 8\n")
    again = build(copy)
    assert (again.returncode, again.stdout) == (0, "")
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert is_compiled(copy / "build" / "tollgate" / "newer.py")
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
