"""Orders: created, approved by the client, captured by us, or lapsed."""

from copy import deepcopy

from local.paypal.amounts import check_amount
from local.paypal.captures import Captures
from local.paypal.errors import Json, not_found, unprocessable
from local.paypal.events import Events, instant
from local.paypal.store import Order
from local.paypal.vault import Vault
from local.paypal.world import World
from local.standin.identifiers import CAPITALS_AND_DIGITS

LIVES_SECONDS = 3 * 3600
"""To be approved after it was made, and to be captured after that."""

PAYER = {
    "email_address": "buyer@example.com",
    "account_id": "YTENGYR8PAF9A",
    "account_status": "VERIFIED",
    "name": {"given_name": "Ann", "surname": "Example"},
    "address": {"country_code": "US"},
}


class Orders:
    """What /v2/checkout/orders does. `base_url` is where the stand-in is reached."""

    def __init__(
        self, world: World, events: Events, captures: Captures, vault: Vault, base_url: str
    ) -> None:
        self._world = world
        self._events = events
        self._captures = captures
        self._vault = vault
        self._base_url = base_url

    def create(self, _: str, asked: Json) -> str:
        """The new order's id; one with a vault_id is paid by then. Raises ApiError."""
        _refuse_unmodelled(asked)
        (unit,) = asked["purchase_units"]
        check_amount(unit["amount"], "/purchase_units/0/amount")
        wallet = asked["payment_source"]["paypal"]
        vault_id = wallet.get("vault_id")
        saves_method = "vault" in wallet.get("attributes", {})
        self._vault.check(vault_id, saves_method)
        order_id = self._world.ids.new("", 17, CAPITALS_AND_DIGITS)
        order = self._new(order_id, asked["intent"], unit, wallet, saves_method)
        if vault_id is not None:
            self._captures.check(order)
            order.shown["payment_source"]["paypal"] = dict(PAYER)
        self._world.state.orders[order_id] = order
        if vault_id is not None:
            self._complete(order)
        return order_id

    def get(self, order_id: str) -> Order:
        """Raises ApiError (404), also for an order that has lapsed."""
        order = self._world.state.orders.get(order_id)
        if order is None or order.is_lapsed:
            raise not_found()
        return order

    def show(self, order_id: str) -> Json:
        """As the API shows it, with its captures and refunds."""
        order = self.get(order_id)
        shown = deepcopy(order.shown)
        shown["links"] = self._links(order_id, shown["status"])
        payments = self._captures.of_order(order_id)
        if payments:
            (unit,) = shown["purchase_units"]
            unit["payments"] = payments
        if order.say:
            shown["status"] = order.say
            for capture in payments.get("captures", ()):
                capture["status"] = order.say
        return shown

    def approve(self, order_id: str, *, funding_declined: bool = False) -> Order:
        """The client agrees, with or without money behind it. An order that was approved already
        may be approved again with something else. Raises ApiError (404; 422 once it is paid)."""
        order = self.get(order_id)
        if order.shown["status"] == "COMPLETED":
            raise unprocessable("ORDER_ALREADY_CAPTURED")
        order.shown["status"] = "APPROVED"
        order.shown["payment_source"] = {"paypal": dict(PAYER)}
        order.funding_declined = funding_declined
        order.lapses_at = self._world.clock.time() + LIVES_SECONDS
        self._events.record("CHECKOUT.ORDER.APPROVED", self.show(order_id))
        return order

    def capture(self, order_id: str, _asked: Json) -> str:
        """Raises ApiError where there is nothing to take, or no way to take it."""
        order = self.get(order_id)
        if order.shown["status"] == "COMPLETED":
            raise unprocessable("ORDER_ALREADY_CAPTURED")
        if order.shown["status"] != "APPROVED":
            raise unprocessable("ORDER_NOT_APPROVED")
        self._captures.check(order)
        self._complete(order)
        return order_id

    def lapse(self, order_id: str) -> Order:
        """PayPal ends it. Raises ApiError (404; 422 once it is paid)."""
        order = self.get(order_id)
        if order.shown["status"] == "COMPLETED":
            raise unprocessable("ORDER_ALREADY_CAPTURED")
        if order.shown["status"] == "APPROVED":
            lost = {"order_id": order_id, "purchase_units": order.shown["purchase_units"]}
            self._events.record("CHECKOUT.PAYMENT-APPROVAL.REVERSED", lost)
        order.is_lapsed = True
        return order

    def lapse_due(self) -> bool:
        """Ends those whose time is over; whether there were any."""
        now = self._world.clock.time()
        due = [
            order_id
            for order_id, order in self._world.state.orders.items()
            if not order.is_lapsed
            and order.shown["status"] != "COMPLETED"
            and order.lapses_at <= now
        ]
        for order_id in due:
            self.lapse(order_id)
        return bool(due)

    def _new(
        self, order_id: str, intent: str, unit: Json, wallet: Json, saves_method: bool
    ) -> Order:
        now = self._world.clock.time()
        experience = wallet.get("experience_context", {})
        shown = {
            "id": order_id,
            "intent": intent,
            "status": "PAYER_ACTION_REQUIRED",
            "payment_source": {"paypal": {}},
            "purchase_units": [{"reference_id": "default"} | unit],
            "create_time": instant(now),
        }
        return Order(
            shown,
            experience.get("return_url", ""),
            experience.get("cancel_url", ""),
            now + LIVES_SECONDS,
            saves_method=saves_method,
        )

    def _complete(self, order: Order) -> None:
        order.shown["status"] = "COMPLETED"
        order.shown["update_time"] = instant(self._world.clock.time())
        self._captures.take(order)
        if order.saves_method:
            self._vault.keep(order)

    def _links(self, order_id: str, status: str) -> list[Json]:
        address = f"{self._base_url}/v2/checkout/orders/{order_id}"
        links = [{"href": address, "rel": "self", "method": "GET"}]
        if status in ("CREATED", "PAYER_ACTION_REQUIRED"):
            page = f"{self._base_url}/checkoutnow?token={order_id}"
            links.append({"href": page, "rel": "payer-action", "method": "GET"})
        if status == "APPROVED":
            links.append({"href": f"{address}/capture", "rel": "capture", "method": "POST"})
        return links


def _refuse_unmodelled(asked: Json) -> None:
    """Raises ApiError for what PayPal may do and the stand-in does not."""
    if asked["intent"] != "CAPTURE":
        raise unprocessable("UNSUPPORTED_INTENT", field="/intent")
    if len(asked["purchase_units"]) != 1 or set(asked["purchase_units"][0]) & {"items", "shipping"}:
        raise unprocessable("NOT_SUPPORTED", "The stand-in takes one unit without items.")
    if set(asked.get("payment_source", {})) != {"paypal"}:
        raise unprocessable("NOT_SUPPORTED", "The stand-in takes payment_source.paypal only.")
    wallet = asked["payment_source"]["paypal"]
    addresses = wallet.get("experience_context", {})
    if "vault_id" not in wallet and not {"return_url", "cancel_url"} <= addresses.keys():
        raise unprocessable("RETURN_URL_REQUIRED", field="/payment_source/paypal")
