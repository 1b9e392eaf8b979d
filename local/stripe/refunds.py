"""Refunds: asked for over the API or by hand, done at once or later, and failed after all."""

from local.stripe import objects
from local.stripe.errors import (
    Json,
    charge_refused,
    invalid_parameter,
    missing_parameter,
    no_such,
    unexpected_state,
)
from local.stripe.events import Cause, Events
from local.stripe.rules import check_amount, check_metadata, refuse_unmodelled
from local.stripe.world import World

_UNMODELLED = "currency customer instructions_email origin refund_application_fee reverse_transfer"
_BY_BANK = Cause()


class Refunds:
    """The life of a Refund (docs.stripe.com/refunds)."""

    def __init__(self, world: World, events: Events) -> None:
        self._world = world
        self._events = events

    def check_create(self, params: Json) -> None:
        """Raises ApiError for what Stripe refuses before anything exists."""
        refuse_unmodelled(params, _UNMODELLED.split())
        if "payment_intent" not in params and "charge" not in params:
            raise missing_parameter("payment_intent")
        if "payment_intent" in params and "charge" in params:
            raise invalid_parameter("charge", "Send either payment_intent or charge.")
        if "amount" in params:
            check_amount(params["amount"], "amount")
        check_metadata(params.get("metadata") or {})

    def create(self, params: Json, cause: Cause) -> Json:
        """Raises ApiError (400) for a charge that is not paid, disputed, or has less left."""
        charge = self._charge(params)
        left = charge["amount"] - charge["amount_refunded"]
        if self._is_disputed(charge):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise charge_refused(message, "charge_disputed")
        if left == 0:
            message = f"Charge {charge['id']} has already been refunded."
            raise charge_refused(message, "charge_already_refunded")
        amount: int = params.get("amount", left)
        if amount > left:
            message = f"Refund amount ({amount}) is greater than unrefunded amount ({left})."
            raise charge_refused(message, "amount_too_large")
        refund = objects.refund(self._world.ids.new("re_"), self._world.timestamp(), charge, amount)
        refund |= {"metadata": params.get("metadata") or {}, "reason": params.get("reason")}
        self._world.state.refunds[refund["id"]] = refund
        if self._world.switches.take("pending_refunds"):
            refund |= {"status": "pending", "pending_reason": "processing"}
        else:
            self._give_back(refund)
        _add_refunded(charge, amount)
        self._events.record("charge.refunded", charge, cause)
        self._events.record("refund.created", refund, cause)
        return refund

    def get(self, refund_id: str) -> Json:
        """Raises ApiError (404)."""
        if refund_id not in self._world.state.refunds:
            raise no_such("refund", refund_id, "refund", status=404)
        return self._world.state.refunds[refund_id]

    def succeed(self, refund_id: str) -> Json:
        """The end of a pending refund. Raises ApiError (400) for any other."""
        refund = self.get(refund_id)
        if refund["status"] != "pending":
            raise unexpected_state("Only a pending refund can succeed.")
        self._give_back(refund)
        self._events.record("refund.updated", refund, _BY_BANK)
        return refund

    def fail(self, refund_id: str) -> Json:
        """The bank does not take it, maybe days after it had seemed done: the money is back.

        Raises ApiError (400) for one that has failed before, and for the release of a hold.
        """
        refund = self.get(refund_id)
        if refund["status"] == "failed" or _is_release(refund):
            raise unexpected_state("This refund can't fail.")
        if refund["balance_transaction"] is not None:
            refund["failure_balance_transaction"] = self._entry(refund, refund["amount"])
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        refund.pop("pending_reason", None)
        charge = self._world.state.charges[refund["charge"]]
        _add_refunded(charge, -refund["amount"])
        self._events.record("refund.updated", refund, _BY_BANK)
        self._events.record("refund.failed", refund, _BY_BANK)
        return refund

    def _charge(self, params: Json) -> Json:
        charges = self._world.state.charges
        if "charge" in params:
            charge = charges.get(params["charge"])
            if charge is None:
                raise no_such("charge", params["charge"], "charge")
        else:
            intent = self._world.state.payment_intents.get(params["payment_intent"])
            if intent is None:
                raise no_such("payment_intent", params["payment_intent"], "payment_intent")
            charge = charges.get(intent["latest_charge"] or "")
        if charge is None or not charge["captured"]:
            raise unexpected_state("There is no successful charge to refund.")
        return charge

    def _is_disputed(self, charge: Json) -> bool:
        return any(
            dispute["charge"] == charge["id"] and not dispute["is_charge_refundable"]
            for dispute in self._world.state.disputes.values()
        )

    def _give_back(self, refund: Json) -> None:
        entry = self._entry(refund, -refund["amount"])
        refund |= {"status": "succeeded", "balance_transaction": entry}
        refund.pop("pending_reason", None)

    def _entry(self, refund: Json, amount: int) -> str:
        entry = objects.balance_transaction(
            self._world.ids.new("txn_"), self._world.timestamp(), refund, amount, fee=0
        )
        self._world.state.balance_transactions[entry["id"]] = entry
        return str(entry["id"])


def _is_release(refund: Json) -> bool:
    return refund["status"] == "succeeded" and refund["balance_transaction"] is None


def _add_refunded(charge: Json, amount: int) -> None:
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
