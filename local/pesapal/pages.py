"""The HTML of the payment page. No JavaScript."""

from html import escape

from local.pesapal.currencies import amount_text
from local.pesapal.methods import METHODS
from local.pesapal.store import Order
from local.standin import pages
from local.standin.pages import alert, button, document

PSP = "Pesapal"


def payment_page(order: Order, address: str) -> str:
    """An order that can be paid, and how. A try that failed is told, and another may follow.

    `address` is where the buttons lead, which add their names to it.
    """
    amount = amount_text(order.amount_minor, order.currency)
    failed = alert("The payment did not go through. You can try again.")
    choices = "".join(
        button(f"{address}/pay-{name}", method.label, "pay") for name, method in METHODS.items()
    )
    leave = button(f"{address}/leave", "Leave without paying", "leave")
    return document(
        PSP,
        f"Pay {amount}",
        f'<div class="card"><p class="amount">{amount}</p>'
        f'<p class="soft">{escape(order.description)}</p></div>'
        + (failed if order.status == "failed" else "")
        + choices
        + button(f"{address}/fail", "Let the payment fail", "decline")
        + (leave if order.cancellation_url else ""),
    )


def closed_page(order: Order) -> str:
    """An order which can no longer be paid, and why."""
    amount = amount_text(order.amount_minor, order.currency)
    if order.status == "paid":
        return message_page("Already paid", f"The payment of {amount} went through.")
    return message_page("This order was cancelled", "Nothing was charged.")


def message_page(title: str, text: str) -> str:
    return pages.message_page(PSP, title, text)
