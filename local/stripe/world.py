"""What every part of the stand-in works on."""

from dataclasses import dataclass

from local.clock import Clock
from local.stripe.faults import Switchboard
from local.stripe.identifiers import Identifiers
from local.stripe.store import State


@dataclass(frozen=True)
class World:
    """The objects there are, the time, where ids come from, and what is to go wrong."""

    state: State
    clock: Clock
    ids: Identifiers
    switches: Switchboard

    def timestamp(self) -> int:
        """Whole seconds since 1970, as API objects hold them."""
        return int(self.clock.time())
