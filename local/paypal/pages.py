"""The HTML of the approval page. No JavaScript."""

from html import escape

from local.paypal.amounts import text_of
from local.paypal.store import Order
from local.standin import pages
from local.standin.pages import alert, button, document

PSP = "PayPal"


def approval_page(order: Order, address: str) -> str:
    """What is paid for, and the buttons. `address` is where they send to."""
    (unit,) = order.shown["purchase_units"]
    amount = text_of(unit["amount"])
    about = f'<p class="soft">{escape(unit.get("description", ""))}</p>'
    kept = '<p class="soft">It is kept for later payments.</p>' if order.saves_method else ""
    declined = alert("This did not work. Choose another way to pay.")
    return document(
        PSP,
        f"Pay {amount}",
        f'<div class="card"><p class="soft">Pay with PayPal</p>'
        f'<p class="amount">{escape(amount)}</p>{about}{kept}</div>'
        + (declined if order.funding_declined else "")
        + button(f"{address}/pay", "Approve", "pay")
        + button(f"{address}/decline", "Approve without money on it", "decline")
        + button(f"{address}/leave", "Cancel and return", "leave"),
    )


def closed_page(order: Order) -> str:
    """An order that was captured."""
    (unit,) = order.shown["purchase_units"]
    amount = text_of(unit["amount"])
    return message_page("Already done", f"The payment of {amount} was approved and captured.")


def message_page(title: str, text: str) -> str:
    return pages.message_page(PSP, title, text)
