"""What every part of a stand-in works on."""

from dataclasses import dataclass
from typing import Generic

from local.clock import Clock
from local.standin.faults import FaultsT, Switchboard
from local.standin.identifiers import Identifiers
from local.standin.store import StateT


@dataclass(frozen=True)
class World(Generic[StateT, FaultsT]):
    """The objects there are, the time, where ids come from, and what is to go wrong."""

    state: StateT
    clock: Clock
    ids: Identifiers
    switches: Switchboard[FaultsT]

    def timestamp(self) -> int:
        """Whole seconds since 1970."""
        return int(self.clock.time())
