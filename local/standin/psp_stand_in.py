"""What the stand-ins of all PSPs have in common."""

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

import httpx
from starlette.applications import Starlette

from local.standin.control import Control
from local.standin.deliveries import Compose, Deliveries, is_success
from local.standin.front import Payments
from local.standin.happenings import Happenings
from local.standin.outbox import Outbox
from local.standin.pages import Table, path_of
from local.standin.store import Store
from local.standin.world import World

StateT = TypeVar("StateT", bound=Outbox)
ShownT_contra = TypeVar("ShownT_contra", contravariant=True)


class Overview(Protocol[ShownT_contra]):
    """A PSP's module that shows its state; `path` is where the stand-in is mounted."""

    def payments(self, state: ShownT_contra) -> Payments: ...

    def tables(self, state: ShownT_contra, path: str) -> Sequence[Table]: ...

    def ledger(self, state: ShownT_contra) -> dict[str, Any]: ...


class PspStandIn(Generic[StateT]):
    """A `front.StandIn` but for its `app`, which a PSP's own class adds: Starlette with the PSP's
    routes and those of `_control`.

    `name` is the PSP's in the log, `overview_at` the path of the overview within the stand-in;
    for `compose` and `accepts` see Deliveries.
    """

    psp: str
    app: Starlette

    def __init__(
        self,
        store: Store[StateT],
        world: World[StateT, Any],
        overview: Overview[StateT],
        *,
        name: str,
        base_url: str,
        compose: Compose,
        log: Callable[[str], None],
        accepts: Callable[[httpx.Response], bool] = is_success,
        overview_at: str = "/",
    ) -> None:
        state, path = world.state, path_of(base_url)
        self._state = state
        self._overview = overview
        self._save = store.save
        self._deliveries = Deliveries(
            name=name,
            outbox=state,
            clock=world.clock,
            switches=world.switches,
            compose=compose,
            accepts=accepts,
            tick=self._catch_up,
            save=self._save,
            log=log,
        )
        self._control = Control(
            psp=self.psp,
            base_url=base_url,
            overview=overview_at,
            switches=world.switches,
            deliveries=self._deliveries,
            tables=lambda: overview.tables(state, path),
            ledger=lambda: overview.ledger(state),
            tick=self._catch_up,
        )
        self._happenings = Happenings(self._catch_up, self._save, self.overview_path)

    async def start(self) -> None:
        """Starts the worker that delivers notifications."""
        await self._deliveries.start()

    async def stop(self) -> None:
        """Stops the worker and saves."""
        await self._deliveries.stop()
        self._save()

    @property
    def overview_path(self) -> str:
        """Of the overview, from the server's root."""
        return self._control.overview_path

    def payments(self) -> Payments:
        """How many are open and paid by now."""
        self._catch_up()
        return self._overview.payments(self._state)

    def _catch_up(self) -> None:
        """Brings the state up to the clock."""
        if self._let_pass():
            self._save()

    def _let_pass(self) -> bool:
        """Does what happens because time passes; whether anything did. Here nothing ever does."""
        return False
