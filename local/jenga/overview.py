"""Jenga's orders as the overview and the ledger show them."""

from html import escape
from typing import Any

from local.jenga.pages import amount_text
from local.jenga.store import Order, State
from local.standin.front import Payments
from local.standin.pages import Table, code, link


def ledger(state: State) -> dict[str, Any]:
    """What tests judge by, oldest first. An order has one reference, the merchant's. Nothing here
    is ever refunded: that happens by hand, and nobody is told."""
    return {
        "payments": [
            {
                "psp_reference": order.reference,
                "reference": order.reference,
                "amount": order.amount,
                "currency": order.currency,
                "status": order.status,
                "captured": order.paid,
                "refunded": 0,
                "way": order.way,
                "channel": order.channel,
                "receipt": order.receipt,
            }
            for order in state.orders.values()
        ],
        "token_requests": state.token_requests,
    }


def payments(state: State) -> Payments:
    """How many are open and paid."""
    statuses = [order.status for order in state.orders.values()]
    return Payments(open=statuses.count("open"), paid=statuses.count("paid"))


def tables(state: State, path: str) -> list[Table]:
    """Orders, newest first, with the pages to answer them on; `path` is where it is mounted."""
    rows = [
        (
            code(order.reference),
            amount_text(order.amount, order.currency),
            order.way,
            escape(order.channel),
            order.status,
            _links(order, path),
        )
        for order in reversed(state.orders.values())
    ]
    return [Table("Orders", ("Reference", "Amount", "Way", "Channel", "Status", ""), rows)]


def _links(order: Order, path: str) -> str:
    if order.status != "open":
        return ""
    links = []
    if order.way == "checkout":
        links.append(link(f"{path}/checkout/{order.page}", "checkout page"))
    if order.prompt_ends_at is not None:
        links.append(link(f"{path}/phone/{order.reference}", "the client's phone"))
    return ", ".join(links)
