"""What happens at Jenga with no request of ours.

POST /_standin/payments/{reference}/pay      the client pays: on the phone, or else by card
POST /_standin/payments/{reference}/decline  the client or the bank says no
POST /_standin/payments/{reference}/expire   its time is over
POST /_standin/payments/{reference}/refund   409: Jenga tells of no refund
POST /_standin/payments/{reference}/say      {"state"?} the API tells this state from now on
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.routing import Route

from local.jenga.orders import Orders
from local.jenga.store import Order
from local.standin.happenings import Happening, Happenings, Refusal


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ByHand(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(gt=0)] | None = None


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Annotated[str, Field(max_length=80)] = ""


class People:
    """Clients without their browsers and phones, and people in JengaHQ."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def routes(self, happenings: Happenings) -> list[Route]:
        payment = "payments/{id}"
        return [
            happenings.route(f"{payment}/pay", self._plain(self._orders.pay)),
            happenings.route(f"{payment}/decline", self._plain(self._orders.decline)),
            happenings.route(f"{payment}/expire", self._plain(self._orders.expire)),
            happenings.route(f"{payment}/refund", self._refund),
            happenings.route(f"{payment}/say", self._say),
        ]

    def _plain(self, change: Callable[[Order], None]) -> Happening:
        def happening(reference: str, body: bytes) -> dict[str, Any]:
            _Nothing.model_validate_json(body)
            order = self._orders.get(reference)
            change(order)
            return asdict(order)

        return happening

    def _refund(self, reference: str, body: bytes) -> dict[str, Any]:
        """Somebody in JengaHQ may, and nothing in the API would show it."""
        _ByHand.model_validate_json(body)
        self._orders.get(reference)
        raise Refusal(409, "Jenga pays back by hand, and tells nobody")

    def _say(self, reference: str, body: bytes) -> dict[str, Any]:
        order = self._orders.get(reference)
        order.said = _Said.model_validate_json(body).state
        return asdict(order)
