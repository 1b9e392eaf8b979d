"""Ten thousand webhooks, three in ten of them twice, in any order, several at once: exact effects.

TOLLGATE_SEED replays a run.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from tests.chaos.stories import AMOUNT_MINOR, Arrival, BusyPsp, Story, shuffled, story
from tests.world import World
from tollgate.domain.payment import PAID
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Context
from tollgate.operations.invariants import check_invariants

PAYMENTS = 1_350
DELIVERIES = 10_000
THREADS = 4
AT_ONCE = 100
"""So many happenings are taken together: their facts first, then their events, in parallel."""
SEED = int(os.environ.get("TOLLGATE_SEED", "20261123"))


@pytest.fixture
def containers(world: World) -> Iterator[Callable[[], Context]]:
    """The container of the thread that asks."""
    mine, opened = threading.local(), list[Context]()

    def container() -> Context:
        if not hasattr(mine, "context"):
            mine.context = world.new_context()
            opened.append(mine.context)
        context: Context = mine.context
        return context

    yield container
    for context in opened:
        context.database.close()
        context.cache.close()


def test_effects_are_exact_whatever_the_order(
    world: World, containers: Callable[[], Context], capsys: pytest.CaptureFixture[str]
) -> None:
    random, psp = Random(SEED), BusyPsp()
    world.psp = psp

    def create(number: int) -> str:
        return _create(world, containers(), number)

    def deliver(arrival: Arrival) -> None:
        _deliver(world, containers(), arrival)

    with ThreadPoolExecutor(THREADS) as threads:
        ids = list(threads.map(create, range(PAYMENTS)))
        stories = [story(random, psp, payment_id) for payment_id in ids]
        happenings = shuffled(random, stories)
        delivered = 0
        for start in range(0, len(happenings), AT_ONCE):
            together = happenings[start : start + AT_ONCE]
            for happening in together:
                if not isinstance(happening, Arrival):
                    happening()
            arrivals = [item for item in together if isinstance(item, Arrival)]
            list(threads.map(deliver, arrivals))
            delivered += len(arrivals)
    capsys.readouterr()  # a line of the log for each call
    assert delivered >= DELIVERIES
    _judge(world, stories)


def _create(world: World, context: Context, number: int) -> str:
    answer = world.call(
        "payments/create",
        body={"client_id": f"client-{number}", "plan": world.plan, "currency": "KES"},
        headers={"idempotency-key": f"k-{number}"},
        context=context,
    )
    assert answer.status == 201, answer.body
    payment_id: str = answer.json["id"]
    return payment_id


def _deliver(world: World, context: Context, arrival: Arrival) -> None:
    body = {
        "event_id": arrival.event_id,
        "type": "x",
        "livemode": False,
        "payment_id": arrival.payment_id,
        "psp_reference": None,
    }
    answer = world.call(
        "webhook/receive",
        path="/stripe",
        body=body,
        headers={"signature": "signed"},
        context=context,
    )
    assert answer.status == 200, answer.body


def _judge(world: World, stories: list[Story]) -> None:
    stands = {row[0]: row[1:] for row in world.rows(_STANDS)}
    for told in stories:
        status, captured, refunded, periods, on_the_ledger, times_told = stands[told.payment_id]
        paid = told.expected in PAID
        found = (status, captured, refunded, periods, times_told)
        expected = (
            told.expected,
            AMOUNT_MINOR if paid else 0,
            told.refunded if paid else 0,
            int(paid),
            int(paid),
        )
        assert found == expected, f"seed {SEED}: {told.payment_id}: {told.facts}"
        taken = AMOUNT_MINOR if told.expected == "disputed" else 0
        held = expected[1] - expected[2] - taken
        assert on_the_ledger == held, f"seed {SEED}: {told.payment_id}: {told.facts}"
    broken = [str(f) for f in check_invariants(world.context.within(EVERY_TENANT)) if not f.holds]
    assert not broken, f"seed {SEED}: {broken}"


_STANDS = """
    SELECT p.id, p.status, p.amount_captured_minor, p.amount_refunded_minor,
           (SELECT count(*) FROM subscription_periods WHERE payment_id = p.id),
           (SELECT coalesce(sum(amount_minor), 0)::bigint FROM ledger_entries
            WHERE payment_id = p.id AND account = 'psp'),
           (SELECT count(*) FROM outbox
            WHERE aggregate_id = p.id AND type = 'payment.succeeded')
    FROM payments p"""
