"""Whether all that must hold in the database does hold."""

from dataclasses import dataclass

from tollgate.operations.context import Context
from tollgate.storage.invariants import INVARIANTS, Offenders, find_offenders

SHOWN = 20
"""How many offenders of a rule are named; the rest are counted."""


@dataclass(frozen=True)
class Finding:
    """Who offends against a rule: nobody, when it holds."""

    name: str
    rule: str
    offenders: Offenders

    @property
    def holds(self) -> bool:
        """Whether nobody does."""
        return self.offenders.count == 0

    def __str__(self) -> str:
        if self.holds:
            return f"holds   {self.name}"
        more = self.offenders.count - len(self.offenders.ids)
        named = " ".join(self.offenders.ids) + (f" and {more} more" if more else "")
        return f"BROKEN  {self.name}: {self.rule} Not so: {named}"


def check_invariants(context: Context) -> list[Finding]:
    """Each rule of storage/invariants.py with its offenders, among the rows of every tenant."""
    return [
        Finding(each.name, each.rule, find_offenders(context.database, each, SHOWN))
        for each in INVARIANTS
    ]
