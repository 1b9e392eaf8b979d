"""Disputes: nobody opens one over the API; they are seen there, and told by events."""

from functools import partial
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
}


@pytest.fixture
def charge(bench: Bench) -> str:
    charge_id = bench.client.v1.payment_intents.create(PAID).latest_charge
    assert isinstance(charge_id, str)
    return charge_id


def read(bench: Bench, dispute_id: str) -> stripe.Dispute:
    return bench.client.v1.disputes.retrieve(dispute_id)


def _was_told(bench: Bench, event_type: str) -> bool:
    return bench.receiver.types()[-1:] == [event_type]


def test_a_dispute_is_opened_and_lost(bench: Bench, charge: str) -> None:
    assert bench.client.v1.charges.retrieve(charge).disputed is False
    dispute = bench.happen(f"charges/{charge}/dispute")
    shown = read(bench, dispute["id"])
    assert (shown.amount, shown.status, shown.charge) == (10_000, "needs_response", charge)
    assert bench.client.v1.charges.retrieve(charge).disputed is True
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.refunds.create({"charge": charge})
    assert refusal.value.code == "charge_disputed"
    bench.happen(f"disputes/{dispute['id']}/lose")
    assert read(bench, dispute["id"]).status == "lost"
    until(lambda: len(bench.receiver.events) == 4)
    assert bench.receiver.types()[1:] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
    ]


def test_a_dispute_that_is_won_gives_the_money_back(bench: Bench, charge: str) -> None:
    dispute = bench.happen(f"charges/{charge}/dispute", amount=9_000)
    assert dispute["amount"] == 9_000
    bench.happen(f"disputes/{dispute['id']}/win")
    assert bench.client.v1.refunds.create({"charge": charge}).status == "succeeded"
    until(lambda: "charge.dispute.funds_reinstated" in bench.receiver.types())


def test_a_second_round_takes_it_again(bench: Bench, charge: str) -> None:
    dispute = bench.happen(f"charges/{charge}/dispute")["id"]
    for verb, moved in (("win", "reinstated"), ("lose", "withdrawn")):
        bench.happen(f"disputes/{dispute}/{verb}")
        until(partial(_was_told, bench, f"charge.dispute.funds_{moved}"))
        answer = bench.browser.post(f"/_standin/disputes/{dispute}/{verb}", json={})
        assert answer.status_code == 400


def test_an_inquiry_takes_nothing(bench: Bench, charge: str) -> None:
    inquiry = bench.happen(f"charges/{charge}/dispute", inquiry=True)
    assert inquiry["status"] == "warning_needs_response"
    assert bench.client.v1.refunds.create({"charge": charge}).status == "succeeded"
    until(lambda: "refund.created" in bench.receiver.types())
    assert "charge.dispute.funds_withdrawn" not in bench.receiver.types()
    answer = bench.browser.post(f"/_standin/disputes/{inquiry['id']}/win", json={})
    assert answer.status_code == 400


def test_what_can_not_be_disputed_is_refused(bench: Bench, charge: str) -> None:
    held = bench.client.v1.payment_intents.create(PAID | {"capture_method": "manual"})
    for charge_id, details, status in (
        ("ch_none", {}, 404),
        (held.latest_charge, {}, 400),
        (charge, {"amount": 10_001}, 400),
        (charge, {"amount": -1}, 400),
        (charge, {"why": "x"}, 400),
    ):
        answer = bench.browser.post(f"/_standin/charges/{charge_id}/dispute", json=details)
        assert answer.status_code == status, details
    assert bench.ledger()["disputes"] == []


def test_the_overview_has_buttons_for_all_that(bench: Bench, charge: str) -> None:
    empty = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in (f"charges/{charge}/dispute", f"charges/{charge}/refund"):
        assert f'action="/_standin/{path}"' in bench.browser.get("/stripe").text
    pressed = bench.browser.post(f"/_standin/charges/{charge}/dispute", headers=empty)
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/stripe")
    dispute = bench.ledger()["disputes"][0]["id"]
    assert f'action="/_standin/disputes/{dispute}/win"' in bench.browser.get("/stripe").text
