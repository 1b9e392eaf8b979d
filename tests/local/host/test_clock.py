"""The clock can be moved, and moves inside functions and for timers."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.local.host.sample import ADMIN, Sample, in_loop, serving

CLOCK = "/_local/clock"
NOW = """\
    import time
    from time import time as seconds
    at_import = time.time()
    def main(event, context):
        left = context.get_remaining_time_in_millis()
        return {"body": {"now": [time.time(), seconds(), time.time_ns() / 1e9],
                         "at_import": at_import, "left": left}}
"""


@in_loop
async def test_time_moves_inside_warm_and_cold_processes(sample: Sample) -> None:
    sample.function("warm", NOW)
    sample.function("cold", NOW)
    async with serving(sample) as served:
        before = (await served.get("warm")).json()
        moved = await served.client.post(CLOCK, headers=ADMIN, json={"advance_seconds": 86_400})
        warm, cold = (await served.get("warm")).json(), (await served.get("cold")).json()
    assert abs(before["now"][0] - time.time()) < 60
    for seen in (warm, cold):
        for now in seen["now"]:
            assert abs(now - time.time() - 86_400) < 60
        assert 0 < seen["left"] <= 10_000
    assert abs(warm["at_import"] - time.time()) < 60
    assert abs(cold["at_import"] - time.time() - 86_400) < 60
    assert moved.json()["offset_seconds"] == 86_400
    now = datetime.fromisoformat(moved.json()["now"])
    assert abs(now.timestamp() - time.time() - 86_400) < 60
    assert moved.json()["now"].endswith("Z")


@in_loop
async def test_a_way_to_an_instant_in_steps(sample: Sample) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        body = {"to": "2999-03-01T01:00:00+01:00", "every_seconds": 30 * 86_400}
        answer = await served.client.post(CLOCK, headers=ADMIN, json=body)
        seen = (await served.get("f")).json()
    told = answer.raise_for_status().json()
    assert told["to"].startswith("2999-03-01T00:00:0")
    assert abs(seen["now"][0] - datetime(2999, 3, 1, tzinfo=UTC).timestamp()) < 60
    span = datetime.fromisoformat(told["to"]) - datetime.fromisoformat(told["from"])
    assert told["steps"] == -(-span // timedelta(days=30))
    assert (told["timers_fired"], told["webhooks_delivered"]) == (0, 0)


@in_loop
async def test_a_journey_ends_with_the_host(sample: Sample) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        served.host.end_travel()
        answer = await served.client.post(CLOCK, headers=ADMIN, json={"advance_seconds": 1})
        assert served.clock.offset_seconds == 0
    assert (answer.status_code, answer.json()["code"]) == (503, "stopping")


@in_loop
async def test_clock_is_shown(sample: Sample) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        served.clock.advance(5)
        shown = await served.client.get(CLOCK, headers=ADMIN)
    assert shown.json()["offset_seconds"] == 5


@pytest.mark.parametrize("token", [None, "Bearer wrong", "Basic admin-token", "Bearer", "admin"])
@in_loop
async def test_clock_wants_the_admin_token(sample: Sample, token: str | None) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        headers = {"Authorization": token} if token else {}
        for method in ("GET", "POST", "DELETE"):
            answer = await served.client.request(
                method, CLOCK, headers=headers, json={"advance_seconds": 1}
            )
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert served.clock.offset_seconds == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("seconds", 400),
        ("[]", 400),
        ("{}", 400),
        ('{"advance_seconds": "1"}', 400),
        ('{"advance_seconds": true}', 400),
        ('{"advance_seconds": 1, "to": "2999-01-01T00:00:00Z"}', 400),
        ('{"advance_seconds": 60, "every_second": 1}', 400),
        ('{"advance_seconds": 60, "every_seconds": "1"}', 400),
        ('{"to": "2999-01-01T00:00:00"}', 400),
        ('{"to": "2999-02-29T00:00:00Z"}', 400),
        ('{"to": 32472144000}', 400),
        ('{"every_seconds": 1}', 400),
        ('{"advance_seconds": -1}', 422),
        ('{"advance_seconds": NaN}', 422),
        ('{"advance_seconds": Infinity}', 422),
        ('{"advance_seconds": 1e15}', 422),
        (json.dumps({"advance_seconds": 10**400}), 422),
        ('{"to": "2020-01-01T00:00:00Z"}', 422),
        ('{"to": "9999-12-31T23:59:59Z"}', 422),
        ('{"advance_seconds": 60, "every_seconds": 0}', 422),
        ('{"advance_seconds": 60, "every_seconds": 61}', 422),
        ('{"advance_seconds": 60, "every_seconds": NaN}', 422),
        ('{"advance_seconds": 60, "every_seconds": 1e-9}', 422),
    ],
)
@in_loop
async def test_clock_refuses_garbage(sample: Sample, body: str, status: int) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        answer = await served.client.post(CLOCK, headers=ADMIN, content=body)
        assert served.clock.offset_seconds == 0
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)


@in_loop
async def test_clock_takes_no_other_method(sample: Sample) -> None:
    sample.function("f", NOW)
    async with serving(sample) as served:
        answer = await served.client.put(CLOCK, headers=ADMIN)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
