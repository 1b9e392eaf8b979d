"""Payments as our adapter knows them: each Session, and each PaymentIntent made without one.

Amounts are in Stripe's units.
"""

from local.stripe.errors import Json
from local.stripe.store import State


def payment_lines(state: State) -> list[Json]:
    """All there are: the Sessions, then the intents, each oldest first."""
    intents = (one for one in state.payment_intents if one not in state.session_of_intent)
    return [payment_line(state, reference) for reference in (*state.sessions, *intents)]


def payment_line(state: State, reference: str) -> Json:
    """One payment by its Session's or its intent's id. Raises KeyError."""
    session = state.sessions.get(reference)
    intent = intent_of(state, reference)
    charge = state.charges.get((intent or {}).get("latest_charge") or "")
    asked = session if session is not None else state.payment_intents[reference]
    return {
        "psp_reference": reference,
        "reference": asked["metadata"].get("payment_id"),
        "amount": asked["amount_total" if session is not None else "amount"],
        "currency": asked["currency"].upper(),
        "status": _status(state, session, intent),
        "captured": charge["amount_captured"] if charge is not None else 0,
        "refunded": _refunded(state, charge["id"]) if charge is not None else 0,
    }


def intent_of(state: State, reference: str) -> Json | None:
    """The PaymentIntent of a payment: a Session has none until its client acts."""
    if reference in state.sessions:
        reference = state.sessions[reference]["payment_intent"] or ""
    return state.payment_intents.get(reference)


def _status(state: State, session: Json | None, intent: Json | None) -> str:
    """open (also what is held, and what a bank has yet to say), paid, failed, expired, canceled."""
    if session is not None and session["status"] != "complete":
        return str(session["status"])
    assert intent is not None
    match intent["status"]:
        case "succeeded":
            return "paid"
        case "canceled":
            return "expired" if intent["cancellation_reason"] == "automatic" else "canceled"
        case "requires_payment_method" if session is not None or intent["id"] in state.away:
            return "failed"
        case _:
            return "open"


def _refunded(state: State, charge_id: str) -> int:
    """What went back, without what was only let go of."""
    return sum(
        refund["amount"]
        for refund in state.refunds.values()
        if refund["charge"] == charge_id
        and refund["status"] == "succeeded"
        and refund["balance_transaction"] is not None
    )
