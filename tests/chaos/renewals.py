"""Renewals that die at each of their steps: a bill is charged once, and gives one period.

A process of its own, because it forks: python -m tests.chaos.renewals '<stores and kind as JSON>'.
"""

import contextlib
import gc
import json
import os
import sys
from datetime import timedelta
from typing import Any

import psycopg

from tests.chaos.__main__ import ledger_psp
from tests.chaos.stage import Act, Kill, Stage
from tests.chaos.story import reconcile
from tests.world import Stores, World, entry, world_over
from tollgate.crash_points import CrashPoint as At
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations.context import Context
from tollgate.operations.invariants import check_invariants

RENEWAL_POINTS = (
    At.BILL_CLAIMED,
    At.BILL_STARTED,
    At.BILL_RECORDED,
    At.RENEW_SWEPT,
    At.RENEW_RESUMED,
    At.RENEW_OPENED,
    At.RENEW_CLAIMED,
    At.RENEW_SEEN_TO,
)
"""The points that are the timer's own."""

PASSED_TOO = (At.SETTLE_LOCKED, At.SETTLE_GRANTED, At.SETTLE_WRITTEN, At.SETTLE_COMMITTED)
TIMES = 3
PAUSES = (61, 130, 700, 3_700, 3_700)
"""After these every claim has ended, and what was left was seen to."""


def renew(world: World) -> Act:
    """The timer fires."""

    def fire(context: Context) -> dict[str, Any]:
        report: dict[str, Any] = world.run_timer("subscriptions/renew", context)[
            "renew_subscriptions"
        ]
        assert "error" not in report, report
        return report

    return fire


def play(stage: Stage, point: At, client_id: str) -> None:
    """One client's renewal that dies there. An AssertionError tells what is doubled or lost."""
    world = stage.world
    subscription_id = _subscribed(stage, client_id)
    if point is At.RENEW_RESUMED:
        _pause(stage, subscription_id, timedelta(days=2))
        world.pass_time(days=3)
    else:
        _pass_to_the_last_day(world, subscription_id)
    told = stage.act(renew(world), Kill(point))
    assert told is None, f"{point} was not reached: {told}"
    for seconds in PAUSES:
        world.pass_time(seconds=seconds)
        stage.act(reconcile(world), None)
        stage.act(renew(world), None)
    if point is At.RENEW_RESUMED:
        _pass_to_the_last_day(world, subscription_id)
        stage.act(renew(world), None)  # opens the bill, and sees to it
    _judge(stage, point, client_id)


def _pass_to_the_last_day(world: World, subscription_id: str) -> None:
    """To when the bill is charged."""
    ((ends_at,),) = world.rows(
        "SELECT paid_through FROM subscriptions WHERE id = %s", subscription_id
    )
    world.now = ends_at - timedelta(hours=23)


def _subscribed(stage: Stage, client_id: str) -> str:
    """A client that has paid a month, and let the app keep what with."""
    world = stage.world
    payment = world.call(
        "payments/create",
        body={"client_id": client_id, "plan": world.plan, "description": "first"},
        headers={"idempotency-key": client_id},
        context=stage.context,
    ).json
    assert payment["status"] == "succeeded", payment
    world.rows(
        """INSERT INTO saved_methods (id, app_id, client_id, psp, customer_reference,
                                      method_reference, payment_id, created_at)
           VALUES ('met_' || md5(%s), %s, %s, 'stripe', 'cus', %s, %s, now()) RETURNING id""",
        client_id,
        world.app.id,
        client_id,
        client_id,
        payment["id"],
    )
    return str(payment["subscription_id"])


def _pause(stage: Stage, subscription_id: str, span: timedelta) -> None:
    world = stage.world
    until = (world.now + span).isoformat()
    paused = world.call(
        "subscriptions/pause",
        method="PUT",
        path=f"/{subscription_id}",
        body={"resumes_at": until},
        context=stage.context,
    )
    assert paused.status == 200, paused.body


def _judge(stage: Stage, point: At, client_id: str) -> None:
    """One charge for the first month and one for the second; two periods, end to end."""
    books = stage.psp.ask("take")
    assert books is not None and not books["misused"], books
    mine = [charge for charge in books["charges"] if charge["state"] == "paid"]
    assert len(mine) == 2, f"{point}: charged {len(mine) - 1} times for a period: {mine}"
    rows = stage.world.rows(
        """SELECT count(*), max(g.ends_at) = s.paid_through, s.status
           FROM subscriptions s JOIN subscription_periods g ON g.subscription_id = s.id
           WHERE s.client_id = %s GROUP BY s.id""",
        client_id,
    )
    assert rows == [(2, True, "active")], f"{point}: {rows}"
    bills = stage.world.rows("SELECT status FROM bills WHERE client_id = %s", client_id)
    assert bills == [("paid",)], f"{point}: {bills}"
    wrong = [
        str(found)
        for found in check_invariants(stage.context.within(EVERY_TENANT))
        if not found.holds
    ]
    assert not wrong, f"{point}: {wrong}"
    with psycopg.connect(stage.world.stores.owner_url) as connection:
        # whose subscription is over is no other client's business
        connection.execute(
            """UPDATE subscriptions SET cancel_at = updated_at, bill_opens_at = NULL
               WHERE client_id = %s""",
            (client_id,),
        )


def main() -> None:
    """Plays all of it; how many died where."""
    plan, report = json.loads(sys.argv[1]), sys.stdout
    killed = 0
    with (
        open(os.devnull, "w") as nowhere,  # noqa: PTH123
        contextlib.redirect_stdout(nowhere),
        world_over(Stores(**plan["stores"])) as world,
        ledger_psp(has_keys=plan["has_keys"]) as psp,
    ):
        stage = Stage(world, psp, "renewals")
        for function in ("payments/reconcile", "payments/create", "subscriptions/renew"):
            entry(function)
        gc.freeze()  # what is there stays, and is not copied into each child
        for time in range(TIMES):
            for point in (*RENEWAL_POINTS, *PASSED_TOO):
                play(stage, point, f"{point}-{time}")
                killed += 1
    print(json.dumps({"killed": killed}), file=report)


if __name__ == "__main__":
    main()
