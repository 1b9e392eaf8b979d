"""What a stand-in remembers, in memory and, when asked, in a file."""

import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

StateT = TypeVar("StateT")


class Store(Generic[StateT]):
    """Holds the state, a dataclass whose fields all have defaults; `save` writes it where a crash
    leaves either the old file or the new one.

    A file that another version wrote is set aside, and the state begins anew.
    """

    def __init__(self, kind: type[StateT], file: Path | None) -> None:
        self._file = file
        self._adapter = TypeAdapter(kind)
        self.state = kind()
        if file is not None and file.exists():
            self.state = self._read(file)

    def _read(self, file: Path) -> StateT:
        try:
            return self._adapter.validate_json(file.read_bytes())
        except ValidationError:
            file.replace(file.with_name(file.name + ".old"))
            return self.state

    def save(self) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._file.with_name(self._file.name + ".new")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self._adapter.dump_json(self.state))
        unfinished.replace(self._file)
