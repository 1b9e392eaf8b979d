"""The HTML of the checkout page. No JavaScript."""

from html import escape

from local.standin import pages
from local.standin.pages import alert, button, document
from local.stripe.currencies import amount_text
from local.stripe.errors import Json
from local.stripe.store import Checkout

PSP = "Stripe"


def checkout_page(session: Json, checkout: Checkout, intent: Json | None, address: str) -> str:
    """An open Session: what is paid for, and the buttons. A decline is told, and may be retried.

    `address` is the page's own path.
    """
    amount = amount_text(session["amount_total"], session["currency"])
    merchant = checkout.merchant or "Test merchant"
    lines = "".join(
        f"<li><span>{escape(line.name)}</span><span>&times; {line.quantity}</span></li>"
        for line in checkout.lines
    )
    description = checkout.intent.get("description", "")
    about = f'<p class="soft">{escape(description)}</p>' if description else ""
    declined = ""
    if intent is not None and intent["last_payment_error"] is not None:
        declined = alert(f"{intent['last_payment_error']['message']} You can try again.")
    leave = button(f"{address}/leave", "Leave without paying", "leave")
    return document(
        PSP,
        f"Pay {amount}",
        f'<div class="card"><p class="soft">Pay {escape(merchant)}</p>'
        f'<p class="amount">{amount}</p>{about}<ul>{lines}</ul></div>{declined}'
        + button(f"{address}/pay", f"Pay {amount}", "pay")
        + button(f"{address}/decline", "Decline the card", "decline")
        + (leave if session["cancel_url"] else ""),
    )


def intent_page(intent: Json, address: str) -> str:
    """A PaymentIntent as an app's own page might show it; once it is over, how it ended."""
    amount = amount_text(intent["amount"], intent["currency"])
    match intent["status"]:
        case "requires_payment_method" | "requires_confirmation" | "requires_action":
            return document(PSP, f"Pay {amount}", _payable(intent, amount, address))
        case "succeeded":
            return message_page("Paid", f"The payment of {amount} went through.")
        case "requires_capture":
            return message_page("Agreed", f"{amount} is held until the merchant takes it.")
        case "canceled":
            return message_page("Canceled", "Nothing was charged. Go back and start again.")
        case _:
            return message_page("Under way", f"The payment of {amount} has not been settled yet.")


def _payable(intent: Json, amount: str, address: str) -> str:
    asked = intent["status"] == "requires_action"
    about = escape(intent["description"] or "In the place of the app's own page")
    told = alert("The bank wants the client to confirm.") if asked else ""
    if intent["last_payment_error"] is not None:
        told = alert(f"{intent['last_payment_error']['message']} You can try again.")
    return (
        f'<div class="card"><p class="soft">{about}</p><p class="amount">{amount}</p></div>{told}'
        + button(f"{address}/pay", "Confirm it" if asked else f"Pay {amount}", "pay")
        + button(f"{address}/decline", "Decline the card", "decline")
        + ("" if asked else button(f"{address}/authenticate", "Let the bank ask first", "leave"))
    )


def closed_page(session: Json) -> str:
    """A Session which can no longer be paid, and why."""
    amount = amount_text(session["amount_total"], session["currency"])
    if session["status"] == "expired":
        title, text = "This page has expired", "Nothing was charged. Go back and start again."
    elif session["payment_status"] == "paid":
        title, text = "Already paid", f"The payment of {amount} went through."
    else:
        title, text = "Payment under way", f"The payment of {amount} has not been settled yet."
    return message_page(title, text)


def message_page(title: str, text: str) -> str:
    return pages.message_page(PSP, title, text)
