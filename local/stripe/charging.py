"""Charging a card for a PaymentIntent: success, decline, authorisation, delayed methods."""

from local.stripe import objects
from local.stripe.cards import DECLINED, NOT_AUTHENTICATED, OUTCOMES, Decline
from local.stripe.errors import Json, card_error, no_such, unexpected_state
from local.stripe.events import Cause, Events
from local.stripe.store import PaymentMethod, Settlement
from local.stripe.world import World

_AWAY = {"declined": DECLINED, "authentication_required": NOT_AUTHENTICATED}
_LATE_FAILURE = Decline("payment_method_provider_decline", "", "The payment did not go through.")


class Charging:
    """The only place where a Charge comes to be."""

    def __init__(self, world: World, events: Events) -> None:
        self._world = world
        self._events = events

    def attach(self, intent: Json, method_id: str) -> None:
        """Puts a test card or a saved payment method on the intent.

        Raises ApiError (400): unknown, saved for another customer, or used before and not saved.
        """
        if method_id in OUTCOMES:
            intent["payment_method"] = self._world.ids.new("pm_")
            self._world.state.payment_methods[intent["payment_method"]] = PaymentMethod(method_id)
            return
        method = self._world.state.payment_methods.get(method_id)
        if method is None:
            raise no_such("PaymentMethod", method_id, "payment_method")
        if method_id != intent["payment_method"] and (
            method.customer is None or method.customer != intent["customer"]
        ):
            raise unexpected_state(
                f"The PaymentMethod {method_id} is not saved for this customer, so it may not "
                "be used here."
            )
        intent["payment_method"] = method_id

    def charge(self, intent: Json, params: Json, cause: Cause) -> None:
        """One try to take the money. Raises ApiError (402) with the intent for a decline."""
        decline = OUTCOMES[self._world.state.payment_methods[intent["payment_method"]].card]
        off_session = bool(params.get("off_session"))
        if off_session:
            self._world.state.away.append(intent["id"])
            decline = _AWAY.get(self._world.switches.take("off_session"), decline)
        strict = off_session or bool(params.get("error_on_requires_action"))
        if decline is NOT_AUTHENTICATED and not strict:
            self._ask_client(intent, cause)
        elif decline is not None:
            self._refuse(intent, decline, cause)
            raise card_error(intent["last_payment_error"], intent)
        elif outcome := self._world.switches.take("async_payment"):
            self._start_delayed(intent, outcome == "succeeds", cause)
        else:
            self._accept(intent, cause)

    def settle(self, intent: Json, succeeds: bool, cause: Cause) -> None:
        """The end of a delayed payment."""
        if succeeds:
            self._accept(intent, cause)
        else:
            self._refuse(intent, _LATE_FAILURE, cause)

    def capture(self, intent: Json, amount: int, cause: Cause) -> None:
        """Takes `amount` minor units of what was authorised and lets go of the rest."""
        charge = self._world.state.charges[intent["latest_charge"]]
        charge |= {"captured": True, "amount_captured": amount}
        charge["balance_transaction"] = self._entry(charge, amount)
        self.release(charge, charge["amount"] - amount, None)
        intent |= {"status": "succeeded", "amount_received": amount, "amount_capturable": 0}
        self._events.record("payment_intent.succeeded", intent, cause)

    def release(self, charge: Json, amount: int, reason: str | None) -> None:
        """Lets go of what was held: Stripe writes that as a refund too, one in no balance."""
        if amount == 0:
            return
        refund = objects.refund(self._world.ids.new("re_"), self._world.timestamp(), charge, amount)
        self._world.state.refunds[refund["id"]] = refund | {"reason": reason}
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]

    def _entry(self, charge: Json, amount: int) -> str:
        """The charge's entry in the books, less Stripe's fee: 2.9 % and 30 minor units."""
        fee = amount * 29 // 1000 + 30
        entry = objects.balance_transaction(
            self._world.ids.new("txn_"), self._world.timestamp(), charge, amount, fee
        )
        self._world.state.balance_transactions[entry["id"]] = entry
        return str(entry["id"])

    def _ask_client(self, intent: Json, cause: Cause) -> None:
        intent |= {"status": "requires_action", "next_action": {"type": "use_stripe_sdk"}}
        self._events.record("payment_intent.requires_action", intent, cause)

    def _start_delayed(self, intent: Json, succeeds: bool, cause: Cause) -> None:
        due_at = self._world.clock.time() + self._world.switches.faults.async_seconds
        self._world.state.settlements.append(Settlement(intent["id"], due_at, succeeds))
        intent |= {"status": "processing", "last_payment_error": None}
        self._events.record("payment_intent.processing", intent, cause)

    def _refuse(self, intent: Json, decline: Decline, cause: Cause) -> None:
        charge = self._new_charge(intent, decline)
        intent |= {
            "status": "requires_payment_method",
            "payment_method": None,
            "next_action": None,
            "latest_charge": charge["id"],
            "last_payment_error": {
                "type": "card_error",
                "code": decline.code,
                "decline_code": decline.decline_code or None,
                "message": decline.message,
                "charge": charge["id"],
                "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
            },
        }
        self._events.record("payment_intent.payment_failed", intent, cause)

    def _accept(self, intent: Json, cause: Cause) -> None:
        intent["amount"] = max(1, intent["amount"] + self._world.switches.take("wrong_amount"))
        intent["currency"] = self._world.switches.take("wrong_currency") or intent["currency"]
        charge = self._new_charge(intent, None)
        intent |= {"latest_charge": charge["id"], "last_payment_error": None, "next_action": None}
        if intent["setup_future_usage"] and intent["customer"]:
            self._world.state.payment_methods[intent["payment_method"]].customer = intent[
                "customer"
            ]
        if intent["capture_method"] == "manual":
            intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
            self._events.record("payment_intent.amount_capturable_updated", intent, cause)
        else:
            self.capture(intent, intent["amount"], cause)

    def _new_charge(self, intent: Json, decline: Decline | None) -> Json:
        charge_id = self._world.ids.new("ch_")
        charge = objects.charge(charge_id, self._world.timestamp(), intent, decline)
        self._world.state.charges[charge_id] = charge
        return charge
