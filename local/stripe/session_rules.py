"""What makes a Checkout Session acceptable, beyond its fields existing."""

from local.stripe.errors import Json, invalid_parameter, missing_parameter, not_modelled
from local.stripe.rules import (
    check_amount,
    check_currency,
    check_length,
    check_metadata,
    check_url,
    refuse_unmodelled,
)

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600

_UNMODELLED = (
    "after_expiration automatic_tax customer_account discounts invoice_creation "
    "managed_payments optional_items payment_method_data return_url setup_intent_data "
    "shipping_address_collection shipping_options subscription_data tax_id_collection"
)
_UNMODELLED_OF_INTENT = ("application_fee_amount", "on_behalf_of", "transfer_data")
_UNMODELLED_OF_LINE = ("adjustable_quantity", "tax_rates")


def check_session(params: Json, now: float) -> None:
    """Raises ApiError for what Stripe refuses at once, and for what is not modelled here."""
    refuse_unmodelled(params, _UNMODELLED.split())
    _check_mode(params)
    _check_addresses(params)
    _check_expiry(params, int(now))
    _check_client(params)
    check_metadata(params.get("metadata", {}))
    check_length(params.get("client_reference_id", ""), 200, "client_reference_id")
    intent = params.get("payment_intent_data", {})
    refuse_unmodelled(intent, _UNMODELLED_OF_INTENT, "payment_intent_data")
    check_metadata(intent.get("metadata", {}), "payment_intent_data[metadata]")
    _check_lines(params)


def _check_mode(params: Json) -> None:
    if "mode" not in params:
        raise missing_parameter("mode")
    if params["mode"] != "payment":
        raise not_modelled(f"mode={params['mode']}")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise not_modelled(f"ui_mode={params['ui_mode']}")


def _check_addresses(params: Json) -> None:
    if "success_url" not in params:
        raise missing_parameter("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params:
            check_url(params[name], name)


def _check_expiry(params: Json, now: int) -> None:
    if "expires_at" not in params:
        return
    if not SHORTEST_SECONDS <= params["expires_at"] - now <= LONGEST_SECONDS:
        message = "expires_at must be 30 minutes to 24 hours from the Session's creation."
        raise invalid_parameter("expires_at", message)


def _check_client(params: Json) -> None:
    for name in ("customer_email", "customer_creation"):
        if "customer" in params and name in params:
            raise invalid_parameter(name, f"You may not send both customer and {name}.")


def _check_lines(params: Json) -> None:
    if not params.get("line_items"):
        raise missing_parameter("line_items")
    for index, line in enumerate(params["line_items"]):
        _check_line(line, f"line_items[{index}]")
    currencies = {line["price_data"]["currency"] for line in params["line_items"]}
    if len(currencies) > 1 or params.get("currency", *currencies) not in currencies:
        message = "All line items must be in the Session's currency."
        raise invalid_parameter("line_items", message)
    check_amount(total(params["line_items"]), "line_items")


def _check_line(line: Json, path: str) -> None:
    refuse_unmodelled(line, _UNMODELLED_OF_LINE, path)
    if "price" in line:
        raise not_modelled(f"{path}[price]")
    for name in ("price_data", "quantity"):
        if name not in line:
            raise missing_parameter(f"{path}[{name}]")
    if line["quantity"] < 1:
        raise invalid_parameter(f"{path}[quantity]", "The quantity must be at least 1.")
    price, path = line["price_data"], f"{path}[price_data]"
    refuse_unmodelled(price, ("recurring", "product", "unit_amount_decimal"), path)
    check_currency(price["currency"], f"{path}[currency]")
    for name in ("product_data", "unit_amount"):
        if name not in price:
            raise missing_parameter(f"{path}[{name}]")
    if price["unit_amount"] < 0:
        raise invalid_parameter(f"{path}[unit_amount]", "Must be at least 0.")


def total(lines: list[Json]) -> int:
    """What the lines come to, in minor units."""
    return sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)
