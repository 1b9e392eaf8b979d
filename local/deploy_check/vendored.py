"""Runs inside the platform's Python, alone with one unpacked function:

    python3.11 -I -S -B vendored.py DIRECTORY

Imports every top-level package and every extension module of DIRECTORY's vendor sets, the names
printed one by one: those that no call of this check comes to are shipped whole as well. The
traceback of the first that cannot be imported ends it.
"""

import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from pkgutil import iter_modules


def modules(vendor_set: Path) -> Iterator[str]:
    """Full names. Libraries in folders that are no packages (`*.libs`) are not modules."""
    yield from (module.name for module in iter_modules([str(vendor_set)]))
    for library in vendor_set.rglob("*.so"):
        folders = library.relative_to(vendor_set).parent.parts
        is_extension = library.name.endswith(tuple(EXTENSION_SUFFIXES))
        if is_extension and all(folder.isidentifier() for folder in folders):
            yield ".".join((*folders, library.name.partition(".")[0]))


def main(directory: str) -> None:
    vendor_sets = sorted(Path(directory).glob("vendor-*"))
    sys.path[:0] = map(str, vendor_sets)
    for name in sorted({name for vendor_set in vendor_sets for name in modules(vendor_set)}):
        print(name, flush=True)
        import_module(name)


if __name__ == "__main__":
    main(sys.argv[1])
