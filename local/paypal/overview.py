"""PayPal's objects as the overview and the ledger show them."""

from local.paypal.amounts import minor, text_of
from local.paypal.captures import is_taken
from local.paypal.errors import Json
from local.paypal.store import Capture, Order, State
from local.standin.front import Payments
from local.standin.pages import Table, button, code, link


def ledger(state: State) -> Json:
    """What tests judge by: all of it, oldest first. Amounts in minor units."""
    return {
        "payments": [_payment(state, order) for order in state.orders.values()],
        "token_requests": state.token_requests,
    }


def payments(state: State) -> Payments:
    """An order is open until it is captured or has lapsed."""
    statuses = [_status(order, _captures(state, order)) for order in state.orders.values()]
    return Payments(open=statuses.count("open"), paid=statuses.count("paid"))


def tables(state: State, path: str) -> list[Table]:
    """Orders and what became of them, newest first; `path` is where the stand-in is mounted."""
    orders = [
        (
            code(order_id),
            text_of(order.shown["purchase_units"][0]["amount"]),
            order.shown["status"] if not order.is_lapsed else "lapsed",
            link(f"{path}/checkoutnow?token={order_id}", "approval page"),
            "".join(
                button(f"{path}/_standin/payments/{order_id}/{verb}", verb.capitalize())
                for verb in ("expire", "refund", "reverse", "dispute")
            ),
        )
        for order_id, order in reversed(state.orders.items())
    ]
    captures = [
        (code(name), text_of(one.shown["amount"]), one.shown["status"], code(one.order))
        for name, one in reversed(state.captures.items())
    ]
    refunds = [
        (code(name), text_of(one.shown["amount"]), one.shown["status"], code(one.capture))
        for name, one in reversed(state.refunds.items())
    ]
    disputes = [
        (
            code(name),
            text_of(one.shown["dispute_amount"]),
            one.shown["status"],
            code(one.capture),
            button(f"{path}/_standin/disputes/{name}/resolve", "The client wins"),
        )
        for name, one in reversed(state.disputes.items())
    ]
    return [
        Table("Orders", ("Id", "Amount", "Status", "", ""), orders),
        Table("Captures", ("Id", "Amount", "Status", "Order"), captures),
        Table("Refunds", ("Id", "Amount", "Status", "Capture"), refunds),
        Table("Disputes", ("Id", "Amount", "Status", "Capture", ""), disputes),
    ]


def _payment(state: State, order: Order) -> Json:
    (unit,) = order.shown["purchase_units"]
    captures = _captures(state, order)
    refunds = (state.refunds[name].shown for one in captures for name in one.refunds)
    return {
        "psp_reference": order.shown["id"],
        "reference": unit.get("custom_id"),
        "amount": minor(unit["amount"]),
        "currency": unit["amount"]["currency_code"],
        "status": _status(order, captures),
        "captured": sum(minor(one.shown["amount"]) for one in captures if is_taken(one)),
        "refunded": sum(minor(one["amount"]) for one in refunds if one["status"] == "COMPLETED"),
    }


def _status(order: Order, captures: list[Capture]) -> str:
    if any(is_taken(capture) for capture in captures):
        return "paid"
    if any(capture.shown["status"] == "DECLINED" for capture in captures):
        return "failed"
    return "expired" if order.is_lapsed else "open"


def _captures(state: State, order: Order) -> list[Capture]:
    return [one for one in state.captures.values() if one.order == order.shown["id"]]
