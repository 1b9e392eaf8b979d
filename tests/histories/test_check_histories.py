"""The check against an oracle, over thousands of random histories in every order of events.

A failure tells its seed and what happened; TOLLGATE_HISTORY_SEED=… lives that history alone.
"""

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from local.seed import operators_context
from tests.conftest import Cluster, new_stores
from tests.histories.history import PRICE, History
from tests.histories.many_words import ManyWords
from tests.histories.oracle import TERMS
from tests.world import World, world_over
from tollgate.domain.billing import Unit
from tollgate.operations import plans
from tollgate.operations.context import Call, Context
from tollgate.schemas.plans import CreatePlan, IntervalFields, PriceFields

HISTORIES = 2_000
STEPS = 10
BATCHES = 20
"""Each in a world of its own: what other clients left behind is looked through by every timer."""


Stage = tuple[World, ManyWords, Context, psycopg.Connection[tuple[Any, ...]]]


@pytest.fixture
def stage(cluster: Cluster) -> Iterator[Stage]:
    """One world for the histories of a batch; each has a client of its own."""
    with new_stores(cluster) as stores, world_over(stores) as world:
        psp = ManyWords()
        world.psp = psp
        operator = operators_context(stores.owner_url, world.now)
        for terms in TERMS:
            body = CreatePlan(
                app_id=world.app.id,
                code=terms.code,
                product=terms.code,
                interval=IntervalFields(unit=Unit(terms.unit), count=terms.count),
                grace_days=terms.grace_days,
                trial_days=terms.trial_days,
                prices=[PriceFields(amount=PRICE.amount_minor, currency=PRICE.currency)],
            )
            plans.create_plan(operator, Call.by_operator("test", body=body))
        operator.database.close()
        without_redis = world.new_context(redis_url="redis://127.0.0.1:1/0")
        with psycopg.connect(stores.owner_url, autocommit=True) as eyes:
            yield world, psp, without_redis, eyes
        without_redis.database.close()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_check_is_never_wrong(
    stage: Stage, batch: int, capsys: pytest.CaptureFixture[str]
) -> None:
    one = os.environ.get("TOLLGATE_HISTORY_SEED")
    for seed in [int(one)] if one else range(batch, HISTORIES, BATCHES):
        history = History(*stage, seed=seed)
        try:
            history.run(STEPS)
        except AssertionError as error:
            story = "\n".join(history.told)
            pytest.fail(f"TOLLGATE_HISTORY_SEED={seed} ({history.terms})\n{story}\n{error}")
        capsys.readouterr()  # the functions' own log lines
