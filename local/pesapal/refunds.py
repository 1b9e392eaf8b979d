"""Refunds: asked for by the API, done once somebody has approved them, and told as a reversal."""

from local.pesapal.currencies import minor_of
from local.pesapal.errors import ApiError, Json
from local.pesapal.ipns import Ipns
from local.pesapal.methods import MOBILE_MONEY
from local.pesapal.requests import RequestRefund
from local.pesapal.store import Charge, Order
from local.pesapal.world import World
from local.standin.happenings import Refusal


class Refunds:
    """One request for a payment; all of mobile money, any part of a card's."""

    def __init__(self, world: World, ipns: Ipns) -> None:
        self._world = world
        self._ipns = ipns

    def request(self, asked: RequestRefund) -> Json:
        """Notes the wish. Raises ApiError."""
        order, charge = self._paid_with(asked.confirmation_code)
        amount_minor = minor_of(asked.amount, charge.currency)
        if (
            self._world.switches.take("reject_refunds")
            or amount_minor is None
            or not _may_go_back(order, charge, amount_minor)
            or order.refund_asked_minor is not None
        ):
            raise ApiError("Refund rejected")
        order.refund_asked_minor = amount_minor
        return {"status": "200", "message": "Refund request successfully"}

    def give_back(self, order: Order, amount_minor: int | None) -> Order:
        """Somebody approves the request, or does it unasked: this much, what was asked, or all.

        Raises Refusal.
        """
        charge = order.charge
        if order.status != "paid" or charge is None:
            raise Refusal(409, "nothing was paid")
        wanted = amount_minor or order.refund_asked_minor or charge.amount_minor
        if not _may_go_back(order, charge, wanted):
            raise Refusal(409, "this much can't go back, or something did already")
        order.refunded_minor = wanted
        self._ipns.tell(order)
        return order

    def _paid_with(self, confirmation_code: str) -> tuple[Order, Charge]:
        for order in self._world.state.orders.values():
            if order.charge is not None and order.charge.confirmation_code == confirmation_code:
                return order, order.charge
        raise ApiError("Refund rejected")


def _may_go_back(order: Order, charge: Charge, amount_minor: int) -> bool:
    is_whole = amount_minor == charge.amount_minor
    return (
        not order.refunded_minor
        and amount_minor <= charge.amount_minor
        and (is_whole or charge.method not in MOBILE_MONEY)
    )
