"""A PaymentIntent on an app's own page, and what is saved of it to be charged later."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench, until

AMOUNT: Any = {"amount": 9_900, "currency": "usd", "description": "Gold <plan>"}


def opened(bench: Bench, **more: Any) -> stripe.PaymentIntent:
    return bench.client.v1.payment_intents.create(AMOUNT | more)


def read(bench: Bench, intent: stripe.PaymentIntent) -> stripe.PaymentIntent:
    return bench.client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})


def press(bench: Bench, intent: stripe.PaymentIntent, button: str) -> None:
    address = f"/c/intent/{intent.client_secret}"
    answer = bench.browser.post(f"{address}/{button}")
    assert (answer.status_code, answer.headers["Location"]) == (303, address)


def page(bench: Bench, intent: stripe.PaymentIntent) -> str:
    return bench.browser.get(f"/c/intent/{intent.client_secret}").raise_for_status().text


def test_the_page_shows_what_is_paid_and_the_overview_leads_there(bench: Bench) -> None:
    intent = opened(bench)
    shown = page(bench, intent)
    for text in ("USD 99.00", "Gold &lt;plan&gt;", "No money moves"):
        assert text in shown
    assert f"/c/intent/{intent.client_secret}" in bench.browser.get("/stripe").text


def test_paying_charges_once_and_tells(bench: Bench) -> None:
    intent = opened(bench, metadata={"payment_id": "pay_1"})
    for _ in range(2):
        press(bench, intent, "pay")
    paid = read(bench, intent)
    assert (paid.status, paid.amount_received) == ("succeeded", 9_900)
    assert len(bench.ledger()["charges"]) == 1
    assert "went through" in page(bench, intent)
    until(lambda: bench.receiver.types() == ["payment_intent.succeeded"])


def test_a_declined_client_may_try_again(bench: Bench) -> None:
    intent = opened(bench)
    press(bench, intent, "decline")
    declined = read(bench, intent)
    assert declined.status == "requires_payment_method"
    assert declined.last_payment_error is not None
    assert "Your card was declined. You can try again." in page(bench, intent)
    press(bench, intent, "pay")
    assert read(bench, intent).status == "succeeded"


def test_a_bank_may_ask_first(bench: Bench) -> None:
    intent = opened(bench)
    press(bench, intent, "authenticate")
    assert read(bench, intent).status == "requires_action"
    assert "The bank wants the client to confirm." in page(bench, intent)
    press(bench, intent, "pay")
    assert read(bench, intent).status == "succeeded"


@pytest.mark.parametrize(
    ("switches", "more", "text"),
    [
        ({}, {"capture_method": "manual"}, "is held"),
        ({"async_payment": "succeeds"}, {}, "not been settled"),
    ],
)
def test_what_is_agreed_to_but_not_taken_says_so(
    bench: Bench, switches: Any, more: Any, text: str
) -> None:
    bench.fault(**switches)
    intent = opened(bench, **more)
    press(bench, intent, "pay")
    assert text in page(bench, intent)


def test_nothing_is_paid_that_is_canceled_unknown_or_a_sessions(bench: Bench) -> None:
    canceled = opened(bench)
    bench.client.v1.payment_intents.cancel(canceled.id)
    press(bench, canceled, "pay")
    assert "Canceled" in page(bench, canceled)
    session_id = bench.open_session().id
    bench.press(session_id, "decline")
    of_session = bench.session(session_id).payment_intent
    assert isinstance(of_session, stripe.PaymentIntent)
    press(bench, of_session, "pay")
    assert bench.session(session_id).status == "open"
    for secret in ("pi_1_secret_2", f"{canceled.id}_secret_wrong", canceled.id):
        assert bench.browser.get(f"/c/intent/{secret}").status_code == 404
        assert bench.browser.post(f"/c/intent/{secret}/pay").status_code == 303
    assert [one["status"] for one in bench.ledger()["charges"]] == ["failed"]


def renewal(bench: Bench, paid: stripe.PaymentIntent) -> stripe.PaymentIntent:
    saved = {"customer": paid.customer, "payment_method": paid.payment_method}
    away = {"off_session": True, "confirm": True}
    return bench.client.v1.payment_intents.create(AMOUNT | saved | away | STAYS)


def saved_method(bench: Bench) -> stripe.PaymentIntent:
    customer = bench.client.v1.customers.create({"metadata": {"payment_id": "pay_1"}})
    intent = opened(bench, customer=customer.id, setup_future_usage="off_session")
    press(bench, intent, "pay")
    return read(bench, intent)


def test_what_is_saved_is_charged_while_the_client_is_away(bench: Bench) -> None:
    paid = saved_method(bench)
    assert paid.payment_method is not None
    again = renewal(bench, paid)
    assert (again.status, again.payment_method) == ("succeeded", paid.payment_method)
    assert len(bench.ledger()["charges"]) == 2


@pytest.mark.parametrize(
    ("said", "code"),
    [("declined", "card_declined"), ("authentication_required", "authentication_required")],
)
def test_a_bank_may_refuse_while_the_client_is_away(bench: Bench, said: str, code: str) -> None:
    paid = saved_method(bench)
    bench.fault(off_session=said, next={"off_session": 1})
    with pytest.raises(stripe.CardError) as refused:
        renewal(bench, paid)
    assert (refused.value.http_status, refused.value.code) == (402, code)
    body: Any = refused.value.json_body
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"
    assert bench.ledger()["payments"][-1]["status"] == "failed"
    assert renewal(bench, paid).status == "succeeded"


def test_the_switch_is_for_nobody_who_is_there(bench: Bench) -> None:
    bench.fault(off_session="declined")
    intent = opened(bench)
    press(bench, intent, "pay")
    assert read(bench, intent).status == "succeeded"


def test_customers_are_made_and_read(bench: Bench) -> None:
    customers = bench.client.v1.customers
    made = customers.create({"email": "ann@example.com", "metadata": {"payment_id": "pay_1"}})
    assert customers.retrieve(made.id).to_dict() == made.to_dict()
    assert made.metadata is not None
    assert (made.email, made.metadata["payment_id"]) == ("ann@example.com", "pay_1")
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        customers.retrieve("cus_none")
    assert unknown.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="does not model"):
        customers.create({"tax_exempt": "exempt"})
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        opened(bench, customer="cus_none")


def test_a_session_saves_for_a_customer_that_can_be_read(bench: Bench) -> None:
    session_id = bench.open_session(
        customer_creation="always",
        customer_email="ann@example.com",
        payment_intent_data={"setup_future_usage": "off_session"},
    ).id
    bench.press(session_id, "pay")
    customer_id = bench.session(session_id).customer
    assert isinstance(customer_id, str)
    assert bench.client.v1.customers.retrieve(customer_id).email == "ann@example.com"


def test_intents_are_listed_by_when_they_were_made(bench: Bench) -> None:
    first = opened(bench)
    bench.clock.advance(60)
    second = opened(bench)
    intents = bench.client.v1.payment_intents
    assert [one.id for one in intents.list().data] == [second.id, first.id]
    made: Any = {"gte": first.created, "lte": first.created + 30}
    assert [one.id for one in intents.list({"created": made}).data] == [first.id]
    press(bench, first, "pay")
    expand = ["data.latest_charge.balance_transaction"]
    shown = intents.list({"created": made, "expand": expand}).data[0].latest_charge
    assert isinstance(shown, stripe.Charge)
    assert isinstance(shown.balance_transaction, stripe.BalanceTransaction)
