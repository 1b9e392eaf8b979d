"""What happens to a payment by the words that every PSP's stand-in knows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.local.stripe.conftest import STAYS, Bench, session_params, until

Open = Callable[..., str]


@pytest.fixture(params=["session", "intent"])
def open_payment(request: pytest.FixtureRequest, bench: Bench) -> Open:
    """Opens a payment of KES 1,500.00 of this kind; its reference."""

    def open_session(**intent: Any) -> str:
        data = session_params()["payment_intent_data"] | intent
        return bench.open_session(payment_intent_data=data).id

    def open_intent(**more: Any) -> str:
        asked: Any = {"amount": 150_000, "currency": "kes", "metadata": {"payment_id": "pay_1"}}
        return bench.client.v1.payment_intents.create(asked | more).id

    return open_session if request.param == "session" else open_intent


def line(bench: Bench, reference: str) -> dict[str, Any]:
    """The payment as the ledger has it, without what never changes."""
    (found,) = [one for one in bench.ledger()["payments"] if one["psp_reference"] == reference]
    facts = (found.pop("reference"), found.pop("amount"), found.pop("currency"))
    assert facts == ("pay_1", 150_000, "KES")
    assert found.pop("psp_reference") == reference
    return dict(found)


def stands(status: str, captured: int = 0, refunded: int = 0) -> dict[str, Any]:
    return {"status": status, "captured": captured, "refunded": refunded}


def happen(bench: Bench, reference: str, verb: str, **details: Any) -> dict[str, Any]:
    """What the control says the payment is after this, which is what the ledger says."""
    told: dict[str, Any] = bench.happen(f"payments/{reference}/{verb}", **details)
    known = {name: told[name] for name in ("status", "captured", "refunded")}
    assert known == line(bench, reference)
    return known


def refused(bench: Bench, reference: str, verb: str, **details: Any) -> int:
    answer = bench.browser.post(f"/_standin/payments/{reference}/{verb}", json=details)
    assert answer.json()["error"]
    return answer.status_code


def test_a_payment_is_declined_paid_given_back_and_disputed(
    bench: Bench, open_payment: Open
) -> None:
    reference = open_payment()
    assert line(bench, reference) == stands("open")
    assert bench.ledger()["token_requests"] == 0
    assert happen(bench, reference, "decline") == stands("open")
    assert happen(bench, reference, "pay") == stands("paid", 150_000)
    assert happen(bench, reference, "pay") == stands("paid", 150_000)
    assert happen(bench, reference, "refund", amount=50_000) == stands("paid", 150_000, 50_000)
    assert happen(bench, reference, "refund") == stands("paid", 150_000, 150_000)
    assert happen(bench, reference, "dispute") == stands("paid", 150_000, 150_000)
    assert len(bench.ledger()["disputes"]) == 1
    until(lambda: "charge.dispute.created" in bench.receiver.types())
    types = bench.receiver.types()
    assert types.index("payment_intent.payment_failed") < types.index("payment_intent.succeeded")
    assert types.count("charge.refunded") == 2


def test_a_hold_runs_out(bench: Bench, open_payment: Open) -> None:
    reference = open_payment(capture_method="manual")
    assert happen(bench, reference, "pay") == stands("open")
    assert happen(bench, reference, "expire") == stands("expired")


def test_what_is_only_let_go_of_is_not_given_back(bench: Bench, open_payment: Open) -> None:
    reference = open_payment(capture_method="manual")
    bench.happen(f"payments/{reference}/pay")
    intent = bench.client.v1.payment_intents.list().data[0].id
    bench.client.v1.payment_intents.capture(intent, {"amount_to_capture": 100_000})
    assert line(bench, reference) == stands("paid", 100_000)


def test_a_page_is_closed_and_an_intent_is_not(bench: Bench) -> None:
    session_id = bench.open_session().id
    assert happen(bench, session_id, "expire") == stands("expired")
    assert happen(bench, session_id, "pay") == stands("expired")
    asked: Any = {"amount": 150_000, "currency": "kes", "metadata": {"payment_id": "pay_1"}}
    intent_id = bench.client.v1.payment_intents.create(asked).id
    assert refused(bench, intent_id, "expire") == 400
    bench.client.v1.payment_intents.cancel(intent_id)
    assert line(bench, intent_id) == stands("canceled")


@pytest.mark.parametrize(("end", "status"), [("succeeds", "paid"), ("fails", "failed")])
def test_a_delayed_method_is_open_until_it_ends(bench: Bench, end: str, status: str) -> None:
    bench.fault(async_payment=end, async_seconds=3600)
    reference = bench.open_session().id
    assert happen(bench, reference, "pay") == stands("open")
    bench.clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert line(bench, reference)["status"] == status


def test_the_api_says_what_it_is_told_to_say(bench: Bench, open_payment: Open) -> None:
    reference = open_payment()
    other = open_payment()

    def said(reference: str) -> tuple[str | None, list[str | None]]:
        v1 = bench.client.v1
        if reference.startswith("pi_"):
            intents = v1.payment_intents
            return intents.retrieve(reference).status, [one.status for one in intents.list().data]
        sessions = v1.checkout.sessions
        return sessions.retrieve(reference).status, [one.status for one in sessions.list().data]

    usual, _ = said(other)
    happen(bench, reference, "say", state="a_new_word")
    assert said(reference) == ("a_new_word", [usual, "a_new_word"])
    assert said(other)[0] == usual
    happen(bench, reference, "pay")
    assert said(reference)[0] == "a_new_word"
    happen(bench, reference, "say")
    assert said(reference)[0] in ("succeeded", "complete")


@pytest.mark.parametrize("verb", ["pay", "decline", "expire", "refund", "dispute", "say"])
def test_what_does_not_exist_and_what_is_no_payment(bench: Bench, verb: str) -> None:
    session_id = bench.open_session().id
    bench.press(session_id, "pay")
    of_session = bench.ledger()["sessions"][0]["payment_intent"]
    for unknown in ("cs_none", "pi_none", "", of_session, bench.ledger()["charges"][0]["id"]):
        if unknown:
            assert refused(bench, unknown, verb) == 404
    assert refused(bench, session_id, verb, colour="blue") == 400


@pytest.mark.parametrize("verb", ["refund", "dispute"])
def test_nothing_comes_of_what_was_not_paid(bench: Bench, open_payment: Open, verb: str) -> None:
    reference = open_payment()
    assert refused(bench, reference, verb) == 400
    happen(bench, reference, "decline")
    assert refused(bench, reference, verb) == 400


def test_what_was_charged_while_the_client_was_away_is_listed(bench: Bench) -> None:
    asked: Any = {
        "amount": 150_000,
        "currency": "kes",
        "metadata": {"payment_id": "pay_1"},
        "payment_method": "pm_card_visa",
        "off_session": True,
        "confirm": True,
        **STAYS,
    }
    intent_id = bench.client.v1.payment_intents.create(asked).id
    assert line(bench, intent_id) == stands("paid", 150_000)
