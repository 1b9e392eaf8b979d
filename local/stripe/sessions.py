"""Checkout Sessions: created over the API, paid on the page, closed by time."""

from local.stripe import objects
from local.stripe.cards import GOOD_CARD, REFUSED_CARD
from local.stripe.charging import Charging
from local.stripe.customers import create_customer
from local.stripe.errors import ApiError, Json, no_such, unexpected_state
from local.stripe.events import Cause, Events
from local.stripe.intents import Intents
from local.stripe.session_rules import total
from local.stripe.store import Checkout, Line
from local.stripe.world import World

# Taken over into the object as sent.
_COPIED = (
    "adaptive_pricing allow_promotion_codes allowed_payment_method_types "
    "billing_address_collection branding_settings cancel_url client_reference_id "
    "consent_collection custom_fields custom_text customer customer_creation customer_email "
    "excluded_payment_method_types expires_at integration_identifier locale metadata "
    "name_collection origin_context permissions phone_number_collection "
    "saved_payment_method_options submit_type success_url wallet_options"
)
_BY_CLIENT = Cause()


class Sessions:
    """The life of a hosted Session in payment mode (docs.stripe.com/payments/checkout)."""

    def __init__(
        self, world: World, events: Events, intents: Intents, charging: Charging, base_url: str
    ) -> None:
        self._world = world
        self._events = events
        self._intents = intents
        self._charging = charging
        self._base_url = base_url.rstrip("/")

    def create(self, params: Json, _cause: Cause) -> Json:
        """An open Session with the address of its page. Raises ApiError for an unknown customer."""
        customer = params.get("customer")
        if customer is not None and customer not in self._world.state.customers:
            raise no_such("customer", customer, "customer")
        lines = params["line_items"]
        currency = lines[0]["price_data"]["currency"]
        session_id = self._world.ids.new("cs_test_", 58)
        created = self._world.timestamp()
        session = objects.checkout_session(session_id, created, total(lines), currency)
        if customer is None:
            session["customer_creation"] = "if_required"
        session |= {name: params[name] for name in _COPIED.split() if name in params}
        session["url"] = f"{self._base_url}/c/pay/{session_id}"
        names = [line["price_data"]["product_data"]["name"] for line in lines]
        self._world.state.checkouts[session_id] = Checkout(
            [Line(name, line["quantity"]) for name, line in zip(names, lines, strict=True)],
            params.get("branding_settings", {}).get("display_name", ""),
            params.get("payment_intent_data", {}),
        )
        self._world.state.sessions[session_id] = session
        return session

    def get(self, session_id: str) -> Json:
        """Raises ApiError (404)."""
        if session_id not in self._world.state.sessions:
            raise no_such("checkout.session", session_id, "session", status=404)
        return self._world.state.sessions[session_id]

    def expire(self, session_id: str, cause: Cause) -> Json:
        """Raises ApiError (400) unless the Session is open."""
        session = self.get(session_id)
        if session["status"] != "open":
            raise unexpected_state(
                'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of `{session['status']}`."
            )
        self._close(session, cause)
        return session

    def pay(self, session_id: str) -> Json:
        """The client pays with a good card. A Session that is not open stays as it is."""
        return self._attempt(session_id, GOOD_CARD)

    def decline(self, session_id: str) -> Json:
        """The client's card is declined; the Session stays open for another try."""
        return self._attempt(session_id, REFUSED_CARD)

    def intent_of(self, session: Json) -> Json | None:
        """The Session's PaymentIntent: none before the client first acts."""
        return self._world.state.payment_intents.get(session["payment_intent"] or "")

    def expire_due(self) -> bool:
        """Closes the Sessions whose time is over; whether there were any."""
        now = self._world.clock.time()
        over = [
            session
            for session in self._world.state.sessions.values()
            if session["status"] == "open" and session["expires_at"] <= now
        ]
        for session in over:
            self._close(session, _BY_CLIENT)
        return bool(over)

    def settle_due(self) -> bool:
        """Ends the delayed payments whose time has come; whether there were any."""
        now = self._world.clock.time()
        due = [
            settlement for settlement in self._world.state.settlements if settlement.due_at <= now
        ]
        for settlement in due:
            self._world.state.settlements.remove(settlement)
            intent = self._world.state.payment_intents[settlement.payment_intent]
            self._charging.settle(intent, settlement.succeeds, _BY_CLIENT)
            session = self.follow(intent)
            if session is not None:
                outcome = "succeeded" if settlement.succeeds else "failed"
                event_type = f"checkout.session.async_payment_{outcome}"
                self._events.record(event_type, session, _BY_CLIENT)
        return bool(due)

    def follow(self, intent: Json) -> Json | None:
        """Marks the Session of an intent that has been paid since; the Session, if there is one."""
        session = self._world.state.sessions.get(
            self._world.state.session_of_intent.get(intent["id"], "")
        )
        if session is not None and intent["status"] == "succeeded":
            self._mark_paid(session, intent)
        return session

    def _attempt(self, session_id: str, card: str) -> Json:
        session = self.get(session_id)
        if session["status"] != "open":
            return session
        intent = self.intent_of(session) or self._start_intent(session)
        self._charging.attach(intent, card)
        try:
            self._charging.charge(intent, {}, _BY_CLIENT)
        except ApiError:
            return session  # the decline is on the intent, where the page finds it
        self._complete(session, intent)
        return session

    def _start_intent(self, session: Json) -> Json:
        wanted = self._world.state.checkouts[session["id"]].intent
        if session["customer"] is None and session["customer_creation"] == "always":
            email = session["customer_email"]
            customer = create_customer(self._world, {"email": email} if email else {})
            session["customer"] = customer["id"]
        params = wanted | {"customer": session["customer"]}
        intent = self._intents.new(session["amount_total"], session["currency"], params)
        self._world.state.payment_intents[intent["id"]] = intent
        self._world.state.session_of_intent[intent["id"]] = session["id"]
        session["payment_intent"] = intent["id"]
        return intent

    def _complete(self, session: Json, intent: Json) -> None:
        session |= {"status": "complete", "url": None}
        if session["customer_email"] is not None:
            email = session["customer_email"]
            session["customer_details"] = {"email": email, "address": None, "name": None}
        if intent["status"] == "succeeded":
            self._mark_paid(session, intent)
        self._events.record("checkout.session.completed", session, _BY_CLIENT)

    def _mark_paid(self, session: Json, intent: Json) -> None:
        session |= {
            "payment_status": "paid",
            "amount_subtotal": intent["amount"],
            "amount_total": intent["amount"],
            "currency": intent["currency"],
        }

    def _close(self, session: Json, cause: Cause) -> None:
        session |= {"status": "expired", "url": None}
        intent = self.intent_of(session)
        if intent is not None:
            self._intents.end(intent, "expired", cause)
        self._events.record("checkout.session.expired", session, cause)
