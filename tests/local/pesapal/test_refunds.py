"""Refunds: asked for, approved by somebody, and told as a reversal without an amount."""

from typing import Any

import pytest

from tests.local.pesapal.bench import Bench
from tests.local.standin.serving import until


def paid(bench: Bench, method: str = "card", **more: Any) -> str:
    tracking_id = bench.open_order(**more)
    bench.happen(tracking_id, "pay", method=method).raise_for_status()
    return tracking_id


def ask(bench: Bench, tracking_id: str, **more: Any) -> dict[str, Any]:
    asked = {
        "confirmation_code": bench.status(tracking_id)["confirmation_code"],
        "amount": 1500,
        "username": "tollgate",
        "remarks": "Refund ref_1",
    }
    return bench.post("Transactions/RefundRequest", asked | more)


@pytest.mark.parametrize(("method", "amount"), [("card", 1500), ("card", 500.25), ("mpesa", 1500)])
def test_is_a_wish_until_somebody_approves_it(bench: Bench, method: str, amount: float) -> None:
    tracking_id = paid(bench, method)
    assert ask(bench, tracking_id, amount=amount) == {
        "status": "200",
        "message": "Refund request successfully",
    }
    assert bench.status(tracking_id)["status_code"] == 1
    assert bench.payment(tracking_id)["refunded"] == 0
    approved = bench.happen(tracking_id, "refund").json()
    assert approved["refunded"] == int(amount * 100)
    said = bench.status(tracking_id)
    assert (said["status_code"], said["amount"]) == (3, 1500.0)
    until(lambda: len(bench.receiver.heard) == 2)


def test_is_asked_for_once(bench: Bench) -> None:
    tracking_id = paid(bench)
    ask(bench, tracking_id, amount=1)
    assert ask(bench, tracking_id, amount=1)["status"] == "500"


@pytest.mark.parametrize(
    "more",
    [
        {"confirmation_code": "x"},
        {"amount": 1500.01},
        {"amount": 0},
        {"amount": "1500"},
        {"username": ""},
        {"remarks": ""},
        {"refund_id": "ref_1"},
    ],
)
def test_is_refused(bench: Bench, more: dict[str, Any]) -> None:
    assert ask(bench, paid(bench), **more)["status"] == "500"


@pytest.mark.parametrize("method", ["mpesa", "airtel"])
def test_of_mobile_money_is_whole(bench: Bench, method: str) -> None:
    tracking_id = paid(bench, method)
    assert ask(bench, tracking_id, amount=500)["status"] == "500"
    assert bench.happen(tracking_id, "refund", amount=50_000).status_code == 409


def test_may_be_rejected(bench: Bench) -> None:
    bench.fault(reject_refunds=True)
    assert ask(bench, paid(bench)) == {"status": "500", "message": "Refund rejected"}


def test_may_be_made_without_being_asked_for(bench: Bench) -> None:
    tracking_id = paid(bench)
    assert bench.happen(tracking_id, "refund", amount=100).json()["refunded"] == 100
    assert bench.happen(tracking_id, "refund").status_code == 409
    assert ask(bench, tracking_id)["status"] == "500"


def test_of_what_was_not_paid(bench: Bench) -> None:
    tracking_id = bench.open_order()
    assert bench.happen(tracking_id, "refund").status_code == 409
    bench.happen(tracking_id, "decline")
    assert bench.happen(tracking_id, "refund").status_code == 409
    assert bench.happen(tracking_id, "refund", amount=-1).status_code == 400
