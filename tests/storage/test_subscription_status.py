"""One rule in two languages: what SQL says of a subscription's dates is what the domain says."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import psycopg
import pytest

from tests.world import Stores, World
from tollgate.domain.subscription import (
    SUBSCRIPTION_EDGES,
    Dates,
    Reason,
    SubscriptionStatus,
    access,
)

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAYS = [MONDAY + timedelta(days=day) for day in range(6)]
"""Few, so that ends meet."""
MANY = 5_000
_TICK = timedelta(microseconds=1)


def drawn(dice: Random) -> Dates:
    """Dates as they may come to be, and some that never will."""

    def maybe(chance: float = 0.5) -> datetime | None:
        return dice.choice(DAYS) if dice.random() < chance else None

    paused_at = maybe()
    later = [day for day in DAYS if paused_at is not None and day > paused_at]
    return Dates(
        "sub_1",
        "pro",
        "monthly",
        trial_end=maybe(),
        paid_through=maybe(),
        grace_until=maybe(),
        paused_at=paused_at,
        resumes_at=dice.choice(later) if later and dice.random() < 0.6 else None,
        cancel_at=maybe(0.3),
        ended_by=dice.choice((None, None, Reason.REFUNDED, Reason.DISPUTED)),
    )


def written(dates: Dates, now: datetime) -> dict[str, Any]:
    """The columns that the functions read, as JSON takes them."""
    fields: dict[str, Any] = {**asdict(dates), "now": now}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in fields.items()
    }


def turns_at(dates: Dates, now: datetime) -> datetime | None:
    """When the status may turn next, by looking at each instant at which it could."""
    if access(dates, now).status is SubscriptionStatus.CANCELED:
        return None
    ends = [dates.trial_end, dates.paid_through, dates.grace_until, dates.cancel_at]
    away = (
        dates.resumes_at - dates.paused_at if dates.paused_at and dates.resumes_at else timedelta()
    )
    instants = {end + gone for end in ends if end for gone in (timedelta(), away)}
    instants |= {at for at in (dates.paused_at, dates.resumes_at) if at}
    ahead = sorted(at for at in instants if at > now)
    return next((at for at in ahead if _is_an_end(dates, at)), None)


def _is_an_end(dates: Dates, at: datetime) -> bool:
    """Whether one of the dates is reached at this instant, and not before."""
    if at in (dates.paused_at, dates.resumes_at):
        return True
    ends = (dates.trial_end, dates.paid_through, dates.grace_until, dates.cancel_at)
    clock, before = dates.clock(at), dates.clock(at - _TICK)
    return any(end is not None and before < end <= clock for end in ends)


@pytest.fixture
def owner(stores: Stores) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    with psycopg.connect(stores.owner_url) as connection:
        yield connection


def test_sql_and_domain_say_the_same(owner: psycopg.Connection[tuple[Any, ...]]) -> None:
    dice = Random(2026)
    cases = [
        (drawn(dice), dice.choice(DAYS) + dice.choice((-_TICK, 0 * _TICK))) for _ in range(MANY)
    ]
    rows = owner.execute(
        """SELECT subscription_clock(s, now), subscription_status(s, now),
                  subscription_turns_at(s, now)
           FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS e (value, number),
                LATERAL jsonb_populate_record(NULL::subscriptions, value) AS s,
                LATERAL (SELECT (value ->> 'now')::timestamptz AS now) AS asked
           ORDER BY number""",
        [json.dumps([written(dates, now) for dates, now in cases])],
    ).fetchall()
    wrong = [
        (dates, now, row)
        for (dates, now), row in zip(cases, rows, strict=True)
        if row[:2] != (dates.clock(now), access(dates, now).status)
    ]
    assert wrong == []
    told = {row[1] for row in rows}
    assert told == set(SubscriptionStatus)


def test_the_next_turn_is_never_late(owner: psycopg.Connection[tuple[Any, ...]]) -> None:
    """What turns before the instant that SQL names would be told late."""
    dice = Random(31)
    cases = [(drawn(dice), dice.choice(DAYS)) for _ in range(MANY)]
    rows = owner.execute(
        """SELECT subscription_turns_at(s, (value ->> 'now')::timestamptz)
           FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS e (value, number),
                LATERAL jsonb_populate_record(NULL::subscriptions, value) AS s
           ORDER BY number""",
        [json.dumps([written(dates, now) for dates, now in cases])],
    ).fetchall()
    for (dates, now), (turns,) in zip(cases, rows, strict=True):
        assert turns is None or turns > now
        status = access(dates, now).status
        watched = sorted({day + i * timedelta(days=1) for day in DAYS for i in range(7)})
        for instant in watched:
            if now < instant and (turns is None or instant < turns):
                assert access(dates, instant).status is status, (dates, now, turns, instant)
        if not dates.is_paused(now):
            assert turns == turns_at(dates, now), (dates, now)


def test_the_schema_holds_the_edges_of_the_domain(stores: Stores, world: World) -> None:
    for before, after in product(SubscriptionStatus, repeat=2):
        (allowed,) = world.rows("SELECT subscription_may_move(%s, %s)", before, after)[0]
        assert allowed == (before is after or after in SUBSCRIPTION_EDGES[before]), (before, after)


STATUSES = tuple(SubscriptionStatus)


@pytest.fixture
def row(world: World) -> str:
    """The id of a subscription whose status a test may write as it likes."""
    body = {"client_id": "client-1", "plan": "monthly"}
    return str(world.call("subscriptions/create", body=body).json["id"])


def test_every_edge_is_taken_and_no_other(world: World, row: str) -> None:
    taken = set()
    with psycopg.connect(world.stores.owner_url, autocommit=True) as connection:
        for before, after in product(STATUSES, repeat=2):
            connection.execute("ALTER TABLE subscriptions DISABLE TRIGGER subscriptions_guard")
            connection.execute("UPDATE subscriptions SET status = %s", [before])
            connection.execute("ALTER TABLE subscriptions ENABLE TRIGGER subscriptions_guard")
            try:
                connection.execute(
                    "UPDATE subscriptions SET status = %s WHERE id = %s", [after, row]
                )
            except psycopg.errors.CheckViolation:
                continue
            taken.add((before, after))
    stays = {(status, status) for status in STATUSES}
    edges = {(before, after) for before in STATUSES for after in SUBSCRIPTION_EDGES[before]}
    assert taken == edges | stays


@pytest.mark.parametrize(
    "assignment",
    [
        "id = 'sub_2'",
        "app_id = (SELECT id FROM apps WHERE id <> app_id LIMIT 1)",
        "client_id = 'client-2'",
        "product = 'other'",
        "livemode = true",
        "created_at = now()",
    ],
)
def test_what_it_is_of_is_fixed_for_life(world: World, row: str, assignment: str) -> None:
    with (
        psycopg.connect(world.stores.owner_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(f"UPDATE subscriptions SET {assignment}".encode())


@pytest.mark.parametrize(
    "assignment",
    [
        "status = 'idle'",
        "resumes_at = now()",
        "paused_at = now(), resumes_at = now()",
        "currency = 'kes'",
        "renew_hour = 24",
        "language = 'fr'",
        "customer = '\\x00'",
    ],
)
def test_a_row_that_makes_no_sense_is_refused(world: World, row: str, assignment: str) -> None:
    with (
        psycopg.connect(world.stores.owner_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(f"UPDATE subscriptions SET {assignment}".encode())


def test_whoever_writes_dates_writes_what_follows_from_them(world: World, row: str) -> None:
    """As a function of the release before does, which knows nothing of them."""
    with psycopg.connect(world.stores.owner_url) as connection:
        connection.execute(
            """UPDATE subscriptions
               SET paid_through = %(end)s, grace_until = %(end)s, updated_at = %(now)s""",
            {"end": world.now + timedelta(days=10), "now": world.now},
        )
    ((status, turns, opens),) = world.rows(
        "SELECT status, turns_at, bill_opens_at FROM subscriptions"
    )
    assert (status, turns - world.now, opens - world.now) == (
        "active",
        timedelta(days=10),
        timedelta(days=7),  # the seeded plan's three days ahead
    )
