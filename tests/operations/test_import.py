"""An app's subscribers from before it came here: as their file says, and right from then on."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count as count_up
from pathlib import Path
from typing import Any

import pytest

from tests.operations.importing import (
    CUSTOMER,
    HEADER,
    PAID_THROUGH,
    Desk,
    count,
    desk_in,
    operator_of,
    sell_weekly,
)
from tests.operations.paying import PLAN, everything, paid, refund, with_rule
from tests.operations.test_access import check
from tests.world import Answer, World
from tollgate.domain.errors import Misconfigured
from tollgate.domain.plan import RefundRule
from tollgate.operations.customers import open_subscriber
from tollgate.operations.imports import Import


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    """An operator with a file."""
    with desk_in(world, tmp_path) as opened:
        yield opened


def subscription_id(world: World) -> str:
    ((found,),) = world.rows("SELECT id FROM subscriptions")
    return str(found)


def change(world: World, name: str, body: Any = b"{}") -> Answer:
    path = f"/{subscription_id(world)}"
    return world.call(f"subscriptions/{name}", method="PUT", path=path, body=body)


class TestImported:
    def test_is_as_the_file_says_and_nothing_is_told(self, desk: Desk) -> None:
        with_rule(desk.world, RefundRule.END_NOW, grace_days=5)
        done = desk.bring(
            f"client-1,monthly,{PAID_THROUGH},,2025-12-20T09:00:00Z,USD,mpesa,7,Africa/Kampala,sw",
            "client-2,monthly,,2026-02-10T12:00:00+03:00,,,,,,",
            "client-3,monthly,2026-01-30T09:00:00Z,,,,,,,",
            "client-4,monthly,,,,,,,,",
            header=f"{HEADER},trial_end,anchor_at,currency,method,hour,time_zone,language",
        )
        statuses = Counter(("active", "trialing", "past_due", "incomplete"))
        assert done == Import(rows=4, new=statuses)
        world = desk.world
        assert world.rows(
            """SELECT client_id, status, paid_through = imported_through, periods_since_anchor,
                      grace_until - paid_through = '5 days', currency, renew_method, renew_hour,
                      time_zone, language, livemode
               FROM subscriptions ORDER BY client_id"""
        ) == [
            ("client-1", "active", True, 2, True, "USD", "mpesa", 7, "Africa/Kampala", "sw", False),
            *(
                (client, status, *known, None, None, 9, "Africa/Nairobi", "en", False)
                for client, status, known in (
                    ("client-2", "trialing", (None, 0, None)),
                    ("client-3", "past_due", (True, 0, True)),
                    ("client-4", "incomplete", (None, 0, None)),
                )
            ),
        ]
        answers = [check(world, f"client-{number}") for number in (1, 2, 3, 4)]
        assert [answer["reason"] for answer in answers] == [
            "paid", "trial", "grace", "never_subscribed"
        ]  # fmt: skip
        assert count(world, "outbox") == 0
        assert world.rows(
            """SELECT actor, count(*) FROM audit_log WHERE action = 'subscription.imported'
               GROUP BY actor"""
        ) == [("operator:amina", 4)]

    def test_who_subscribes_is_sealed(self, desk: Desk) -> None:
        desk.bring(
            f"client-1,monthly,{PAID_THROUGH},{CUSTOMER}", header=f"{HEADER},email,phone,name"
        )
        kept = open_subscriber(desk.operator, subscription_id(desk.world), desk.world.app.id)
        assert (kept.email, kept.phone, kept.name) == (
            "somebody@example.com",
            "+254712345678",
            "Some Body",
        )
        stored = repr([desk.said, everything(desk.world)])
        assert not any(text in stored for text in ("somebody", "712345678", "712 345", "Some Body"))

    def test_without_a_key_to_seal_with_is_not_begun(self, desk: Desk) -> None:
        desk.bring("client-0,monthly,")
        rows = ("client-1,monthly,,", "client-2,monthly,,a@b.example")
        with (
            operator_of(desk.world, field_keys=None) as desk.operator,
            pytest.raises(Misconfigured, match="FIELD_KEYS"),
        ):
            desk.bring(*rows, header=f"{HEADER},email")
        assert count(desk.world, "subscriptions") == 1

    def test_is_billed_when_its_time_ends_and_a_payment_extends_it(self, desk: Desk) -> None:
        world = desk.world
        anchor = "2025-12-31T09:00:00Z"
        desk.bring(f"client-1,monthly,2026-02-28T09:00:00Z,{anchor}", header=f"{HEADER},anchor_at")
        world.pass_time(days=24)
        assert world.rows("SELECT count(*) FROM bills") == [(0,)]
        world.run_timer("subscriptions/renew")
        world.pass_time(days=2)
        world.run_timer("subscriptions/renew")
        assert world.rows("SELECT status, due_at::text FROM bills") == [
            ("open", "2026-02-28 09:00:00+00")
        ]
        paid(world, PLAN)
        answer = check(world)  # the last of the month, as before
        assert (answer["active"], answer["paid_through"]) == (True, "2026-03-31T09:00:00Z")
        assert world.rows("SELECT status FROM bills") == [("void",)]  # it was paid without it

    def test_expires_unless_it_is_paid(self, desk: Desk) -> None:
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        assert check(desk.world)["active"]
        desk.world.pass_time(days=20)
        answer = check(desk.world)
        assert (answer["active"], answer["reason"]) == (False, "expired")
        desk.world.run_timer("subscriptions/renew")
        assert desk.world.rows("SELECT status FROM subscriptions") == [("expired",)]
        paid(desk.world, PLAN)
        assert check(desk.world)["paid_through"] == "2026-03-20T09:00:00Z"

    def test_that_was_over_long_ago_is_not_billed(self, desk: Desk) -> None:
        desk.bring("client-1,monthly,2025-06-30T09:00:00Z")
        desk.world.run_timer("subscriptions/renew")
        assert (count(desk.world, "bills"), count(desk.world, "outbox")) == (0, 0)

    @pytest.mark.parametrize("later", [0, 25])
    def test_keeps_its_time_when_a_later_payment_goes_back(self, desk: Desk, later: int) -> None:
        world = desk.world
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        payment_id = paid(world, PLAN)
        assert check(world)["paid_through"] == "2026-03-20T09:00:00Z"
        world.pass_time(days=later)
        assert refund(world, payment_id).status == 201
        answer = check(world)
        assert (answer["active"], answer["paid_through"]) == (
            (True, PAID_THROUGH) if later == 0 else (False, "2026-02-25T09:00:00Z")
        )

    def test_gives_no_second_trial(self, desk: Desk) -> None:
        desk.bring("client-1,monthly,2025-06-30T09:00:00Z")
        body = {"client_id": "client-1", "plan": "monthly"}
        assert desk.world.call("subscriptions/create", body=body).json["status"] == "expired"


class TestPause:
    @pytest.mark.parametrize("until", ["2026-02-05T09:00:00Z", None])
    def test_moves_imported_time(self, desk: Desk, until: str | None) -> None:
        world = desk.world
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        assert change(world, "pause", {"resumes_at": until} if until else b"{}").status == 200
        world.pass_time(days=5)
        if until:
            world.pass_time(days=5)
            world.run_timer("subscriptions/renew")
        else:
            assert change(world, "resume").status == 200
        assert check(world)["paid_through"] == "2026-02-25T09:00:00Z"

    def test_that_follows_one_that_is_over_moves_it_twice(self, desk: Desk) -> None:
        world = desk.world
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        change(world, "pause", {"resumes_at": "2026-02-05T09:00:00Z"})
        world.pass_time(days=6)
        change(world, "pause")
        world.pass_time(days=1)
        payment_id = paid(world, PLAN)  # which ends the pause
        assert check(world)["paid_through"] == "2026-03-26T09:00:00Z"
        refund(world, payment_id)
        assert check(world)["paid_through"] == "2026-02-26T09:00:00Z"

    def test_that_a_payment_ends_moves_all_by_the_same_time(self, desk: Desk) -> None:
        """Each question to the clock has another answer, as outside of tests."""
        world, ticks = desk.world, count_up()
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        change(world, "pause")
        world.pass_time(days=1)
        world.context = replace(
            world.context, now=lambda: world.now + timedelta(milliseconds=next(ticks))
        )
        payment_id = paid(world, PLAN)
        assert refund(world, payment_id).status == 201
        assert world.rows("SELECT paid_through = imported_through FROM subscriptions") == [(True,)]

    def test_that_begins_twice_by_two_clocks_moves_nothing(self, desk: Desk) -> None:
        """By the other container's clock, which runs late, it has not begun yet."""
        world = desk.world
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        assert change(world, "pause").status == 200
        world.now -= timedelta(seconds=2)
        assert change(world, "pause").status == 200
        world.now += timedelta(seconds=2)
        assert world.rows("SELECT paid_through = imported_through FROM subscriptions") == [(True,)]


