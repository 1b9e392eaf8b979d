"""Requests that come again, and what the switches do to them."""

from pathlib import Path

import pytest

from local.clock import Clock
from tests.local.paypal.bench import (
    Bench,
    Json,
    Ports,
    order_request,
    standing,
    usd,
    vault_request,
)

HOUR = 3600


def issues(answer: Json) -> list[str]:
    return [detail["issue"] for detail in answer["details"]]


def fresh(bench: Bench) -> dict[str, str]:
    return {"Authorization": f"Bearer {bench.fetch_token().json()['access_token']}"}


# Idempotency


def test_the_same_request_again_shows_what_it_did(bench: Bench) -> None:
    order_id = bench.create("key-1")
    bench.happen(f"payments/{order_id}/pay")
    again = bench.post("/v2/checkout/orders", order_request(), "key-1")
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (
        200,
        order_id,
        "APPROVED",
    )
    first, second = bench.capture(order_id), bench.capture(order_id)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert bench.ledger()["payments"][0]["captured"] == 1000


def test_an_order_is_forgotten_by_its_request_after_six_hours(bench: Bench) -> None:
    order_id = bench.create("key-1")
    bench.clock.advance(6 * HOUR - 60)
    again = bench.post("/v2/checkout/orders", order_request(), "key-1")
    assert again.status_code == 404  # it has lapsed, and the request still means this one
    bench.clock.advance(61)
    assert bench.create("key-1") != order_id


def test_a_request_id_is_for_one_request(bench: Bench) -> None:
    bench.create("key-1")
    other = order_request(amount=usd("11.00"))
    assert bench.post("/v2/checkout/orders", other, "key-1").status_code == 400
    assert bench.post("/v2/checkout/orders", other, "x" * 109).status_code == 400


def test_the_same_request_at_once_is_a_conflict(bench: Bench) -> None:
    bench.fault(in_progress=True, next={"in_progress": 1})
    answer = bench.post("/v2/checkout/orders", order_request(), "key-1")
    assert (answer.status_code, issues(answer.json())) == (409, ["PREVIOUS_REQUEST_IN_PROGRESS"])
    bench.create("key-1")


def test_a_refused_request_may_be_tried_again_under_its_id(bench: Bench) -> None:
    order_id = bench.create()
    bench.happen(f"payments/{order_id}/pay")
    bench.fault(instrument_declined=True, next={"instrument_declined": 1})
    assert bench.capture(order_id).status_code == 422
    assert bench.capture(order_id).status_code == 201


def test_one_invoice_is_paid_once(bench: Bench) -> None:
    bench.pay("key-1", invoice_id="pay_1")
    order_id = bench.create("key-2", invoice_id="pay_1")
    bench.happen(f"payments/{order_id}/pay")
    assert issues(bench.capture(order_id).json()) == ["DUPLICATE_INVOICE_ID"]


# Switches


@pytest.mark.parametrize(
    ("end", "event", "status"),
    [("pay", "PAYMENT.CAPTURE.COMPLETED", "paid"), ("decline", "PAYMENT.CAPTURE.DENIED", "failed")],
)
def test_a_capture_may_be_pending_first(bench: Bench, end: str, event: str, status: str) -> None:
    bench.fault(capture_as="PENDING", next={"capture_as": 1})
    order_id, capture_id = bench.pay()
    shown = bench.get(f"/v2/payments/captures/{capture_id}")
    assert shown["status"] == "PENDING"
    assert shown["status_details"] == {"reason": "PENDING_REVIEW"}
    assert bench.ledger()["payments"][0]["status"] == "open"
    bench.happen(f"payments/{order_id}/{end}")
    assert bench.ledger()["payments"][0]["status"] == status
    told = bench.told("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.PENDING", event)
    assert told[2]["resource"]["status"] == {"paid": "COMPLETED", "failed": "DECLINED"}[status]


