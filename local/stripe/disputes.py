"""Disputes: a client's bank takes a payment back. Nobody opens one over the API."""

from local.stripe import objects
from local.stripe.errors import Json, invalid_parameter, no_such, unexpected_state
from local.stripe.events import Cause, Events
from local.stripe.world import World

_BY_BANK = Cause()


class Disputes:
    """The life of a Dispute (docs.stripe.com/disputes/how-disputes-work)."""

    def __init__(self, world: World, events: Events) -> None:
        self._world = world
        self._events = events

    def open(self, charge_id: str, amount: int | None, *, inquiry: bool) -> Json:
        """For all that was taken unless told; an inquiry asks first, and takes nothing.

        Raises ApiError: 404, or 400 for a charge that is not paid or for more than was taken.
        """
        charge = self._world.state.charges.get(charge_id)
        if charge is None:
            raise no_such("charge", charge_id, "charge", status=404)
        if not charge["captured"]:
            raise unexpected_state("There is no successful charge to dispute.")
        amount = amount or charge["amount_captured"]
        if amount > charge["amount_captured"]:
            raise invalid_parameter("amount", "That is more than was taken.")
        dispute = objects.dispute(
            self._world.ids.new("dp_"), self._world.timestamp(), charge, amount
        )
        if inquiry:
            dispute |= {"status": "warning_needs_response", "is_charge_refundable": True}
        self._world.state.disputes[dispute["id"]] = dispute
        charge["disputed"] = True
        self._events.record("charge.dispute.created", dispute, _BY_BANK)
        if not inquiry:
            self._events.record("charge.dispute.funds_withdrawn", dispute, _BY_BANK)
        return dispute

    def get(self, dispute_id: str) -> Json:
        """Raises ApiError (404)."""
        if dispute_id not in self._world.state.disputes:
            raise no_such("dispute", dispute_id, "dispute", status=404)
        return self._world.state.disputes[dispute_id]

    def win(self, dispute_id: str) -> Json:
        """The money comes back, also of a lost one, on appeal. Raises ApiError (400)."""
        return self._close(dispute_id, "won", "funds_reinstated")

    def lose(self, dispute_id: str) -> Json:
        """The client keeps the money, also of a won one, in a second round. Raises ApiError."""
        was_won = self.get(dispute_id)["status"] == "won"
        return self._close(dispute_id, "lost", "funds_withdrawn" if was_won else None)

    def _close(self, dispute_id: str, status: str, moved: str | None) -> Json:
        dispute = self.get(dispute_id)
        if dispute["status"] == status or dispute["status"].startswith("warning_"):
            raise unexpected_state(f"This dispute can't be {status}: it is {dispute['status']}.")
        dispute |= {"status": status, "is_charge_refundable": status == "won"}
        self._events.record("charge.dispute.closed", dispute, _BY_BANK)
        if moved is not None:
            self._events.record(f"charge.dispute.{moved}", dispute, _BY_BANK)
        return dispute