class TestChangeOfPlan:
    @pytest.mark.parametrize("proration", ["credit", "charge_now"])
    @pytest.mark.parametrize("renewed", ["", "paid", "given back"])
    def test_leaves_imported_time_alone(self, desk: Desk, proration: str, renewed: str) -> None:
        sell_weekly(desk.world)
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        if renewed:
            payment_id = paid(desk.world, PLAN)
            if renewed == "given back":
                refund(desk.world, payment_id)
        before = check(desk.world)["paid_through"]
        answer = change(desk.world, "change", {"plan": "weekly", "proration": proration})
        assert (answer.status, answer.json["code"]) == (409, "not_changeable")
        assert "imported" in answer.json["detail"]
        assert check(desk.world)["paid_through"] == before

    def test_is_possible_at_its_end(self, desk: Desk) -> None:
        sell_weekly(desk.world)
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        answer = change(desk.world, "change", {"plan": "weekly", "proration": "none"})
        assert (answer.status, answer.json["next_plan"]) == (200, "weekly")
        assert answer.json["paid_through"] == PAID_THROUGH

    def test_is_possible_once_it_is_used_up(self, desk: Desk) -> None:
        sell_weekly(desk.world)
        desk.bring(f"client-1,monthly,{PAID_THROUGH}")
        paid(desk.world, PLAN)
        desk.world.pass_time(days=25)
        answer = change(desk.world, "change", {"plan": "weekly", "proration": "credit"})
        assert (answer.status, answer.json["plan"]) == (200, "weekly")
