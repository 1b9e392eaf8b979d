"""Customers: made over the API or by a Session, to save what a client paid with."""

from local.stripe import objects
from local.stripe.errors import Json, no_such
from local.stripe.rules import check_length, check_metadata, refuse_unmodelled
from local.stripe.store import State
from local.stripe.world import World

_UNMODELLED = (
    "address balance cash_balance invoice_prefix invoice_settings next_invoice_sequence "
    "payment_method preferred_locales shipping source tax tax_exempt tax_id_data test_clock"
)
_COPIED = "description email metadata name phone"


def check_customer(params: Json) -> None:
    """Raises ApiError for what Stripe refuses before anything exists."""
    refuse_unmodelled(params, _UNMODELLED.split())
    check_metadata(params.get("metadata") or {})
    for name, longest in (("email", 512), ("name", 256), ("phone", 20)):
        check_length(params.get(name) or "", longest, name)


def create_customer(world: World, params: Json) -> Json:
    """A Customer with nothing saved yet. No event tells of it: nobody asked for that type."""
    customer = objects.customer(world.ids.new("cus_", 14), world.timestamp())
    customer |= {name: params[name] for name in _COPIED.split() if name in params}
    world.state.customers[customer["id"]] = customer
    return customer


def get_customer(state: State, customer_id: str) -> Json:
    """Raises ApiError (404)."""
    if customer_id not in state.customers:
        raise no_such("customer", customer_id, "id", status=404)
    return state.customers[customer_id]
