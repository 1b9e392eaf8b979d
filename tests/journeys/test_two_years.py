"""The whole system goes through two years in one call: host, timers, webhooks, stand-ins, Redis."""

from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import httpx
from redis import Redis

from tests.journeys.conftest import Served

DAY_SECONDS = 86_400
PRICE = 150_000
TWO_YEARS = 731
"""In days; more than these 24 periods have, and less than 25."""


def test_two_years_in_one_call(served: Served) -> None:
    told_before = len(served.ledger()["events"])
    _buy(served, "years-card", save_method=True)
    _buy(served, "years-once")
    first_end = _end(served.check("years-once"))
    with closing(Redis.from_url(served.described["redis_url"], protocol=2)) as redis:
        redis.set("long", 1, ex=(TWO_YEARS - 1) * DAY_SECONDS)
        redis.set("longer", 1, ex=(TWO_YEARS + 2) * DAY_SECONDS)
        happened = _travel(served, TWO_YEARS)
        assert (redis.get("long"), redis.get("longer")) == (None, b"1")
    assert happened["steps"] == TWO_YEARS
    assert happened["timers_fired"] == 2 * TWO_YEARS

    stays, gone = served.check("years-card"), served.check("years-once")
    assert (gone["reason"], gone["active"], _end(gone)) == ("expired", False, first_end)
    assert stays["reason"] == "paid"
    now, ends_at = datetime.fromisoformat(happened["to"]), _end(stays)
    assert timedelta(hours=23) < ends_at - now < timedelta(days=32)
    _is_without_gap(served, "years-card", ends_at)
    assert all(event["delivered_at"] for event in served.ledger()["events"][told_before:])


def _is_without_gap(served: Served, client_id: str, ends_at: datetime) -> None:
    """Each period was charged once, and follows the one before."""
    periods = served.rows(
        """SELECT g.starts_at, g.ends_at, g.payment_id FROM subscription_periods g
           JOIN payments p ON p.id = g.payment_id WHERE p.client_id = %s ORDER BY g.starts_at""",
        client_id,
    )
    assert len(periods) in (24, 25)
    assert [end for _, end, _ in periods[:-1]] == [start for start, _, _ in periods[1:]]
    assert periods[-1][1] == ends_at
    ours = {payment_id for _, _, payment_id in periods}
    charged = [
        (charge["metadata"]["payment_id"], charge["amount_captured"])
        for charge in served.ledger()["charges"]
        if charge["metadata"].get("payment_id") in ours
    ]
    assert sorted(charged) == sorted((payment_id, PRICE) for payment_id in ours)


def _buy(served: Served, client_id: str, **more: Any) -> None:
    payment = served.create(client_id, **more).json()
    assert served.press(payment, "pay").status_code == httpx.codes.SEE_OTHER


def _end(answer: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(answer["paid_through"])


def _travel(served: Served, days: int) -> dict[str, Any]:
    answer = served.http.post(
        f"{served.rest_url}/_local/clock",
        json={"advance_seconds": days * DAY_SECONDS, "every_seconds": DAY_SECONDS},
        headers={"Authorization": f"Bearer {served.described['admin_key']}"},
        timeout=httpx.Timeout(300),
    )
    happened: dict[str, Any] = answer.raise_for_status().json()
    return happened
