"""Deliveries: signatures, retries, resending, restarts, and every switch."""

import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from local.clock import Clock
from local.stripe import StripeStandIn
from local.stripe.webhooks import signature
from tests.local.stripe.conftest import SECRET_KEY, STAYS, Bench, Start, until

PAY: Any = {
    "amount": 500,
    "currency": "kes",
    "payment_method": "pm_card_visa",
    "confirm": True,
    **STAYS,
}


def pay(bench: Bench, **more: Any) -> stripe.PaymentIntent:
    return bench.client.v1.payment_intents.create(PAY | more)


def event(bench: Bench, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = bench.ledger()["events"][index]
    return found


def wait_for_attempts(bench: Bench, count: int) -> None:
    until(lambda: len(event(bench)["attempts"]) == count)


def test_the_signature_is_the_sdks() -> None:
    body = '{"id": "evt_1"}'
    expected = stripe.WebhookSignature.generate_signature_header(body, "whsec_x", 1_790_000_000)
    assert signature(body.encode(), "whsec_x", 1_790_000_000) == expected


def test_a_failed_delivery_is_retried_until_it_is_taken(bench: Bench) -> None:
    bench.receiver.statuses = [500, 302, 400]
    pay(bench)
    for count in range(1, 5):
        wait_for_attempts(bench, count)
        assert (event(bench)["delivered_at"] is not None) == (count == 4)
        bench.clock.advance(40)
    assert [attempt["status"] for attempt in event(bench)["attempts"]] == [500, 302, 400, 200]
    assert len(set(bench.receiver.bodies)) == 1
    assert len(set(bench.receiver.signatures)) == 4


def test_retries_come_to_an_end(bench: Bench) -> None:
    bench.receiver.statuses = [503] * 20
    pay(bench)
    for count in range(1, 8):
        wait_for_attempts(bench, count)
        bench.clock.advance(40)
    pay(bench)
    until(lambda: event(bench, 1)["attempts"])
    assert len(event(bench)["attempts"]) == 7
    assert event(bench)["delivered_at"] is None


def test_a_receiver_that_is_away_is_tried_again(start: Start) -> None:
    bench = start(webhook_url="http://127.0.0.1:9/")
    pay(bench)
    wait_for_attempts(bench, 1)
    bench.clock.advance(40)
    wait_for_attempts(bench, 2)
    assert [attempt["error"] for attempt in event(bench)["attempts"]] == ["ConnectError"] * 2


def test_resending_repeats_the_body_with_a_fresh_signature(bench: Bench) -> None:
    pay(bench)
    until(lambda: event(bench)["delivered_at"])
    bench.clock.advance(600)
    answer = bench.browser.post(f"/_standin/events/{event(bench)['id']}/resend")
    assert answer.json()["status"] == 200
    assert bench.receiver.bodies[0] == bench.receiver.bodies[1]
    assert bench.receiver.signatures[0] != bench.receiver.signatures[1]
    assert len(event(bench)["attempts"]) == 2
    assert bench.browser.post("/_standin/events/evt_none/resend").status_code == 404


def test_late(bench: Bench) -> None:
    bench.fault(late_seconds=600, next={"late_seconds": 1})
    pay(bench)
    pay(bench)
    until(lambda: event(bench, 1)["delivered_at"])
    assert event(bench)["attempts"] == []
    bench.clock.advance(600)
    until(lambda: event(bench)["delivered_at"])


def test_twice(bench: Bench) -> None:
    bench.fault(twice=True)
    pay(bench)
    until(lambda: len(event(bench)["attempts"]) == 2)
    assert bench.receiver.bodies[0] == bench.receiver.bodies[1]


def test_both_copies_are_retried(bench: Bench) -> None:
    bench.fault(twice=True)
    bench.receiver.statuses = [500, 500]
    pay(bench)
    until(lambda: len(event(bench)["attempts"]) == 2)
    bench.clock.advance(5)
    until(lambda: len(event(bench)["attempts"]) == 4)


def test_out_of_order(bench: Bench) -> None:
    bench.fault(out_of_order=True)
    bench.press(bench.open_session().id, "pay")
    bench.clock.advance(1)
    until(lambda: len(bench.receiver.events) == 2)
    assert bench.receiver.types() == ["checkout.session.completed", "payment_intent.succeeded"]


def test_lost(bench: Bench) -> None:
    bench.fault(lost=True, next={"lost": 1})
    pay(bench)
    pay(bench)
    until(lambda: event(bench, 1)["delivered_at"])
    assert event(bench)["attempts"] == []
    assert len(bench.client.v1.events.list().data) == 2


def test_wrong_amount_and_currency(bench: Bench) -> None:
    bench.fault(wrong_amount=-100, wrong_currency="usd", next={"wrong_amount": 1})
    session_id = bench.open_session().id
    bench.press(session_id, "pay")
    session = bench.session(session_id)
    assert (session.amount_total, session.currency) == (149_900, "usd")
    charge = bench.ledger()["charges"][0]
    assert (charge["amount"], charge["currency"]) == (149_900, "usd")
    intent = pay(bench)
    assert (intent.amount, intent.amount_received, intent.currency) == (500, 500, "usd")


def test_5xx_is_answered_without_doing_anything(bench: Bench) -> None:
    bench.fault(status_5xx=503, next={"status_5xx": 1})
    options: stripe.RequestOptions = {"idempotency_key": "k"}
    with pytest.raises(stripe.APIError) as failure:
        bench.client.v1.payment_intents.create(PAY, options)
    assert failure.value.http_status == 503
    assert bench.ledger()["charges"] == []
    assert bench.client.v1.payment_intents.create(PAY, options).status == "succeeded"


def test_garbage_is_not_what_stripe_documents_and_leaves_the_key_free(bench: Bench) -> None:
    bench.fault(garbage=True, next={"garbage": 1})
    options: stripe.RequestOptions = {"idempotency_key": "k"}
    with pytest.raises(stripe.APIError, match="Invalid response body"):
        bench.client.v1.payment_intents.create(PAY, options)
    assert bench.ledger()["charges"] == []
    assert bench.client.v1.payment_intents.create(PAY, options).status == "succeeded"


def test_slow_answers(bench: Bench) -> None:
    bench.fault(latency_seconds=0.4)
    before = time.monotonic()
    pay(bench)
    assert time.monotonic() - before >= 0.4


@pytest.mark.parametrize("switch", ["timeout_after_charge", "drop_after_charge"])
def test_a_charge_whose_answer_is_lost_is_found_by_its_key(bench: Bench, switch: str) -> None:
    bench.fault(**{switch: True, "next": {switch: 1}})
    headers = {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": "k"}
    form = {
        "amount": "500",
        "currency": "kes",
        "payment_method": "pm_card_visa",
        "confirm": "true",
        "return_url": "https://shop.test/ok",
    }
    with pytest.raises(httpx.TransportError):
        bench.browser.post("/v1/payment_intents", data=form, headers=headers, timeout=0.5)
    answer = bench.browser.post("/v1/payment_intents", data=form, headers=headers)
    assert answer.headers["Idempotent-Replayed"] == "true"
    assert [charge["status"] for charge in bench.ledger()["charges"]] == ["succeeded"]
    assert bench.ledger()["charges"][0]["payment_intent"] == answer.json()["id"]


def test_the_sdk_sees_a_dropped_answer_as_a_connection_error(bench: Bench) -> None:
    bench.fault(drop_after_charge=True)
    with pytest.raises(stripe.APIConnectionError):
        pay(bench)


def test_switches_are_shown_checked_and_reset(bench: Bench) -> None:
    bench.fault(lost=True, late_seconds=2, next={"lost": 3})
    shown = bench.browser.get("/_standin/faults").json()
    assert (shown["lost"], shown["late_seconds"], shown["next"]) == (True, 2, {"lost": 3})
    for wrong in ({"lots": True}, {"status_5xx": 404}, {"late_seconds": -1}, {"next": {"x": 1}}):
        assert bench.browser.post("/_standin/faults", json=wrong).status_code == 400
    bench.fault()
    assert not any(
        value
        for name, value in bench.browser.get("/_standin/faults").json().items()
        if name != "async_seconds"
    )


def test_the_overview_shows_everything_and_sets_switches(bench: Bench) -> None:
    bench.press(bench.open_session().id, "pay")
    until(lambda: event(bench, 1)["delivered_at"])
    page = bench.browser.get("/stripe").text
    for text in ("KES 1,500.00", "checkout.session.completed", "succeeded", " 200", "wrong_amount"):
        assert text in page
    assert "<script" not in page
    form = {"lost": "", "twice": "true", "late_seconds": "3", "next[twice]": "2", "next[lost]": ""}
    assert bench.browser.post("/_standin/faults", data=form).headers["Location"] == "/stripe"
    switches = bench.browser.get("/_standin/faults").json()
    assert (switches["twice"], switches["late_seconds"]) == (True, 3)
    assert (switches["lost"], switches["next"]) == (False, {"twice": 2})
    refused = bench.browser.post("/_standin/faults", data={"late_seconds": "soon"})
    assert (refused.status_code, "late_seconds" in refused.text) == (400, True)


def test_a_restart_keeps_sessions_keys_and_undelivered_events(start: Start, tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "run" / "stripe.json"
    first = start(clock, file)
    session_id = first.open_session().id
    first.press(session_id, "decline")
    first.fault(late_seconds=3600)
    options: stripe.RequestOptions = {"idempotency_key": "k"}
    paid = first.client.v1.payment_intents.create(PAY, options)
    assert file.stat().st_mode & 0o777 == 0o600

    second = start(clock, file)

    assert second.client.v1.payment_intents.create(PAY, options).id == paid.id
    second.press(session_id, "pay")
    assert second.session(session_id).payment_status == "paid"
    clock.advance(3600)
    until(lambda: "payment_intent.succeeded" in second.receiver.types())
    assert len(second.ledger()["charges"]) == 3


@pytest.mark.parametrize("bad", [{"secret_key": "sk_live_x"}, {"webhook_secret": "secret"}])
def test_live_keys_are_refused(bad: dict[str, str]) -> None:
    settings: Any = {
        "clock": Clock(),
        "secret_key": SECRET_KEY,
        "webhook_secret": "whsec_x",
        "webhook_url": "http://127.0.0.1:9/",
        "base_url": "http://127.0.0.1:9",
        "state_file": None,
        "log": print,
    }
    with pytest.raises(ValueError, match=r"test keys|whsec_"):
        StripeStandIn(**settings | bad)
