"""The HTML that people see: the checkout page and the overview. No JavaScript."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from starlette.requests import Request

from local.stripe.currencies import amount_text
from local.stripe.errors import Json
from local.stripe.faults import Faults
from local.stripe.store import Checkout, Event, State

_STYLE = """
:root { color-scheme: light; --ink: #1a1f36; --soft: #5b6478; --line: #dfe3ea; --go: #0a5cd6; }
* { box-sizing: border-box; }
body { margin: 0; background: #f4f6f9; color: var(--ink);
  font: 17px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.banner { background: #fff3cd; color: #5c4300; padding: 12px 20px; font-size: 15px;
  text-align: center; border-bottom: 1px solid #f0dc9c; }
main { max-width: 30rem; margin: 24px auto; padding: 0 16px; }
main.wide { max-width: 72rem; }
.card { background: #fff; border: 1px solid var(--line); border-radius: 14px; padding: 24px;
  margin-bottom: 20px; }
.soft { color: var(--soft); margin: 0; font-size: 15px; }
.amount { font-size: 36px; font-weight: 650; letter-spacing: -.02em; margin: 4px 0;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
h1 { font-size: 24px; margin: 0 0 8px; } h2 { font-size: 18px; margin: 0 0 12px; }
ul { list-style: none; margin: 16px 0 0; padding: 16px 0 0; border-top: 1px solid var(--line); }
li { display: flex; justify-content: space-between; gap: 16px; overflow-wrap: anywhere; }
button, .button { display: block; width: 100%; min-height: 54px; margin-top: 12px; border: 0;
  border-radius: 10px; font: inherit; font-weight: 600; cursor: pointer; }
.pay { background: var(--go); color: #fff; }
.decline { background: #fff; color: #a3161f; border: 1px solid #e2b4b7; }
.leave { background: none; color: var(--soft); text-decoration: underline; }
button:focus-visible { outline: 3px solid #8fb8f5; outline-offset: 2px; }
.alert { background: #fdecec; color: #8c1119; border-radius: 10px; padding: 12px 16px;
  margin: 0 0 8px; font-weight: 550; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; padding: 8px 12px 8px 0; border-top: 1px solid var(--line);
  vertical-align: top; }
th { color: var(--soft); font-weight: 500; border: 0; }
td.id { font-family: ui-monospace, monospace; font-size: 13px; overflow-wrap: anywhere; }
input { font: inherit; width: 8rem; min-height: 40px; padding: 4px 8px;
  border: 1px solid var(--line); border-radius: 8px; }
td button { width: auto; min-height: 40px; margin: 0; padding: 0 16px; background: #e8eefb;
  color: #0a3f94; }
"""
_BANNER = "This is a stand-in for Stripe on your own machine. No money moves."


def _document(title: str, content: str, *, wide: bool = False) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f'<p class="banner" style="margin:0">{_BANNER}</p>'
        f"<main{' class=wide' if wide else ''}>{content}</main></body></html>"
    )


def checkout_page(session: Json, checkout: Checkout, intent: Json | None) -> str:
    """An open Session: what is paid for, and the buttons. A decline is told, and may be retried."""
    amount = amount_text(session["amount_total"], session["currency"])
    merchant = checkout.merchant or "Test merchant"
    lines = "".join(
        f"<li><span>{escape(line.name)}</span><span>&times; {line.quantity}</span></li>"
        for line in checkout.lines
    )
    description = checkout.intent.get("description", "")
    about = f'<p class="soft">{escape(description)}</p>' if description else ""
    alert = ""
    if intent is not None and intent["last_payment_error"] is not None:
        message = escape(intent["last_payment_error"]["message"])
        alert = f'<p class="alert" role="alert">{message} You can try again.</p>'
    return _document(
        f"Pay {amount}",
        f'<div class="card"><p class="soft">Pay {escape(merchant)}</p>'
        f'<p class="amount">{amount}</p>{about}<ul>{lines}</ul></div>{alert}'
        + _button(session, "pay", f"Pay {amount}")
        + _button(session, "decline", "Decline the card")
        + (_button(session, "leave", "Leave without paying") if session["cancel_url"] else ""),
    )


def _button(session: Json, action: str, label: str) -> str:
    return (
        f'<form method="post" action="/c/pay/{session["id"]}/{action}">'
        f'<button class="{action}">{escape(label)}</button></form>'
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
    return _document(
        title, f'<div class="card"><h1>{escape(title)}</h1><p class="soft">{escape(text)}</p></div>'
    )


def is_form(request: Request) -> bool:
    """Whether a button of one of these pages sent it."""
    content_type = request.headers.get("Content-Type", "")
    return content_type.startswith("application/x-www-form-urlencoded")


def overview_page(state: State, faults: Faults, problem: str = "") -> str:
    """Sessions, charges and what became of them, deliveries with attempts, and the switches."""
    sessions = [
        (_id(one["id"][:24] + "…"), _money(one), one["status"], one["payment_status"], _link(one))
        for one in reversed(state.sessions.values())
    ]
    charges = _rows("charges", state.charges, "payment_intent", ("refund", "dispute"))
    refunds = _rows("refunds", state.refunds, "charge", ("succeed", "fail"))
    disputes = _rows("disputes", state.disputes, "charge", ("win", "lose"))
    events = [
        (_id(one.id), one.type, _attempts(one), _resend(one))
        for one in reversed(state.events.values())
    ]
    return _document(
        "Stripe stand-in",
        "<h1>Stripe stand-in</h1>"
        + _table("Sessions", ("Id", "Amount", "Status", "Payment", ""), sessions)
        + _table("Charges", ("Id", "Amount", "Status", "PaymentIntent", ""), charges)
        + _table("Refunds", ("Id", "Amount", "Status", "Charge", ""), refunds)
        + _table("Disputes", ("Id", "Amount", "Status", "Charge", ""), disputes)
        + _table("Events", ("Id", "Type", "Deliveries", ""), events)
        + _switches(faults, problem),
        wide=True,
    )


def _id(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _money(subject: Json) -> str:
    amount = subject["amount_total"] if "amount_total" in subject else subject["amount"]
    return amount_text(amount, subject["currency"])


def _link(session: Json) -> str:
    url = session["url"]
    return f'<a href="{escape(url)}">checkout page</a>' if url else ""


def _attempts(event: Event) -> str:
    tried = (
        f"{datetime.fromtimestamp(one.at, UTC):%H:%M:%S} {one.status or escape(one.error or '')}"
        for one in event.attempts
    )
    return "<br>".join(tried) or "none yet"


def _rows(
    kind: str, objects: dict[str, Json], parent: str, verbs: tuple[str, ...]
) -> list[tuple[str, ...]]:
    return [
        (
            _id(one["id"]),
            _money(one),
            one["status"],
            _id(one[parent]),
            _actions(kind, one, verbs),
        )
        for one in reversed(objects.values())
    ]


def _actions(kind: str, subject: Json, verbs: tuple[str, ...]) -> str:
    return "".join(
        f'<form method="post" action="/_standin/{kind}/{subject["id"]}/{verb}">'
        f"<button>{verb.capitalize()}</button></form>"
        for verb in verbs
    )


def _resend(event: Event) -> str:
    return (
        f'<form method="post" action="/_standin/events/{event.id}/resend">'
        "<button>Send again</button></form>"
    )


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{text}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    content = f"<table><tr>{head}</tr>{body}</table>" if rows else '<p class="soft">None yet.</p>'
    return f'<section class="card"><h2>{title}</h2><div class="scroll">{content}</div></section>'


def _switches(faults: Faults, problem: str) -> str:
    rows = []
    for name, about in Faults.model_fields.items():
        if name == "next":
            continue
        value = getattr(faults, name)
        shown = "" if value == about.default and name != "async_seconds" else str(value).lower()
        limit = faults.next.get(name, "")
        rows.append(
            f'<tr><td><label for="{name}">{name}</label></td><td>{about.description}</td>'
            f'<td><input id="{name}" name="{name}" value="{shown}"></td>'
            f'<td><input name="next[{name}]" value="{limit}" inputmode="numeric" '
            f'aria-label="how many times {name}"></td></tr>'
        )
    alert = f'<p class="alert" role="alert">{escape(problem)}</p>' if problem else ""
    return (
        f'<section class="card"><h2>Switches</h2>{alert}'
        '<form method="post" action="/_standin/faults"><div class="scroll"><table>'
        "<tr><th>Switch</th><th>What it does</th><th>Value</th><th>For the next …</th></tr>"
        f"{''.join(rows)}</table></div>"
        '<button class="pay">Set the switches</button></form></section>'
    )
