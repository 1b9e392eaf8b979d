"""A phone is prompted at the hour that its client chose, and never at night."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.operations.importing import desk_in
from tests.operations.paying import PLAN, paid
from tests.operations.subscribing import (
    PHONE,
    PROMPTS,
    renew,
    set_plan,
    subscribe,
)
from tests.world import World


@pytest.mark.parametrize("lead", [0, 1, 3])
def test_the_first_prompt_comes_at_the_hour_too(world: World, lead: int) -> None:
    world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
    set_plan(world, renewal_lead_days=lead)
    world.pass_time(hours=15)  # three at night in Nairobi
    paid(world, PLAN)
    assert subscribe(world, **PHONE).status == 200
    prompts: list[datetime] = []
    world.psp.on_start = lambda order: prompts.append(world.now)
    for _ in range(24 * 30):
        world.pass_time(hours=1)
        renew(world)
    assert prompts and {(at.hour + 3) % 24 for at in prompts} == {9}, prompts


def test_an_import_prompts_nobody_at_night(world: World, folder: Path) -> None:
    world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
    world.pass_time(days=20, hours=15)  # three at night in Nairobi
    with desk_in(world, folder) as desk:
        desk.bring(
            "client-9,monthly,2026-02-19T09:00:00Z,mpesa,9,+254712345678",
            header="client_id,plan,paid_through,method,hour,phone",
        )
    prompts: list[datetime] = []
    world.psp.on_start = lambda order: prompts.append(world.now)
    renew(world)
    assert prompts == []


def test_a_missed_timer_prompts_nobody_at_night(world: World) -> None:
    world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
    paid(world, PLAN)
    assert subscribe(world, **PHONE).status == 200
    prompts: list[datetime] = []
    world.psp.on_start = lambda order: prompts.append(world.now)
    world.pass_time(days=27, hours=15)
    renew(world)
    assert prompts == []
