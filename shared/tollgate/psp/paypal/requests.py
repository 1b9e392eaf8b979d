"""The bodies of what PayPal is asked to do.

Sources: PayPal's OpenAPI documents of Orders v2 (order_request) and Payments v2 (refund_request).
"""

from typing import Any

from tollgate.domain.order import Order, RefundOrder
from tollgate.psp.paypal.amounts import to_paypal

DESCRIPTION_BYTES_MAX = 127
"""PayPal counts characters of ASCII; what others count for is not said."""
NOTE_LENGTH_MAX = 255


def order_body(order: Order) -> dict[str, Any]:
    """An order to be captured as soon as its client has approved it.

    The payment's id is its custom_id, which comes back with every capture; and its invoice_id,
    under which an account takes money once only, unless its owner has switched that off.
    """
    unit: dict[str, Any] = {
        "reference_id": order.payment_id,
        "custom_id": order.payment_id,
        "invoice_id": order.payment_id,
        "amount": to_paypal(order.money),
    }
    if description := _shortened(order.description):
        unit["description"] = description
    return {
        "intent": "CAPTURE",
        "purchase_units": [unit],
        "payment_source": {"paypal": _wallet(order)},
    }


def refund_body(order: RefundOrder) -> dict[str, Any]:
    """A refund under our reference; its reason is what the client reads.

    The reference is sent twice, because PayPal's older answers show no custom_id of a refund.
    """
    body: dict[str, Any] = {
        "amount": to_paypal(order.money),
        "custom_id": order.refund_id,
        "invoice_id": order.refund_id,
    }
    reason = order.reason or ""
    if reason.isprintable() and 0 < len(reason) <= NOTE_LENGTH_MAX:
        body["note_to_payer"] = reason
    return body


def _wallet(order: Order) -> dict[str, Any]:
    """How the client approves; or, of a saved method, what is charged without the client."""
    if order.saved_method is not None:
        return {"vault_id": order.saved_method.method_reference}
    wallet: dict[str, Any] = {
        "experience_context": {
            "return_url": order.return_url,
            "cancel_url": order.cancel_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
        }
    }
    if order.save_method:
        vault = {
            "store_in_vault": "ON_SUCCESS",
            "usage_type": "MERCHANT",
            "customer_type": "CONSUMER",
        }
        wallet["attributes"] = {"vault": vault}
    return wallet


def _shortened(description: str) -> str:
    return description.encode()[:DESCRIPTION_BYTES_MAX].decode(errors="ignore")
