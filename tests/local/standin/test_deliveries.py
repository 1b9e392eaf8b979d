"""A notification of another kind than Stripe's: a GET, and an answer that has to say the word."""

from typing import Any

from tests.local.standin.conftest import Bench
from tests.local.standin.serving import until


def attempts(bench: Bench) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bench.ledger()["events"][0]["attempts"]
    return found


def wait_for_attempts(bench: Bench, count: int) -> None:
    until(lambda: len(attempts(bench)) == count)


def test_it_is_sent_as_the_psp_composes_it(bench: Bench) -> None:
    charge = bench.charge(700).json()["id"]
    heard = until(lambda: bench.receiver.heard)
    assert heard == [{"method": "GET", "event": f"e_{charge}", "amount": "700"}]
    until(lambda: bench.ledger()["events"][0]["delivered_at"])
    assert f"coins notification paid e_{charge}: 200" in bench.coins.log


def test_a_200_without_the_word_is_no_delivery(bench: Bench) -> None:
    bench.receiver.answers = ["<html>", "soon"]
    bench.charge()
    for count in range(1, 4):
        wait_for_attempts(bench, count)
        assert (bench.ledger()["events"][0]["delivered_at"] is not None) == (count == 3)
        bench.clock.advance(40)
    assert [attempt["accepted"] for attempt in attempts(bench)] == [False, False, True]
    assert [attempt["status"] for attempt in attempts(bench)] == [200] * 3
    assert any(line.endswith(": 200 not accepted") for line in bench.coins.log)


def test_an_address_that_is_none_stops_nobody_else(bench: Bench) -> None:
    bench.charge(tell="http://shop.test:port/")
    until(lambda: attempts(bench))
    assert attempts(bench)[0]["error"] == "InvalidURL"
    bench.charge()
    until(lambda: bench.receiver.heard)


def test_resending(bench: Bench) -> None:
    bench.fault(lost=True)
    charge = bench.charge().json()["id"]
    resend = f"/coins/_standin/events/e_{charge}/resend"
    assert bench.http.post(resend).json()["accepted"]
    assert [one["event"] for one in bench.receiver.heard] == [f"e_{charge}"]
    pressed = bench.http.post(resend, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/coins/")
    assert bench.http.post("/coins/_standin/events/none/resend").status_code == 404
