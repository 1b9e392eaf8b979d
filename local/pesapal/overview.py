"""Pesapal's orders as the overview and the ledger show them."""

from html import escape

from local.pesapal.currencies import amount_text
from local.pesapal.errors import Json
from local.pesapal.store import Order, State
from local.standin.front import Payments
from local.standin.pages import Table, button, code, link

_VERBS = ("pay", "decline", "refund")


def ledger(state: State) -> Json:
    """What tests judge by: all of it, oldest first."""
    return {
        "payments": [payment_of(order) for order in state.orders.values()],
        "token_requests": state.token_requests,
    }


def payment_of(order: Order) -> Json:
    """The order in a shape that all stand-ins have: amounts are in minor units."""
    paid = order.charge if order.status == "paid" else None
    return {
        "psp_reference": order.id,
        "reference": order.reference,
        "amount": order.amount_minor,
        "currency": order.currency,
        "status": order.status,
        "captured": paid.amount_minor if paid is not None else 0,
        "refunded": order.refunded_minor,
    }


def payments(state: State) -> Payments:
    """An order that failed can still be paid."""
    statuses = [order.status for order in state.orders.values()]
    return Payments(
        open=statuses.count("open") + statuses.count("failed"), paid=statuses.count("paid")
    )


def tables(state: State, path: str) -> list[Table]:
    """Orders, newest first, and IPN addresses; `path` is where the stand-in is mounted."""
    orders = [
        (
            code(order.id),
            escape(order.reference),
            amount_text(order.amount_minor, order.currency),
            order.status + (", refund asked for" if order.refund_asked_minor else ""),
            link(
                f"{path}/pesapaliframe/PesapalIframe3/Index/?OrderTrackingId={order.id}",
                "payment page",
            ),
            "".join(
                button(f"{path}/_standin/payments/{order.id}/{verb}", verb.capitalize())
                for verb in _VERBS
            ),
        )
        for order in reversed(state.orders.values())
    ]
    ipns = [
        (code(ipn.id), ipn.type, escape(_without_token(ipn.url))) for ipn in state.ipns.values()
    ]
    return [
        Table("Orders", ("Tracking id", "Reference", "Amount", "Status", "", ""), orders),
        Table("IPN addresses", ("Id", "Type", "Address"), ipns),
    ]


def _without_token(url: str) -> str:
    """The last part of the path is a secret between Pesapal and the receiver."""
    return f"{url.rpartition('/')[0]}/…"
