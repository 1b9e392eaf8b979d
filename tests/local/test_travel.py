"""A journey: timers and a real stand-in's webhooks happen on the way, in order, each in time."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from local.clock import Clock
from local.psps import Laptop, environment_of_psps, stand_ins
from local.travel import TravelEnded, TravelError
from tests.callers import DEAD_REDIS
from tests.local.host.sample import in_loop
from tests.local.road import NOON, road
from tests.world import Stores

MINUTE, HOUR, DAY = 60, 3_600, 86_400


@in_loop
async def test_at_once_a_timer_fires_once() -> None:
    async with road() as there:
        journey = await there.travel(730 * DAY)
        assert there.whats() == ["timer begins", "timer ends"]
    assert (journey.steps, journey.timers_fired, journey.webhooks_delivered) == (1, 1, 0)
    assert timedelta(days=730) <= journey.end - journey.start < timedelta(days=730, minutes=1)


@in_loop
async def test_in_steps_it_fires_once_a_step_and_ends_before_the_next() -> None:
    async with road(cron="* * * * *") as there:
        journey = await there.travel(2.5 * DAY, DAY)
        assert there.whats() == ["timer begins", "timer ends"] * 3
        halts = [timedelta(days=1), timedelta(days=2), timedelta(days=2.5)]
        assert there.after("timer begins") == there.after("timer ends") == halts
    assert (journey.steps, journey.timers_fired) == (3, 3)


@in_loop
async def test_what_takes_real_time_on_the_way_is_not_added_to_it() -> None:
    async with road(cron="* * * * *") as there:
        begun = asyncio.get_running_loop().time()
        journey = await there.travel(50 * MINUTE, MINUTE)
        took = asyncio.get_running_loop().time() - begun
    over = journey.end - journey.start - timedelta(minutes=50)
    assert timedelta(0) <= over < timedelta(seconds=took) / 2


@in_loop
async def test_to_an_instant() -> None:
    target = datetime(2032, 2, 29, 9, tzinfo=UTC)
    async with road() as there:
        journey = await there.traveller.travel(target, 30 * DAY)
        assert timedelta(0) <= there.clock.now() - target < timedelta(minutes=1)
    assert journey.steps == 25


@in_loop
async def test_what_takes_real_time_before_it_begins_is_no_part_of_the_way_to_an_instant() -> None:
    async with road(cron="* * * * *") as there:
        works = iter([0.4, 0.0])
        there.work = lambda: asyncio.sleep(next(works))
        there.clock.advance(2 * MINUTE)
        target = there.clock.now() + timedelta(days=1)
        begun = asyncio.get_running_loop().time()
        await there.traveller.travel(target)
        took = asyncio.get_running_loop().time() - begun
        _, at = there.happened[2]
    assert there.whats() == ["timer begins", "timer ends"] * 2
    assert timedelta(0) <= at - target < timedelta(seconds=took) / 2


@in_loop
async def test_a_late_webhook_comes_at_its_instant_and_before_that_halts_timers() -> None:
    async with road(cron="* * * * *") as there:
        await there.fault(late_seconds=10 * MINUTE)
        await there.pay()
        journey = await there.travel(HOUR, 5 * MINUTE)
        assert there.after("payment_intent.succeeded") == [timedelta(minutes=10)]
        assert journey.webhooks_delivered == 1
        index = there.whats().index("payment_intent.succeeded")
        assert there.whats()[index - 1 : index + 2] == [
            "timer ends",
            "payment_intent.succeeded",
            "timer begins",
        ]


@in_loop
async def test_at_once_a_late_webhook_comes_freshly_signed() -> None:
    async with road() as there:
        await there.fault(late_seconds=10 * MINUTE)
        await there.pay()
        journey = await there.travel(30 * DAY)
        assert there.after("payment_intent.succeeded") == [timedelta(days=30)]
    assert journey.webhooks_delivered == 1


@in_loop
async def test_what_was_due_before_happens_before() -> None:
    async with road() as there:
        await there.pay()
        journey = await there.travel(DAY)
        assert there.after("payment_intent.succeeded") == [timedelta(0)]
    assert journey.webhooks_delivered == 0


@in_loop
async def test_what_is_refused_is_told_again_on_the_way() -> None:
    async with road() as there:
        there.statuses = [500, 503]
        await there.fault(late_seconds=90)
        await there.pay()
        journey = await there.travel(4 * MINUTE, MINUTE)
        assert there.after("payment_intent.succeeded") == [
            timedelta(minutes=minutes) for minutes in (2, 3, 4)
        ]
    assert journey.webhooks_delivered == 1


@in_loop
async def test_the_psp_itself_lives_on_and_tells_when() -> None:
    async with road() as there:
        await there.open_session()
        journey = await there.travel(3 * DAY, 10 * HOUR)
        assert there.after("checkout.session.expired") == [timedelta(hours=30)]
    assert journey.webhooks_delivered == 1


@in_loop
async def test_what_a_timer_brings_about_is_told_before_the_next_step() -> None:
    async with road() as there:
        there.work = there.pay
        journey = await there.travel(2 * DAY, DAY)
        days = [timedelta(days=1), timedelta(days=2)]
        assert there.after("payment_intent.succeeded") == days
    assert (journey.timers_fired, journey.webhooks_delivered) == (2, 2)


@in_loop
async def test_on_the_way_nothing_happens_out_of_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though whoever fires timers and sends webhooks by himself looks often enough to do so."""
    monkeypatch.setattr("local.host.timers.LOOK_SECONDS", 0.01)
    async with road(cron="* * * * *") as there:
        there.hears_for = 0.1

        async def pay_and_linger() -> None:
            await there.pay()
            await asyncio.sleep(0.2)

        there.work = pay_and_linger
        await there.fault(late_seconds=30, next={"late_seconds": 1})
        await there.pay()
        await there.travel(MINUTE)
        assert there.whats() == [
            "payment_intent.succeeded",
            "timer begins",
            "timer ends",
            "payment_intent.succeeded",
        ]


