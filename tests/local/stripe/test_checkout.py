"""The checkout page: pay, decline, leave, and what they leave behind."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench, until


def test_paying_charges_completes_the_session_and_sends_the_client_on(bench: Bench) -> None:
    created = bench.open_session()
    assert (created.status, created.payment_status) == ("open", "unpaid")
    assert (created.payment_intent, created.livemode) == (None, False)
    assert created.url == f"{bench.url}/c/pay/{created.id}"

    answer = bench.press(created.id, "pay")

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://shop.test/ok?sid={created.id}"
    session = bench.session(created.id)
    assert (session.status, session.payment_status, session.url) == ("complete", "paid", None)
    intent = session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount_received, intent.currency) == ("succeeded", 150_000, "kes")
    assert intent.metadata["payment_id"] == "pay_1"
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert (intent.latest_charge.paid, intent.latest_charge.amount) == (True, 150_000)
    until(lambda: len(bench.receiver.events) == 2)
    assert bench.receiver.types() == ["payment_intent.succeeded", "checkout.session.completed"]


def test_a_double_click_charges_once(bench: Bench) -> None:
    session_id = bench.open_session().id
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: bench.press(session_id, "pay"), range(4)))
    assert {answer.headers["Location"] for answer in answers} == {
        f"https://shop.test/ok?sid={session_id}"
    }
    charges = bench.ledger()["charges"]
    assert [(charge["amount"], charge["status"]) for charge in charges] == [(150_000, "succeeded")]
    assert charges[0]["metadata"] == {"payment_id": "pay_1"}


def test_a_declined_client_may_try_again(bench: Bench) -> None:
    session_id = bench.open_session().id

    answer = bench.press(session_id, "decline")

    assert (answer.status_code, answer.headers["Location"]) == (303, f"/c/pay/{session_id}")
    page = bench.browser.get(f"/c/pay/{session_id}").text
    assert "Your card was declined." in page
    session = bench.session(session_id)
    intent = session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (session.status, intent.status) == ("open", "requires_payment_method")
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.code == "card_declined"
    bench.press(session_id, "pay")
    paid = bench.session(session_id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    statuses = [charge["status"] for charge in bench.ledger()["charges"]]
    assert statuses == ["failed", "succeeded"]
    until(lambda: len(bench.receiver.events) == 3)
    assert bench.receiver.types()[0] == "payment_intent.payment_failed"


def test_leaving_keeps_the_session_open(bench: Bench) -> None:
    session_id = bench.open_session().id
    answer = bench.press(session_id, "leave")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://shop.test/back")
    assert bench.session(session_id).status == "open"
    assert bench.ledger()["charges"] == []


def test_the_page_shows_what_is_paid_and_escapes_it(bench: Bench) -> None:
    session = bench.open_session(branding_settings={"display_name": "Bean & Co"})
    page = bench.browser.get(session.url or "").text
    for text in ("KES 1,500.00", "Bean &amp; Co", "Gold &lt;plan&gt;", "March", "No money moves"):
        assert text in page
    assert "<script" not in page
    assert 'name="viewport"' in page
    assert [f"/{session.id}/{verb}" in page for verb in ("pay", "decline", "leave")] == [True] * 3


def test_there_is_no_way_back_without_a_cancel_url(bench: Bench) -> None:
    params = bench.open_session()
    assert "Leave" in bench.browser.get(params.url or "").text
    session = bench.open_session(cancel_url=None)
    assert "Leave" not in bench.browser.get(session.url or "").text
    assert bench.press(session.id, "leave").headers["Location"] == f"/c/pay/{session.id}"


def test_closed_and_unknown_pages_say_so(bench: Bench) -> None:
    paid, expired = bench.open_session().id, bench.open_session().id
    bench.press(paid, "pay")
    bench.client.v1.checkout.sessions.expire(expired)
    assert "Already paid" in bench.browser.get(f"/c/pay/{paid}").text
    assert "This page has expired" in bench.browser.get(f"/c/pay/{expired}").text
    assert bench.press(expired, "pay").headers["Location"] == f"/c/pay/{expired}"
    assert bench.browser.get("/c/pay/cs_test_none").status_code == 404
    assert len(bench.ledger()["charges"]) == 1


def test_a_session_ends_with_its_time(bench: Bench) -> None:
    soon = int(bench.clock.time()) + 1800
    session_id = bench.open_session(expires_at=soon).id
    bench.press(session_id, "decline")
    bench.clock.advance(1801)
    assert bench.session(session_id).status == "expired"
    bench.press(session_id, "pay")
    until(lambda: "checkout.session.expired" in bench.receiver.types())
    assert "payment_intent.canceled" in bench.receiver.types()
    assert [charge["status"] for charge in bench.ledger()["charges"]] == ["failed"]


def test_only_an_open_session_can_be_expired(bench: Bench) -> None:
    session_id = bench.open_session().id
    bench.press(session_id, "pay")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.checkout.sessions.expire(session_id)
    assert refusal.value.http_status == 400


@pytest.mark.parametrize(("outcome", "paid"), [("succeeds", "paid"), ("fails", "unpaid")])
def test_a_delayed_method_settles_later(bench: Bench, outcome: str, paid: str) -> None:
    bench.fault(async_payment=outcome, async_seconds=3600)
    session_id = bench.open_session().id
    bench.press(session_id, "pay")
    pending = bench.session(session_id)
    assert (pending.status, pending.payment_status) == ("complete", "unpaid")
    assert "Payment under way" in bench.browser.get(f"/c/pay/{session_id}").text
    until(lambda: len(bench.receiver.events) == 2)
    assert bench.receiver.types() == ["payment_intent.processing", "checkout.session.completed"]
    bench.clock.advance(3600)
    assert bench.session(session_id).payment_status == paid
    last = "succeeded" if outcome == "succeeds" else "failed"
    until(lambda: f"checkout.session.async_payment_{last}" in bench.receiver.types())


def test_a_saved_card_renews_for_its_customer_only(bench: Bench) -> None:
    saved = {"setup_future_usage": "off_session"}
    session_id = bench.open_session(customer_creation="always", payment_intent_data=saved).id
    bench.press(session_id, "pay")
    session = bench.session(session_id)
    intent = session.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    renewal: Any = {"amount": 150_000, "currency": "kes", "off_session": True, "confirm": True}
    renewal |= {"payment_method": intent.payment_method, **STAYS}
    create = bench.client.v1.payment_intents.create
    for_customer: Any = renewal | {"customer": session.customer}
    assert create(for_customer).status == "succeeded"
    with pytest.raises(stripe.InvalidRequestError, match="not saved for this customer"):
        create(renewal)
    assert len(bench.ledger()["charges"]) == 2
