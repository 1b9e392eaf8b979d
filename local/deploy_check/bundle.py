"""What a function's zip holds, against what it should."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .problem import Problem

# What must not travel, outside the vendor sets: a requirements.txt makes the runtime run pip
# at every cold start, a .env holds secrets, tests are weight.
_UNWANTED = re.compile(
    r"(^|/)(requirements[^/]*\.txt|\.env[^/]*|\.git[^/]*|tests?/.*|test_[^/]*\.py|conftest\.py)$"
)


@dataclass(frozen=True)
class Bundle:
    """A zip by its table of contents; `size` in bytes as sent."""

    function: str
    path: Path
    size: int
    names: tuple[str, ...]
    links: tuple[str, ...]

    @property
    def compiled(self) -> int:
        """The number of .pyc files."""
        return sum(name.endswith(".pyc") for name in self.names)


def open_bundle(function: str, path: Path) -> Bundle:
    """Reads the table of contents. Raises zipfile.BadZipFile when the code is no zip."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    return Bundle(
        function=function,
        path=path,
        size=path.stat().st_size,
        names=tuple(entry.filename for entry in entries),
        links=tuple(entry.filename for entry in entries if _is_link(entry)),
    )


def contents_problems(bundle: Bundle, size_max: int) -> Iterator[Problem]:
    """Whether the zip is small enough, whole and clean. `size_max` in bytes."""
    if bundle.size >= size_max:
        yield Problem(
            bundle.function,
            f"zip of {bundle.size / 1e6:.2f} MB, the limit is {size_max / 1e6:.2f} MB",
            "take vendor sets it does not need out of its .include",
        )
    if "__main__.py" not in bundle.names:
        yield Problem(
            bundle.function, "no __main__.py in the zip", "list __main__.py in its .include"
        )
    for name in filter(_is_unwanted, bundle.names):
        yield Problem(
            bundle.function,
            f"{name} is in the zip",
            "list in .include only __main__.py and what is needed from ../../../lib/build",
        )
    for name in bundle.links:
        yield Problem(
            bundle.function,
            f"{name} is a symbolic link, dangling once deployed",
            "put the file itself there: only links to directories are followed",
        )
    for name in sorted(_sources(bundle) - _compiled_sources(bundle)):
        yield Problem(
            bundle.function,
            f"{name} has no .pyc: every cold start would compile it",
            "see that shared/build.sh compiles it, and that .include takes it from lib/build",
        )


def _is_link(entry: zipfile.ZipInfo) -> bool:
    return (entry.external_attr >> 16) & 0o170000 == 0o120000


def _is_unwanted(name: str) -> bool:
    return not name.startswith("vendor-") and bool(_UNWANTED.search(name))


def _sources(bundle: Bundle) -> set[str]:
    """The modules that must be compiled; the runtime renames __main__.py, so not that one."""
    return {name for name in bundle.names if name.endswith(".py") and name != "__main__.py"}


def _compiled_sources(bundle: Bundle) -> set[str]:
    """The modules for which a .pyc of CPython 3.11 is there."""
    suffix = ".cpython-311.pyc"
    return {
        str(path.parent.parent / (path.name.removesuffix(suffix) + ".py"))
        for path in map(PurePosixPath, bundle.names)
        if path.name.endswith(suffix) and path.parent.name == "__pycache__"
    }
