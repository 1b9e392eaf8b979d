"""A bug: a place in the code, what is written there instead, and the tests that must notice."""

from dataclasses import dataclass
from pathlib import Path


class NotPlantable(Exception):
    """The place is not in the code any more: the bug must be written anew."""


@dataclass(frozen=True)
class Bug:
    """`old` stands exactly once in `file`; `caught_by` are pytest's arguments."""

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]

    def plant(self, tree: Path) -> None:
        """Writes the bug into this copy of the tree. Raises NotPlantable."""
        file = tree / self.file
        text = file.read_text()
        if text.count(self.old) != 1:
            raise NotPlantable(f"{self.name}: found {text.count(self.old)} times in {self.file}")
        file.write_text(text.replace(self.old, self.new))
