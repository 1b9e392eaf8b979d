"""Stripe's objects as the overview and the ledger show them."""

from collections import Counter
from typing import Any

from local.standin.front import Payments
from local.standin.pages import Table, button, code, link
from local.stripe.currencies import amount_text
from local.stripe.errors import Json
from local.stripe.payments import payment_lines
from local.stripe.store import State

_OF_SESSION = (
    "id amount_total currency status payment_status payment_intent client_reference_id metadata "
    "created expires_at url"
)
_OF_CHARGE = (
    "id payment_intent amount amount_captured amount_refunded currency status disputed metadata "
    "created"
)
_OF_REFUND = "id charge payment_intent amount currency status metadata created"
_OF_DISPUTE = "id charge payment_intent amount currency status created"


def ledger(state: State) -> Json:
    """What tests judge by: all of it, oldest first."""
    return {
        "payments": payment_lines(state),
        "token_requests": 0,
        "sessions": [_part(one, _OF_SESSION) for one in state.sessions.values()],
        "charges": [_part(one, _OF_CHARGE) for one in state.charges.values()],
        "refunds": [_part(one, _OF_REFUND) for one in state.refunds.values()],
        "disputes": [_part(one, _OF_DISPUTE) for one in state.disputes.values()],
    }


def payments(state: State) -> Payments:
    """How many there are of either kind."""
    statuses = Counter(line["status"] for line in payment_lines(state))
    return Payments(open=statuses["open"], paid=statuses["paid"])


def tables(state: State, path: str) -> list[Table]:
    """Sessions, charges and what became of them, newest first; `path` is where it is mounted."""
    sessions = [
        (
            code(one["id"][:24] + "…"),
            _money(one),
            one["status"],
            one["payment_status"],
            link(one["url"], "checkout page") if one["url"] else "",
        )
        for one in reversed(state.sessions.values())
    ]
    intents = [
        (
            code(one["id"]),
            _money(one),
            one["status"],
            link(f"{path}/c/intent/{one['client_secret']}", "payment page"),
        )
        for one in reversed(state.payment_intents.values())
        if one["id"] not in state.session_of_intent
    ]
    return [
        Table("PaymentIntents without a Session", ("Id", "Amount", "Status", ""), intents),
        Table("Sessions", ("Id", "Amount", "Status", "Payment", ""), sessions),
        _table("Charges", state.charges, "PaymentIntent", ("refund", "dispute"), path),
        _table("Refunds", state.refunds, "Charge", ("succeed", "fail"), path),
        _table("Disputes", state.disputes, "Charge", ("win", "lose"), path),
    ]


def _table(
    title: str, objects: dict[str, Json], parent: str, verbs: tuple[str, ...], path: str
) -> Table:
    field = {"PaymentIntent": "payment_intent", "Charge": "charge"}[parent]
    address = f"{path}/_standin/{title.lower()}"
    rows = [
        (
            code(one["id"]),
            _money(one),
            one["status"],
            code(one[field]),
            "".join(button(f"{address}/{one['id']}/{verb}", verb.capitalize()) for verb in verbs),
        )
        for one in reversed(objects.values())
    ]
    return Table(title, ("Id", "Amount", "Status", parent, ""), rows)


def _money(subject: Json) -> str:
    amount = subject["amount_total"] if "amount_total" in subject else subject["amount"]
    return amount_text(amount, subject["currency"])


def _part(subject: dict[str, Any], names: str) -> dict[str, Any]:
    return {name: subject[name] for name in names.split()}
