"""Containers whose clocks differ by seconds: what one has told or begun, the other goes on from."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from tests.operations.paying import PLAN, paid, with_rule
from tests.operations.subscribing import add_plan, put, renew, subscribe, subscription
from tests.operations.test_access import check
from tests.world import World
from tollgate.domain.plan import RefundRule


@contextmanager
def late(world: World) -> Iterator[None]:
    """A container whose clock runs two seconds late."""
    world.now -= timedelta(seconds=2)
    yield
    world.now += timedelta(seconds=2)


@pytest.mark.parametrize("grace_days", [0, 5])
def test_what_a_timer_has_told_can_be_paused_where_time_is_left(
    world: World, grace_days: int
) -> None:
    with_rule(world, RefundRule.END_NOW, grace_days)
    paid(world, PLAN)
    world.pass_time(days=28)
    renew(world)
    with late(world):
        paused = put(world, "pause", subscription(world)["id"])
    assert (paused.status, paused.json["status"]) == (200, "paused")


def test_what_was_canceled_a_moment_ahead_can_be_paid(world: World) -> None:
    add_plan(world, "gold")
    put(world, "cancel", subscribe(world).json["id"], {"at": "now"})
    with late(world):
        assert subscribe(world, plan="gold").status == 200
        paid(world, PLAN)
    assert check(world)["active"]


def test_a_pause_that_began_a_moment_ahead_is_ended_by_a_payment(world: World) -> None:
    paid(world, PLAN)
    put(world, "pause", subscription(world)["id"])
    with late(world):
        paid(world, PLAN, "k-2")
    answer = check(world)
    assert (answer["active"], answer["paid_through"]) == (True, "2026-03-31T09:00:00Z")
