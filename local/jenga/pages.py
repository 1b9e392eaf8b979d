"""The HTML of the hosted checkout, and of the client's phone. No JavaScript."""

from html import escape

from local.jenga.store import Order
from local.standin import pages
from local.standin.pages import button, document, link

PSP = "Jenga"


def amount_text(cents: int, currency: str) -> str:
    """As a person reads it: (150000, "KES") -> "KES 1,500.00"."""
    return f"{currency} {cents // 100:,}.{cents % 100:02d}"


def checkout_page(order: Order, address: str, phone: str) -> str:
    """What is paid for, and the ways to; `address` is the page's own path, `phone` that of the
    client's phone."""
    amount = amount_text(order.amount, order.currency)
    about = (
        f'<div class="card"><p class="soft">Pay by Jenga</p><p class="amount">{amount}</p>'
        f'<p class="soft">{escape(order.description)}</p></div>'
    )
    if order.prompt_ends_at is not None:
        asking = link(phone, "The client's phone")
        ways = f'<div class="card"><p>{asking} asks now.</p></div>'
        ways += f"<p>{link(address, 'I have answered it')}</p>"
    else:
        ways = (
            button(f"{address}/card", f"Pay {amount} by card", "pay")
            + button(f"{address}/mpesa", "Pay by M-Pesa", "pay")
            + button(f"{address}/decline", "Decline the card", "decline")
        )
    leave = button(f"{address}/leave", "Leave without paying", "leave")
    return document(PSP, f"Pay {amount}", about + ways + leave)


def phone_page(order: Order, address: str) -> str:
    """M-Pesa's prompt on the client's phone. To ignore it is to do nothing."""
    amount = amount_text(order.amount + order.charge, order.currency)
    waits = order.status == "open" and order.prompt_ends_at is not None
    if not waits or order.receipt is not None:
        return message_page("No prompt", f"M-Pesa asks nothing: the order is {order.status}.")
    return document(
        PSP,
        "The client's phone",
        f'<div class="card"><p class="soft">M-Pesa on +{escape(order.phone)}</p>'
        f'<p class="amount">{amount}</p><p class="soft">{escape(order.description)}</p></div>'
        + button(f"{address}/accept", "Enter the PIN and pay", "pay")
        + button(f"{address}/wrong_pin", "Enter a wrong PIN", "decline")
        + button(f"{address}/decline", "Cancel", "decline"),
    )


def closed_page(order: Order, back: str) -> str:
    """A checkout that can't be paid any more; `back` leads to the merchant."""
    text = f"The order is {order.status}."
    content = f'<h1>This page is closed</h1><p class="soft">{text}</p>'
    onward = f"<p>{link(back, 'Back to the shop')}</p>"
    return document(PSP, "Closed", f'<div class="card">{content}</div>{onward}')


def message_page(title: str, text: str) -> str:
    return pages.message_page(PSP, title, text)
