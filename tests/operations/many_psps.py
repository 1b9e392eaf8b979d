"""Several PSPs at once for tests, each by its name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.operators import Operator
from tests.scripted_psp import ScriptedPsp
from tests.world import Answer, World
from tollgate.domain.errors import TollgateError, UnsupportedPsp
from tollgate.domain.order import Order
from tollgate.settings import Settings


@dataclass
class ChoosyPsp(ScriptedPsp):
    """Refuses an order before it is sent, for as long as it has an objection."""

    objection: TollgateError | None = None

    def check(self, order: Order) -> None:
        """Raises the objection."""
        if self.objection is not None:
            raise self.objection


def with_psps(world: World, psps: Mapping[str, ScriptedPsp]) -> None:
    """From now on the container finds these PSPs, and no others."""

    def open_psp(name: str, _settings: Settings, _tokens: object) -> ScriptedPsp:
        if name not in psps:
            raise UnsupportedPsp
        return psps[name]

    world.context = replace(world.context, open_psp=open_psp, _psps={})


def route(world: World, *routes: dict[str, Any]) -> Answer:
    """Gives the app this routing."""
    body = {"routing": list(routes)}
    return Operator(world, "apps").ask("PUT", f"/{world.app.id}", body)


def tell_of(world: World, psp: str, payment_id: str) -> Answer:
    """An event of this PSP about this payment: go and look."""
    ((count,),) = world.rows("SELECT count(*) FROM inbox")
    event = {
        "event_id": f"evt_{psp}_{count}",
        "type": "something.happened",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": f"ref_{payment_id}",
    }
    headers = {"signature": "signed"}
    return world.call("webhook/receive", path=f"/{psp}", body=event, headers=headers)
