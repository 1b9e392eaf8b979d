"""Builds what would be uploaded: shared code once, then each function's bundle.

The build directory belongs to one host at a time:

    lib/                                 a copy of the project's lib/, built by its build.sh
    sets/<signature>/<name>              a dependency folder out of lib/, one for all functions
    functions/<package>/<name>/<signature>/   a bundle: what the unpacked zip would be

A bundle is named by what it was made of, so an unchanged function keeps its folder, and a process
that still runs in an older one keeps that.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from local.host.project import Function, is_ignored
from local.host.rules import ProjectError

LIB = "../../../lib/"
BUILD_SCRIPTS = ("build.sh", "build.cmd", ".build", "package.json")
OUTPUT_LINES = 30


class Builder:
    """Makes bundles of a project's functions under `directory`."""

    def __init__(self, project: Path, directory: Path, log: Callable[[str], None]) -> None:
        self._project_lib = project / "lib"
        self._lib = directory / "lib"
        self._sets = directory / "sets"
        self._functions = directory / "functions"
        self._log = log
        self._lib_signatures: dict[Path, str] = {}

    def build_lib(self) -> None:
        """Copies lib/ and runs its build.sh. Raises ProjectError with the script's last words."""
        if not self._project_lib.is_dir():
            return
        self._lib_signatures.clear()
        mirror(self._project_lib, self._lib, keep="build")
        script = self._lib / "build.sh"
        if not script.is_file():
            return
        if not os.access(script, os.X_OK):
            raise ProjectError("lib/build.sh is not executable: chmod +x it")
        environment = os.environ | {
            "TOLLGATE_PYTHON": sys.executable,
            "TOLLGATE_RUNTIME": "native",
        }
        done = subprocess.run(
            [script],
            cwd=self._lib,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        lines = done.stdout.splitlines()
        if done.returncode:
            words = "\n".join(lines[-OUTPUT_LINES:])
            raise ProjectError(f"lib/build.sh failed (exit {done.returncode}):\n{words}")
        for line in lines:
            self._log(f"build.sh: {line}")

    def build(self, function: Function) -> Path:
        """The function's bundle, made unless it is there. Raises ProjectError."""
        entries = self._entries(function)
        digest = hashlib.sha256()
        for name, source in sorted(entries.items()):
            digest.update(f"{name}|{self._signature(source)}\n".encode())
        signature = digest.hexdigest()[:20]
        bundle = self._functions / function.package / function.name / signature
        if bundle.is_dir():
            return bundle
        staging = bundle.with_name(f"{signature}.new")
        shutil.rmtree(staging, ignore_errors=True)
        for name, source in entries.items():
            self._place(source, staging / name)
        staging.rename(bundle)
        return bundle

    def prune(self, current: set[Path]) -> None:
        """Deletes the bundles that are none of these, and the sets they alone used."""
        for bundle in self._functions.glob("*/*/*"):
            if bundle not in current:
                shutil.rmtree(bundle)
        used = {link.resolve().parent for bundle in current for link in bundle.iterdir()}
        for snapshot in self._sets.glob("*"):
            if snapshot.resolve() not in used:
                shutil.rmtree(snapshot)

    def _entries(self, function: Function) -> dict[str, Path]:
        """Path in the bundle -> file or folder to take, by `.include` or the whole folder."""
        where = f"packages/{function.path}"
        _refuse_what_does_not_survive_zipping(function.folder, where)
        include = function.folder / ".include"
        if include.is_file():
            lines = [line.strip() for line in include.read_text().splitlines() if line.strip()]
        else:
            lines = [p.name for p in sorted(function.folder.iterdir()) if not is_ignored(p.name)]
        entries: dict[str, Path] = {}
        for line in lines:
            name, source = self._entry(function, line)
            if name in entries:
                raise ProjectError(f"{where}/.include: two entries would both be '{name}'")
            entries[name] = source
        if "__main__.py" not in entries:
            raise ProjectError(f"{where}: the bundle has no __main__.py; make it or .include it")
        return entries

    def _entry(self, function: Function, line: str) -> tuple[str, Path]:
        where = f"packages/{function.path}/.include: '{line}'"
        inside = line.removeprefix(LIB)
        if line.startswith("/"):
            raise ProjectError(f"{where} is absolute; paths start in the function's folder")
        if ".." in inside.split("/"):
            raise ProjectError(f"{where}: '..' may only lead to {LIB}…, as the deployer wants it")
        if inside == line:
            name, source = os.path.normpath(line), function.folder / line
        else:
            source = self._lib / os.path.normpath(inside)
            name = source.name
        if not inside.strip("/") or not source.exists():
            raise ProjectError(f"{where} is neither a file nor a folder (is it built by build.sh?)")
        return name, source

    def _place(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not source.is_relative_to(self._lib):
            copy(source, target)
        elif source.is_dir() and not (source / "__init__.py").exists():
            target.symlink_to(self._snapshot(source))
        else:
            copy(source, target, link=True)

    def _snapshot(self, source: Path) -> Path:
        """A dependency folder, kept as it is now whatever the next build does.

        It is a place on sys.path, thousands of files and alike for every function, so bundles hold
        a link to it. A package is not linked so: its modules may look around from where they are.
        """
        snapshot = self._sets / self._signature(source) / source.name
        if not snapshot.is_dir():
            staging = snapshot.parent.with_suffix(".new")
            shutil.rmtree(staging, ignore_errors=True)
            copy(source, staging / source.name, link=True)
            staging.rename(snapshot.parent)
        return snapshot.resolve()

    def _signature(self, source: Path) -> str:
        """Of a file or folder; lib's, thousands of files, change with its build only."""
        if not source.is_relative_to(self._lib):
            return _signature(source)
        if source not in self._lib_signatures:
            self._lib_signatures[source] = _signature(source)
        return self._lib_signatures[source]


def mirror(source: Path, target: Path, keep: str) -> None:
    """Makes target a copy of source, apart from the entry named `keep`, which is left alone."""
    target.mkdir(parents=True, exist_ok=True)
    for old in target.iterdir():
        if old.name == keep:
            continue
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    for entry in source.iterdir():
        if entry.name not in {keep, "__pycache__"} and not is_ignored(entry.name):
            copy(entry, target / entry.name)


def copy(source: Path, target: Path, *, link: bool = False) -> None:
    """Copies a file or a tree; with `link`, by hard links: for sources nobody writes into."""
    place = os.link if link else shutil.copy2
    if source.is_dir():
        shutil.copytree(source, target, copy_function=place, ignore=_ignored)
    else:
        place(source, target)


def _ignored(_folder: str, names: list[str]) -> list[str]:
    return [name for name in names if is_ignored(name)]


def _signature(source: Path) -> str:
    digest = hashlib.sha256(source.name.encode())
    for file in _files(source):
        state = file.stat()
        relative = file.relative_to(source)
        digest.update(f"{relative}|{state.st_mtime_ns}|{state.st_size}\n".encode())
    return digest.hexdigest()[:20]


def _files(source: Path) -> Iterator[Path]:
    if not source.is_dir():
        yield source
        return
    for folder, folders, names in os.walk(source):
        folders.sort()
        yield from (Path(folder, name) for name in sorted(names))


def _refuse_what_does_not_survive_zipping(folder: Path, where: str) -> None:
    if (folder / ".ignore").exists():
        raise ProjectError(f"{where}/.ignore is not read here: list the files in .include instead")
    for script in BUILD_SCRIPTS:
        if (folder / script).exists():
            raise ProjectError(f"{where}/{script}: a function has no build of its own, lib/ has")
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ProjectError(f"{where}: the link {path.name} would dangle in the upload")
