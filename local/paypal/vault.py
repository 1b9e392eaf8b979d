"""What clients let us keep: payment tokens, by which an order is paid without them."""

from local.paypal.errors import Json, not_found, unprocessable
from local.paypal.events import Events
from local.paypal.store import Order
from local.paypal.world import World
from local.standin.identifiers import LETTERS_AND_DIGITS


class Vault:
    """`is_enabled`: whether PayPal lets this account keep anything. `base_url` is where the
    stand-in is reached."""

    def __init__(self, world: World, events: Events, base_url: str, *, is_enabled: bool) -> None:
        self._world = world
        self._events = events
        self._base_url = base_url
        self._is_enabled = is_enabled

    def check(self, vault_id: str | None, saves_method: bool) -> None:
        """Raises ApiError (422) for what can't be kept, or was not."""
        if (saves_method or vault_id is not None) and not self._is_enabled:
            raise unprocessable("NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE")
        if vault_id is not None and vault_id not in self._world.state.vault:
            raise unprocessable("PAYMENT_SOURCE_INFO_CANNOT_BE_VERIFIED")

    def keep(self, order: Order) -> None:
        """At once, unless a switch says that it takes its time."""
        if self._world.switches.take("pending_vault"):
            order.shown["payment_source"]["paypal"]["attributes"] = {
                "vault": {"status": "APPROVED"}
            }
        else:
            self.finish(order)

    def finish(self, order: Order) -> Json:
        """What was paid with is kept now. Raises ApiError (404) where nobody asked for it."""
        if not order.saves_method or order.shown["status"] != "COMPLETED":
            raise not_found()
        vault_id = self._world.ids.new("", 8, LETTERS_AND_DIGITS)
        customer = {"id": self._world.ids.new("", 10, LETTERS_AND_DIGITS)}
        address = f"{self._base_url}/v3/vault/payment-tokens/{vault_id}"
        links = [{"href": address, "rel": "self", "method": "GET"}]
        wallet = order.shown["payment_source"]["paypal"]
        kept = {"id": vault_id, "status": "VAULTED", "customer": customer, "links": links}
        self._world.state.vault[vault_id] = customer["id"]
        token = {
            "id": vault_id,
            "customer": customer,
            "metadata": {"order_id": order.shown["id"]},
            "payment_source": {"paypal": {"email_address": wallet["email_address"]}},
            "links": links,
        }
        wallet["attributes"] = {"vault": kept}
        self._events.record("VAULT.PAYMENT-TOKEN.CREATED", token)
        return kept
