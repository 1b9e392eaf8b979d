"""The overview of a stand-in below a path, its switches, and what happens with no request."""

import re
from typing import Any

import pytest

from tests.local.standin.conftest import Bench

PRESSED = {"Content-Type": "application/x-www-form-urlencoded"}


def test_links_stay_below_the_stand_ins_path(bench: Bench) -> None:
    charge = bench.charge().json()["id"]
    page = bench.http.get("/coins/").text
    actions = re.findall(r'action="([^"]*)"', page)
    assert actions == [
        f"/coins/_standin/charges/{charge}/return",
        f"/coins/_standin/events/e_{charge}/resend",
        "/coins/_standin/faults",
    ]
    assert "This is a stand-in for Coins &amp; Co on your own machine. No money moves." in page
    for action in actions:
        pressed = bench.http.post(action, headers=PRESSED)
        assert (pressed.status_code, pressed.headers["Location"]) == (303, "/coins/")


def test_a_psp_has_its_own_switches_beside_those_of_all(bench: Bench) -> None:
    bench.fault(shy=True, wrong_amount=5, next={"shy": 1})
    bench.charge(100, tell="http://[")
    assert list(bench.ledger()["charges"].values()) == [105]
    assert [event.body for event in bench.coins.deliveries.events] == ["0"]
    shown = bench.http.get("/coins/_standin/faults").json()
    assert (shown["shy"], shown["wrong_amount"], shown["next"]) == (False, 5, {})
    assert bench.http.get("/_standin/faults").json()["wrong_amount"] == 0  # Stripe's are its own


@pytest.mark.parametrize(
    "wrong", [{"async_payment": "fails"}, {"next": {"shy_seconds": 1}}, {"next": {"next": 1}}]
)
def test_only_its_switches_are_taken(bench: Bench, wrong: Any) -> None:
    answer = bench.http.post("/coins/_standin/faults", json=wrong)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_the_form_shows_what_it_set(bench: Bench) -> None:
    form = {"shy": "true", "shy_seconds": "0", "lost": "", "next[shy]": "2", "next[lost]": ""}
    bench.http.post("/coins/_standin/faults", data=form)
    page = bench.http.get("/coins/").text
    for field in (
        'name="shy" value="true"',
        'name="shy_seconds" value="0.0"',
        'name="next[shy]" value="2"',
        'name="lost" value=""',
    ):
        assert field in page
    refused = bench.http.post("/coins/_standin/faults", data={"shy": "<perhaps>"})
    assert (refused.status_code, 'role="alert"' in refused.text) == (400, True)


def test_what_happens_with_no_request(bench: Bench) -> None:
    charge = bench.charge().json()["id"]
    path = f"/coins/_standin/charges/{charge}/return"
    assert bench.http.post(path, json={"reason": 1}).status_code == 400
    done = bench.http.post(path, json={"reason": "theft"})
    assert done.json() == {"returned": charge, "reason": "theft"}
    refused = bench.http.post(path)
    assert (refused.status_code, refused.json()) == (
        409,
        {"error": f"{charge} has been returned"},
    )
