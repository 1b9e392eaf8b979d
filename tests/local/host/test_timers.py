"""Timers fire by their cron lines, on the clock that can be moved."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from local.clock import Clock
from local.host.project import Function, Trigger
from local.host.timers import Timers
from tests.local.host.sample import ADMIN, Sample, Served, in_loop, serving

RECORD = "def main(event): print('fired ' + __import__('json').dumps(event, sort_keys=True))"


def trigger(cron: str, name: str = "t", **options: Any) -> dict[str, Any]:
    details = {"cron": cron, "withBody": {"job": name}}
    return {"name": name, "sourceType": "scheduler", "sourceDetails": details, **options}


async def advance(served: Served, seconds: float) -> None:
    await served.client.post("/_local/clock", headers=ADMIN, json={"advance_seconds": seconds})


def fired(served: Served) -> list[dict[str, Any]]:
    lines = [line.partition("fired ")[2] for line in served.log if "fired " in line]
    return [json.loads(line) for line in lines]


async def fired_times(served: Served, times: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        while len(fired(served)) < times:
            await asyncio.sleep(0.01)
    return fired(served)


@in_loop
async def test_timer_calls_its_function_without_http(sample: Sample) -> None:
    sample.function(
        "f", RECORD, web=False, parameters={"plain": 1}, triggers=[trigger("0 3 * * *")]
    )
    async with serving(sample) as served:
        await advance(served, 86_400)
        assert fired(served) == [{"job": "t", "plain": 1}]


@in_loop
async def test_timer_fires_once_for_a_large_jump_and_again_when_next_due() -> None:
    calls: list[str] = []

    async def fire(function: Function, event: dict[str, Any]) -> None:
        calls.append(event["job"])

    clock = Clock()
    timers = Timers(clock, fire)
    jobs = {"yearly": "0 0 1 1 *", "hourly": "0 * * * *"}
    triggers = tuple(Trigger(job, cron, {"job": job}) for job, cron in jobs.items())
    function = Function("p", "f", Path(), triggers=triggers)
    timers.plan([function])
    for seconds, due in ((0, []), (400 * 86_400, ["yearly", "hourly"]), (3_600, ["hourly"])):
        clock.advance(seconds)
        for _ in range(3):
            timers.fire_due()
            timers.plan([function])
        await asyncio.sleep(0)
        assert calls == due
        calls.clear()


@in_loop
async def test_clock_moved_by_its_owner_is_noticed(sample: Sample) -> None:
    sample.function("f", RECORD, web=False, triggers=[trigger("0 3 * * *")])
    async with serving(sample) as served:
        served.clock.advance(86_400)
        await fired_times(served, 1)


@in_loop
async def test_disabled_trigger_does_not_fire(sample: Sample) -> None:
    off = trigger("0 3 * * *", "off", enabled=False)
    sample.function("f", RECORD, web=False, triggers=[off, trigger("0 3 * * *", "on")])
    async with serving(sample) as served:
        await advance(served, 86_400)
        assert fired(served) == [{"job": "on"}]


@in_loop
async def test_failing_timer_is_logged_and_fires_again(sample: Sample) -> None:
    source = "def main(event): raise ValueError('of the timer')"
    sample.function("f", source, web=False, triggers=[trigger("0 3 * * *")])
    async with serving(sample) as served:
        for _ in range(2):
            served.log.clear()
            await advance(served, 86_400)
            await served.logged("the timer's call ended in an error")


@in_loop
async def test_timers_overlap(sample: Sample) -> None:
    slow = "import time\ndef main(event): print('fired {}', flush=True); time.sleep(5)"
    sample.function("f", slow, web=False, triggers=[trigger("0 3 * * *")])
    async with serving(sample) as served:
        served.clock.advance(86_400)
        await fired_times(served, 1)
        served.clock.advance(86_400)
        await fired_times(served, 2)
        assert not [line for line in served.log if "ended" in line]


@in_loop
async def test_a_call_ends_before_time_goes_on(sample: Sample) -> None:
    source = """\
        import time
        def main(event):
            print('begun', time.gmtime(time.time()).tm_mday)
            time.sleep(0.3)
            print('ended', time.gmtime(time.time()).tm_mday)
    """
    sample.function("f", source, web=False, triggers=[trigger("* * * * *")])
    async with serving(sample) as served:
        start = served.clock.now()
        journey = await served.host.travel(3 * 86_400, every_seconds=86_400)
        words = [line.partition(": ")[2] for line in served.log if "p/f: " in line]
    days = [(start + timedelta(days=day)).day for day in (1, 2, 3)]
    assert words == [f"{word} {day}" for day in days for word in ("begun", "ended")]
    assert (journey.steps, journey.timers_fired) == (3, 3)


@in_loop
async def test_a_timer_that_is_never_due_again_is_none() -> None:
    async def fire(_function: Function, _event: dict[str, Any]) -> None:
        raise AssertionError

    clock = Clock()
    clock.advance(datetime(9998, 12, 31, tzinfo=UTC).timestamp() - clock.time())
    timers = Timers(clock, fire)
    leap_day = Trigger("leap", "0 0 29 2 *", {})  # the next one is in the year 10,000
    timers.plan([Function("p", "f", Path(), triggers=(leap_day,))])
    assert timers.fire_due() == 0