@in_loop
async def test_redis_ages_with_each_step(stores: Stores) -> None:
    with closing(Redis.from_url(stores.redis_url, protocol=2)) as redis:
        redis.set("short", 1, px=2 * HOUR * 1000)
        redis.set("long", 1, px=10 * HOUR * 1000)
        async with road(redis_url=stores.redis_url) as there:
            await there.travel(6 * HOUR, HOUR)
        assert redis.get("short") is None
        left = redis.ttl("long")
        assert isinstance(left, int)
        assert 4 * HOUR - MINUTE < left <= 4 * HOUR


@pytest.mark.parametrize(
    ("target", "every_seconds"),
    [
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (8_000 * 366 * DAY, None),
        (10**400, None),
        (NOON - timedelta(seconds=1), None),
        (datetime(9999, 6, 1, tzinfo=UTC), None),
        (10, 0),
        (10, -1),
        (10, 10.5),
        (10, float("nan")),
        (0, 1),
        (100_001, 1),
        (10, 1e-300),
        (NOON + timedelta(seconds=1), 60),
    ],
)
@in_loop
async def test_a_way_that_cant_be_gone(target: Any, every_seconds: float | None) -> None:
    async with road(redis_url=DEAD_REDIS) as there:
        offset = there.clock.offset_seconds
        with pytest.raises(TravelError):
            await there.traveller.travel(target, every_seconds)
        assert there.clock.offset_seconds == offset
        assert (there.happened, there.log) == ([], [])


@in_loop
async def test_one_journey_follows_the_other() -> None:
    async with road(cron="* * * * *") as there:
        first, second = await asyncio.gather(there.travel(4 * DAY, DAY), there.travel(DAY))
        assert second.start >= first.end
        assert (first.timers_fired, second.timers_fired) == (4, 1)
        target, travel = there.clock.now() + timedelta(days=1), there.traveller.travel
        outcomes = await asyncio.gather(travel(target), travel(target), return_exceptions=True)
    assert isinstance(outcomes[1], TravelError)  # it is past when the first one has ended


@in_loop
async def test_it_is_given_up_at_the_next_halt() -> None:
    async with road(cron="* * * * *") as there:
        journey = asyncio.create_task(there.travel(100 * DAY, DAY))
        while not there.happened:
            await asyncio.sleep(0.005)
        there.traveller.end()
        with pytest.raises(TravelEnded):
            await journey
        assert there.whats() == ["timer begins", "timer ends"]
        with pytest.raises(TravelEnded):
            await there.travel(1)


@in_loop
async def test_a_long_one_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.travel.PROGRESS_SECONDS", 0)
    async with road() as there:
        await there.travel(3 * DAY, DAY)
        assert [line for line in there.log if line.startswith("clock")] == [
            f"clock: 2030-0{month}-{day} 12:00:00, step {step} of 3"
            for month, day, step in ((2, 28, 1), (3, "01", 2), (3, "02", 3))
        ]


@in_loop
async def test_each_stand_in_follows_the_clock_while_it_runs(tmp_path: Path) -> None:
    clock = Clock()
    laptop = Laptop(tmp_path, clock, "http://127.0.0.1:9", "http://127.0.0.1:9", print)
    psps = stand_ins(laptop, environment_of_psps(laptop.psp_url))
    for number, stand_in in enumerate(psps.values(), 1):
        await stand_in.start()
        assert len(clock.followers) == number
    for stand_in in psps.values():
        await stand_in.stop()
    assert clock.followers == []
