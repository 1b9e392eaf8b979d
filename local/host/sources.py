"""What the functions are made of, and whether it has changed since they were built."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import DefaultFilter, awatch

NOT_SOURCES = frozenset({"__pycache__", ".deployed", ".git"})

LOOK_MILLISECONDS = 1000

Fingerprint = dict[str, tuple[int, int, int]]


class Sources:
    """project.yml, packages/ and the folder behind lib/ (without what its build.sh makes)."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self.lib = (self._root / "lib").resolve()
        self._build = str(self.lib / "build")

    def fingerprint(self) -> Fingerprint:
        """Path -> modification time, size and inode of every source file: a millisecond's work."""
        found: Fingerprint = {}
        project_file = self._root / "project.yml"
        if project_file.exists():
            found[str(project_file)] = _state(project_file.stat())
        folders = [str(folder) for folder in (self._root / "packages", self.lib) if folder.is_dir()]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.name in NOT_SOURCES or entry.path == self._build:
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        found[entry.path] = _state(entry.stat(follow_symlinks=False))
        return found

    def touches_lib(self, before: Fingerprint, after: Fingerprint) -> bool:
        """Whether the two differ in a file behind lib/."""
        prefix = f"{self.lib}{os.sep}"
        changed = dict(before.items() ^ after.items())
        return any(path.startswith(prefix) for path in changed)

    async def looks(self) -> AsyncIterator[None]:
        """Yields when it is worth a look: after a burst of changes, and once in a while.

        A save before the watch stands is not seen by it, nor is project.yml, which lies beside
        folders too large to watch; the look once in a while finds both.
        """
        folders = [folder for folder in (self._root / "packages", self.lib) if folder.is_dir()]
        async for _ in awatch(
            *folders,
            watch_filter=_SourceFilter(self._build),
            step=50,
            debounce=400,
            rust_timeout=LOOK_MILLISECONDS,
            yield_on_timeout=True,
        ):
            yield


class _SourceFilter(DefaultFilter):
    def __init__(self, build: str) -> None:
        super().__init__(ignore_paths=[build])


def _state(stat: os.stat_result) -> tuple[int, int, int]:
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino)
