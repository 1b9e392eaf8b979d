"""Refunds: what may be given back, how that ends, and the events and books of it."""

from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import STAYS, Bench, until

PAID: Any = {
    "amount": 10_000,
    "currency": "usd",
    "payment_method": "pm_card_visa",
    "confirm": True,
    **STAYS,
    "metadata": {"payment_id": "pay_1"},
}


@pytest.fixture
def intent(bench: Bench) -> str:
    return bench.client.v1.payment_intents.create(PAID).id


def give_back(bench: Bench, intent: str, **more: Any) -> stripe.Refund:
    params: Any = {"payment_intent": intent, **more}
    return bench.client.v1.refunds.create(params)


def charge(bench: Bench) -> Any:
    return bench.client.v1.charges.list({"expand": ["data.refunds"]}).data[0]


def books(bench: Bench) -> Any:
    return bench.client.v1.charges.list({"expand": ["data.balance_transaction"]}).data[0]


def test_a_charge_is_given_back_in_parts(bench: Bench, intent: str) -> None:
    first = give_back(bench, intent, amount=4_000, metadata={"refund_id": "ref_1"})
    assert (first.status, first.amount) == ("succeeded", 4_000)
    assert first.metadata is not None
    assert first.metadata["refund_id"] == "ref_1"
    assert (charge(bench).amount_refunded, charge(bench).refunded) == (4_000, False)
    rest = give_back(bench, intent, reason="duplicate")
    assert (rest.amount, rest.reason) == (6_000, "duplicate")
    assert (charge(bench).amount_refunded, charge(bench).refunded) == (10_000, True)
    assert [one.id for one in charge(bench).refunds.data] == [rest.id, first.id]
    assert bench.client.v1.refunds.retrieve(first.id).to_dict() == first.to_dict()
    until(lambda: len(bench.receiver.events) == 5)
    assert bench.receiver.types()[1:] == ["charge.refunded", "refund.created"] * 2


