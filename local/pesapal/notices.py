"""What Pesapal says of an order outside its API: that something happened to it, and not what."""

import httpx

from local.pesapal.store import Order


def told_of(order: Order, kind: str) -> dict[str, str]:
    """The three fields of an IPN, and of the address that the client is sent back to."""
    return {
        "OrderTrackingId": order.id,
        "OrderMerchantReference": order.reference,
        "OrderNotificationType": kind,
    }


def callback_of(order: Order) -> str:
    """Where the client is sent once something was paid."""
    url = httpx.URL(order.callback_url)
    return str(url.copy_merge_params(told_of(order, "CALLBACKURL")))
