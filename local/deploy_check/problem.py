"""What the check found, in words that say what to do."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """Something that would go wrong on the platform.

    `where` is a function (`package/name`) or a file, `what` the finding, `remedy` what to do.
    """

    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}\n    {self.remedy}"