def test_an_order_may_be_completed_by_a_declined_capture(bench: Bench) -> None:
    bench.fault(capture_as="DECLINED")
    order_id, _ = bench.pay()
    assert bench.order(order_id)["status"] == "COMPLETED"
    assert bench.ledger()["payments"][0]["status"] == "failed"


@pytest.mark.parametrize(
    ("switches", "charged"),
    [
        ({"wrong_amount": -1}, usd("9.99")),
        ({"wrong_currency": "kes"}, {"currency_code": "KES", "value": "10.00"}),
    ],
)
def test_another_amount_than_asked(bench: Bench, switches: Json, charged: Json) -> None:
    bench.fault(**switches)
    _, capture_id = bench.pay()
    assert bench.get(f"/v2/payments/captures/{capture_id}")["amount"] == charged


def test_says_what_it_is_told_to_say(bench: Bench) -> None:
    order_id, _ = bench.pay()
    bench.happen(f"payments/{order_id}/say", state="TELEPORTED")
    order = bench.browser.get(f"/v2/checkout/orders/{order_id}", headers=fresh(bench)).json()
    assert order["status"] == "TELEPORTED"
    assert order["purchase_units"][0]["payments"]["captures"][0]["status"] == "TELEPORTED"
    bench.happen(f"payments/{order_id}/say")
    assert bench.order(order_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    "verb", ["pay", "decline", "expire", "refund", "reverse", "dispute", "vault", "say"]
)
def test_nothing_happens_to_no_order(bench: Bench, verb: str) -> None:
    answer = bench.browser.post(f"/_standin/payments/NONE/{verb}", json={})
    assert answer.status_code == 404
    assert "error" in answer.json()


# What clients let us keep


def test_what_is_paid_with_is_kept_and_charged_again(bench: Bench) -> None:
    order_id = bench.post("/v2/checkout/orders", vault_request(), "key-1").json()["id"]
    bench.happen(f"payments/{order_id}/pay")
    kept = bench.capture(order_id).json()["payment_source"]["paypal"]["attributes"]["vault"]
    assert kept["status"] == "VAULTED"
    again = bench.post("/v2/checkout/orders", vault_request(kept["id"]), "key-2")
    assert (again.status_code, again.json()["status"]) == (201, "COMPLETED")
    _, _, told, _ = bench.told(
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
        "VAULT.PAYMENT-TOKEN.CREATED",
        "PAYMENT.CAPTURE.COMPLETED",
    )
    assert told["resource"]["id"] == kept["id"]
    assert told["resource"]["metadata"] == {"order_id": order_id}


def test_keeping_may_take_its_time(bench: Bench) -> None:
    bench.fault(pending_vault=True)
    order_id = bench.post("/v2/checkout/orders", vault_request(), "key-1").json()["id"]
    bench.happen(f"payments/{order_id}/pay")
    kept = bench.capture(order_id).json()["payment_source"]["paypal"]["attributes"]["vault"]
    assert kept == {"status": "APPROVED"}
    bench.happen(f"payments/{order_id}/vault")
    wallet_now = bench.order(order_id)["payment_source"]["paypal"]
    assert wallet_now["attributes"]["vault"]["status"] == "VAULTED"


def test_an_account_may_not_be_let_keep_anything(ports: Ports) -> None:
    with standing(ports, vaults=False) as bench:
        for body in (vault_request(), vault_request("8kk8451t")):
            answer = bench.post("/v2/checkout/orders", body, "key-1")
            assert issues(answer.json()) == ["NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE"]


def test_the_state_outlives_the_process(ports: Ports, folder: Path) -> None:
    clock, file = Clock(), folder / "paypal.json"
    with standing(ports, clock=clock, state_file=file) as bench:
        order_id, _ = bench.pay()
        bench.happen(f"payments/{order_id}/dispute")
        before = bench.ledger()["payments"]
    with standing(ports, clock=clock, state_file=file) as bench:
        assert bench.ledger()["payments"] == before
        assert bench.order(order_id)["status"] == "COMPLETED"
