"""What callers get in the place of an answer, and what was done nevertheless."""

import httpx
import pytest

from tests.local.standin.conftest import Bench


def test_garbage_is_a_page_where_json_is_due_and_nothing_is_done(bench: Bench) -> None:
    bench.fault(garbage=True, next={"garbage": 2})
    listed, charged = bench.http.get("/coins/charges"), bench.charge()
    for answer in (listed, charged):
        assert (answer.status_code, answer.headers["Content-Type"]) == (
            200,
            "text/html; charset=utf-8",
        )
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()
    assert bench.ledger()["charges"] == {}
    assert list(bench.ledger()["charges"]) == bench.http.get("/coins/charges").json() == []


def test_a_failure_is_worded_by_the_psp_and_nothing_is_done(bench: Bench) -> None:
    bench.fault(status_5xx=502, next={"status_5xx": 1})
    answer = bench.charge()
    assert (answer.status_code, answer.json()) == (502, {"failed": True})
    assert bench.ledger()["charges"] == {}
    assert bench.charge().status_code == 200


def test_the_answer_is_awaited(bench: Bench) -> None:
    bench.fault(latency_seconds=1, next={"latency_seconds": 1})
    with pytest.raises(httpx.ReadTimeout):
        bench.charge()
    assert bench.charge().status_code == 200


@pytest.mark.parametrize(
    ("switch", "seen"),
    [
        ("timeout_after_charge", httpx.ReadTimeout),
        ("drop_after_charge", httpx.RemoteProtocolError),
    ],
)
def test_an_answer_is_lost_once_the_post_is_done(
    bench: Bench, switch: str, seen: type[httpx.TransportError]
) -> None:
    bench.fault(**{switch: True, "next": {switch: 1}})
    assert bench.http.post("/coins/token").json() == {"token": "t"}
    assert bench.http.get("/coins/charges").json() == []
    with pytest.raises(seen):
        bench.charge()
    assert len(bench.http.get("/coins/charges").json()) == 1
    assert bench.charge().status_code == 200
