"""Runs inside the platform's Python, which alone can judge its .pyc files:

    python3.11 -I -S -B compiled.py DIRECTORY

Prints a line for every .pyc that the runtime would not take as it is: of another Python, one
that is checked against a time or a source at import, or one compiled from another source. A .pyc
is in a __pycache__ and has its source, or stands in the source's place and has none.
"""

import sys
from importlib.util import MAGIC_NUMBER, source_from_cache, source_hash
from pathlib import Path

_UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552: hash-based, not checked at import


def fault(pyc: Path) -> str | None:
    """What is wrong with one .pyc, or None."""
    content = pyc.read_bytes()
    if content[:4] != MAGIC_NUMBER:
        return "compiled by another Python"
    if content[4:8] != _UNCHECKED_HASH:
        return "not compiled as unchecked-hash"
    if pyc.parent.name != "__pycache__":
        return "beside its source, so never imported" if pyc.with_suffix(".py").exists() else None
    source = Path(source_from_cache(str(pyc)))
    if not source.is_file():
        return "without its source, so never imported"
    if content[8:16] != source_hash(source.read_bytes()):
        return "compiled from another source"
    return None


def main(directory: str) -> None:
    for pyc in sorted(Path(directory).rglob("*.pyc")):
        found = fault(pyc)
        if found:
            print(f"{pyc.relative_to(directory)}: {found}")


if __name__ == "__main__":
    main(sys.argv[1])
