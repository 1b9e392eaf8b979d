"""Take a payment, hear from the PSP, say whether the client has paid: over HTTP, on real parts."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.journeys.conftest import Served

WAIT_SECONDS = 20


def check_until(served: Served, client_id: str, reason: str) -> dict[str, Any]:
    """Asks until the reason is as expected; a webhook takes a moment to arrive."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (answer := served.check(client_id))["reason"] != reason:
        assert time.monotonic() < deadline, answer
        time.sleep(0.1)
    return answer


def effects(served: Served, payment_id: str) -> tuple[Any, ...]:
    """All that a payment left behind."""
    return (
        served.rows("SELECT status, version FROM payments WHERE id = %s", payment_id),
        served.rows("SELECT * FROM subscription_periods WHERE payment_id = %s", payment_id),
        served.rows("SELECT id FROM outbox WHERE aggregate_id = %s ORDER BY id", payment_id),
        served.rows("SELECT id FROM audit_log WHERE object_id = %s ORDER BY id", payment_id),
    )


def test_a_payment_makes_a_subscriber(served: Served) -> None:
    payment = served.create("story-1").json()
    assert served.check("story-1")["active"] is False
    back = served.press(payment, "pay")
    assert back.status_code == 303
    answer = check_until(served, "story-1", "paid")
    assert answer["active"] is True
    assert served.payment(payment["id"])["status"] == "succeeded"
    assert len(served.charges(payment["id"])) == 1


def test_two_hundred_creates_at_once_with_one_key_make_one_charge(served: Served) -> None:
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: served.create("crowd-1", key="one"), range(200)))
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}, statuses
    payments = {answer.content for answer in answers if answer.status_code == 201}
    assert len(payments) == 1
    payment = served.create("crowd-1", key="one").json()
    sessions = [
        session
        for session in served.ledger()["sessions"]
        if session["client_reference_id"] == payment["id"]
    ]
    assert len(sessions) == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: served.press(payment, "pay"), range(8)))
    assert len(served.charges(payment["id"])) == 1


def test_webhooks_repeated_reordered_and_replayed_change_nothing(served: Served) -> None:
    served.faults(twice=True, out_of_order=True)
    payment = served.create("again-1").json()
    served.press(payment, "decline")
    served.press(payment, "pay")
    check_until(served, "again-1", "paid")
    served.faults()
    events = [
        event["id"]
        for event in served.ledger()["events"]
        if payment["id"] in str(event) or payment["psp_reference"] in str(event)
    ] or [event["id"] for event in served.ledger()["events"]]
    before = effects(served, payment["id"])
    for event_id in [*reversed(events), *events]:
        served.http.post(f"{served.psp_url}/_standin/events/{event_id}/resend").raise_for_status()
    assert effects(served, payment["id"]) == before
    assert len(before[1]) == 1


def test_a_lost_webhook_is_made_good_by_the_check(served: Served) -> None:
    served.faults(lost=True)
    payment = served.create("lost-1").json()
    served.press(payment, "pay")
    answer = check_until(served, "lost-1", "paid")
    assert answer["active"] is True
    assert served.rows("SELECT count(*) FROM inbox WHERE payment_id = %s", payment["id"]) == [(0,)]


def test_the_returning_browser_settles_too(served: Served) -> None:
    served.faults(lost=True)
    payment = served.create("back-1", return_url="https://shop.example/done").json()
    back = served.press(payment, "pay").headers["location"]
    sent_on = served.http.get(back)
    assert sent_on.status_code == 303
    assert sent_on.headers["location"] == f"https://shop.example/done?payment_id={payment['id']}"
    assert served.check("back-1")["source"] == "cache"


def test_leaving_and_declining_give_no_access(served: Served) -> None:
    urls = {"return_url": "https://shop.example/done", "cancel_url": "https://shop.example/left"}
    payment = served.create("left-1", **urls).json()
    served.press(payment, "decline")
    left = served.press(payment, "leave").headers["location"]
    assert served.http.get(left).headers["location"].startswith("https://shop.example/left?")
    answer = served.check("left-1")
    assert (answer["active"], answer["reason"]) == (False, "payment_pending")
    assert answer["pay_url"] == payment["next_action"]["url"]


def test_a_wrong_amount_needs_review_and_gives_no_access(served: Served) -> None:
    served.faults(wrong_amount=True)
    payment = served.create("wrong-1").json()
    if payment["next_action"]:
        served.press(payment, "pay")
    deadline = time.monotonic() + WAIT_SECONDS
    while served.payment(payment["id"])["status"] != "needs_review":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert served.check("wrong-1")["active"] is False


def test_a_psp_that_answers_5xx_leaves_the_payment_pending(served: Served) -> None:
    served.faults(status_5xx=503)
    answer = served.create("down-1")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    served.faults()
    assert served.create("down-1").content == answer.content


@pytest.mark.parametrize("header", [None, "t=1,v1=00", "t=1700000000,v1=" + "0" * 64, "v1=,t="])
def test_a_forged_webhook_is_refused(served: Served, header: str | None) -> None:
    headers = {"Stripe-Signature": header} if header else {}
    answer = served.http.post(f"{served.rest_url}/webhook/stripe", content=b"{}", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["code"] == "signature_refused"


def test_an_old_webhook_is_refused(served: Served) -> None:
    import stripe

    secret = served.described["webhook_secrets"]["stripe"]
    body = '{"id": "evt_1"}'
    sign = stripe.WebhookSignature.generate_signature_header
    for age_seconds, code in ((3600, "signature_refused"), (0, "webhook_malformed")):
        header = sign(body, secret, timestamp=int(time.time()) - age_seconds)
        answer = httpx.post(
            f"{served.rest_url}/webhook/stripe", content=body, headers={"Stripe-Signature": header}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_an_invoice_of_the_same_account_is_no_business_of_ours(served: Served) -> None:
    import json

    import stripe

    body = json.dumps(
        {
            "id": "evt_2",
            "type": "invoice.paid",
            "livemode": False,
            "data": {"object": {"id": "in_1", "object": "invoice", "metadata": {}}},
        }
    )
    secret = served.described["webhook_secrets"]["stripe"]
    header = stripe.WebhookSignature.generate_signature_header(body, secret)
    url = f"{served.rest_url}/webhook/stripe"
    assert httpx.post(url, content=body, headers={"Stripe-Signature": header}).status_code == 200
    assert served.rows("SELECT count(*) FROM inbox WHERE event_id = 'evt_2'") == [(0,)]


def test_the_month_ends_though_no_timer_runs(served: Served) -> None:
    """Moves the clock of the whole system, so it is the last of this file."""
    payment = served.create("month-1").json()
    served.press(payment, "pay")
    check_until(served, "month-1", "paid")
    served.http.post(
        f"{served.rest_url}/_local/clock",
        json={"advance_seconds": 32 * 24 * 3600},
        headers={"Authorization": f"Bearer {served.described['admin_key']}"},
    ).raise_for_status()
    answer = served.check("month-1")
    assert (answer["active"], answer["reason"]) == (False, "expired")