@pytest.mark.parametrize(
    ("more", "param", "code"),
    [
        ({"amount": 10_001}, None, "amount_too_large"),
        ({"amount": 0}, "amount", "parameter_invalid_integer"),
        ({"amount": -5}, "amount", "parameter_invalid_integer"),
        ({"reason": "because"}, "reason", None),
        ({"charge": "ch_1"}, "charge", None),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None),
        ({"currency": "usd"}, "currency", None),
        ({"colour": "red"}, "colour", "parameter_unknown"),
    ],
)
def test_a_refund_is_checked(
    bench: Bench, intent: str, more: Any, param: str | None, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        give_back(bench, intent, **more)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)
    assert refusal.value.code == code
    assert bench.ledger()["refunds"] == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "parameter_missing"),
        ({"payment_intent": "pi_none"}, "resource_missing"),
        ({"charge": "ch_none"}, "resource_missing"),
    ],
)
def test_a_refund_is_of_something(bench: Bench, params: Any, code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.refunds.create(params)
    assert (refusal.value.http_status, refusal.value.code) == (400, code)


@pytest.mark.parametrize(
    "unpaid",
    [
        {"confirm": False},
        {"capture_method": "manual"},
    ],
)
def test_what_was_not_taken_is_not_given_back(bench: Bench, unpaid: Any) -> None:
    intent = bench.client.v1.payment_intents.create(PAID | unpaid)
    with pytest.raises(stripe.InvalidRequestError, match="no successful charge"):
        give_back(bench, intent.id)


def test_what_is_given_back_is_given_back_once(bench: Bench, intent: str) -> None:
    options: stripe.RequestOptions = {"idempotency_key": "refund-1"}
    params: Any = {"payment_intent": intent, "amount": 10_000}
    first = bench.client.v1.refunds.create(params, options)
    assert bench.client.v1.refunds.create(params, options).id == first.id
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.refunds.create(params)
    assert refusal.value.code == "charge_already_refunded"
    with pytest.raises(stripe.IdempotencyError):
        bench.client.v1.refunds.create(params | {"amount": 1}, options)


def test_a_pending_refund_ends_one_way_or_the_other(bench: Bench, intent: str) -> None:
    bench.fault(pending_refunds=True)
    good, bad = (give_back(bench, intent, amount=3_000) for _ in range(2))
    assert (good.status, good.balance_transaction) == ("pending", None)
    assert charge(bench).amount_refunded == 6_000
    assert bench.happen(f"refunds/{good.id}/succeed")["status"] == "succeeded"
    failed = bench.happen(f"refunds/{bad.id}/fail")
    assert failed["status"] == "failed"
    assert "failure_balance_transaction" not in failed
    assert charge(bench).amount_refunded == 3_000
    until(lambda: "refund.failed" in bench.receiver.types())
    assert bench.receiver.types()[-3:] == ["refund.updated", "refund.updated", "refund.failed"]


def test_a_refund_may_fail_days_later(bench: Bench, intent: str) -> None:
    refund = give_back(bench, intent)
    failed = bench.happen(f"refunds/{refund.id}/fail")
    assert failed["failure_reason"] == "expired_or_canceled_card"
    assert failed["failure_balance_transaction"] is not None
    assert (charge(bench).amount_refunded, charge(bench).refunded) == (0, False)
    assert give_back(bench, intent).status == "succeeded"


def test_what_can_not_happen_is_refused(bench: Bench, intent: str) -> None:
    refund = give_back(bench, intent).id
    for what, details, status in (
        (f"refunds/{refund}/succeed", {}, 400),
        ("refunds/re_none/fail", {}, 404),
        (f"refunds/{refund}/fail", {"amount": 1}, 400),
        ("charges/ch_none/refund", {}, 400),
        (f"charges/{charge(bench).id}/refund", {"amount": 0}, 400),
        (f"charges/{charge(bench).id}/refund", {"reason": "x"}, 400),
    ):
        answer = bench.browser.post(f"/_standin/{what}", json=details)
        assert answer.status_code == status, what
    bench.happen(f"refunds/{refund}/fail")
    assert bench.browser.post(f"/_standin/refunds/{refund}/fail", json={}).status_code == 400


def test_a_refund_by_hand_is_nobodys(bench: Bench, intent: str) -> None:
    made = bench.happen(f"charges/{charge(bench).id}/refund", amount=500)
    assert (made["metadata"], made["payment_intent"], made["amount"]) == ({}, intent, 500)
    until(lambda: "refund.created" in bench.receiver.types())


def test_the_books_have_stripes_fee(bench: Bench, intent: str) -> None:
    entry = books(bench).balance_transaction
    assert (entry.amount, entry.fee, entry.net, entry.currency) == (10_000, 320, 9_680, "usd")
    assert (entry.type, entry.source) == ("charge", books(bench).id)


def test_what_a_capture_leaves_is_let_go_as_a_refund_in_no_balance(bench: Bench) -> None:
    held = bench.client.v1.payment_intents.create(PAID | {"capture_method": "manual"})
    assert books(bench).balance_transaction is None
    bench.client.v1.payment_intents.capture(held.id, {"amount_to_capture": 7_000})
    (release,) = charge(bench).refunds.data
    assert (release.amount, release.balance_transaction) == (3_000, None)
    assert (charge(bench).amount_captured, charge(bench).amount_refunded) == (7_000, 3_000)
    assert give_back(bench, held.id).amount == 7_000
    answer = bench.browser.post(f"/_standin/refunds/{release.id}/fail", json={})
    assert answer.status_code == 400


@pytest.mark.parametrize(("days", "status"), [(6, "requires_capture"), (7, "canceled")])
def test_a_hold_lapses_after_a_week(bench: Bench, days: int, status: str) -> None:
    held = bench.client.v1.payment_intents.create(PAID | {"capture_method": "manual"})
    bench.clock.advance(days * 86_400)
    read = bench.client.v1.payment_intents.retrieve(held.id)
    assert read.status == status
    assert read.cancellation_reason == ("automatic" if status == "canceled" else None)


def test_refunds_outlive_a_restart(bench: Bench, intent: str, start: Any, tmp_path: Any) -> None:
    file = tmp_path / "state.json"
    before = start(state_file=file)
    made = give_back(before, before.client.v1.payment_intents.create(PAID).id)
    after = start(state_file=file)
    assert after.client.v1.refunds.retrieve(made.id).to_dict() == made.to_dict()
    assert books(after).balance_transaction.fee == 320
