"""What a client is asked for: there when something is due, gone when it is paid, and sealed."""

from typing import Any

import pytest

from tests.operations.paying import PLAN, paid, refund, tell
from tests.operations.subscribing import (
    add_plan,
    bills,
    days,
    keep_card,
    put,
    renew,
    set_plan,
    subscribe,
    subscription,
)
from tests.operations.test_access import check
from tests.operations.test_pay_page import post, show
from tests.world import MONTHLY, World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.payment import PaymentStatus


def link_of(pay_url: str) -> str:
    return pay_url.rpartition("/")[2]


class TestPayUrl:
    def test_is_there_until_it_is_paid(self, world: World) -> None:
        made = subscribe(world)
        assert (made.status, made.json["status"]) == (201, "incomplete")
        pay_url = made.json["pay_url"]
        assert subscription(world)["pay_url"] == check(world)["pay_url"] == pay_url
        assert subscribe(world).json["pay_url"] == pay_url
        assert post(world, link_of(pay_url), method="card").status == 303
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        seen = subscription(world)
        assert (seen["status"], seen["pay_url"]) == ("active", None)
        assert check(world)["pay_url"] is None
        assert bills(world) == [("paid", "monthly", 150_000)]

    def test_is_gone_when_another_payment_paid_for_it(self, world: World) -> None:
        subscribe(world)
        paid(world, PLAN)
        assert subscription(world)["pay_url"] is None
        assert bills(world) == [("void", "monthly", 150_000)]

    def test_is_there_from_the_plans_lead_on(self, world: World) -> None:
        set_plan(world, renewal_lead_days=10)
        paid(world, PLAN)
        days(world, 17)
        assert subscription(world)["pay_url"] is None
        days(world, 1)
        assert subscription(world)["pay_url"]
        assert check(world)["active"]

    def test_of_a_bill_that_nobody_saw_to_is_not_given_again(self, world: World) -> None:
        old = subscribe(world).json["pay_url"]
        world.pass_time(days=9)  # no timer came
        new = subscribe(world).json["pay_url"]
        assert [show(world, link_of(url)).status for url in (old, new)] == [404, 200]
        assert [status for status, _, _ in bills(world)] == ["void", "open"]

    def test_stays_when_the_timer_comes_to_a_subscription_from_before(self, world: World) -> None:
        """From before there was a told status: its client came back before it was looked at."""
        paid(world, PLAN)
        world.pass_time(days=30)
        world.rows("UPDATE subscriptions SET status = NULL, turns_at = created_at RETURNING 1")
        pay_url = subscribe(world).json["pay_url"]
        renew(world)
        assert subscription(world)["pay_url"] == pay_url
        assert [status for status, _, _ in bills(world)] == ["open"]

    def test_is_for_what_the_app_bills_in_now(self, world: World) -> None:
        subscribe(world)
        world.pass_time(seconds=1)
        assert subscribe(world, currency="USD").json["currency"] == "USD"
        assert bills(world)[-1] == ("open", "monthly", 1_500)
        asked_in = "SELECT currency FROM bills WHERE status = 'open'"
        assert world.rows(asked_in) == [("USD",)]


class TestOpens:
    @pytest.mark.parametrize("lead_days", [0, 1, 3, 27])
    def test_so_many_days_ahead_and_not_before(self, world: World, lead_days: int) -> None:
        set_plan(world, renewal_lead_days=lead_days)
        paid(world, PLAN)
        world.pass_time(days=28 - lead_days, seconds=-1)
        assert renew(world)["opened"] == 0
        world.pass_time(seconds=1)
        assert renew(world)["opened"] == 1
        assert renew(world)["opened"] == 0
        assert bills(world) == [("open", "monthly", 150_000)]

    def test_ahead_of_the_end_of_a_trial(self, world: World) -> None:
        add_plan(world, "tried", trial_days=7)
        assert subscribe(world, plan="tried").json["pay_url"] is None
        days(world, 4)
        assert bills(world) == [("open", "tried", 300_000)]
        paid(world, PLAN | {"plan": "tried"})
        assert check(world)["paid_through"] == "2026-03-07T09:00:00Z"  # from the trial's end

    def test_reminds_and_closes_by_the_plan(self, world: World) -> None:
        set_plan(world, dunning_days=[0, 2], grace_days=1)
        paid(world, PLAN)
        days(world, 30)
        link = link_of(subscription(world)["pay_url"])
        assert show(world, link).status == 200
        days(world, 1)
        assert bills(world) == [("void", "monthly", 150_000)]
        assert "nothing to pay" in show(world, link).body
        assert subscription(world)["pay_url"] is None
        ((end,),) = world.rows("SELECT ends_at FROM subscription_periods")
        told = world.rows(
            "SELECT created_at FROM outbox WHERE type = 'subscription.renewal_due' ORDER BY 1"
        )
        assert [(at - end).days for (at,) in told] == [-3, -1, 0, 2]

    def test_not_before_grace_is_over_it_closes(self, world: World) -> None:
        set_plan(world, dunning_days=[], grace_days=10)
        paid(world, PLAN)
        days(world, 37)
        assert bills(world) == [("open", "monthly", 150_000)]
        days(world, 1)
        assert bills(world) == [("void", "monthly", 150_000)]

    def test_after_it_was_given_up_its_money_still_counts(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 35)
        link = link_of(subscription(world)["pay_url"])
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        assert post(world, link, method="card").status == 303
        ((payment_id,),) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")
        days(world, 1)
        assert bills(world) == [("void", "monthly", 150_000)]
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        assert bills(world) == [("paid", "monthly", 150_000)]
        assert check(world)["paid_through"] == "2026-04-08T09:00:00Z"  # from now on: it is late


class TestPaid:
    def test_early_extends_from_the_old_end(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 25)
        assert post(world, link_of(subscription(world)["pay_url"]), method="card").status == 303
        ((payment_id,),) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")
        tell(world, payment_id)
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"
        assert bills(world) == [("paid", "monthly", 150_000)]
        days(world, 30)
        assert bills(world) == [("paid", "monthly", 150_000)]
        days(world, 1)  # three days before the end of March
        assert bills(world)[1:] == [("open", "monthly", 150_000)]

    def test_twice_extends_twice(self, world: World) -> None:
        """The client paid the link, and by its own wish once more."""
        paid(world, PLAN)
        days(world, 25)
        link = link_of(subscription(world)["pay_url"])
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        assert post(world, link, method="card").status == 303
        ((payment_id,),) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")
        paid(world, PLAN, "k-2")
        assert bills(world) == [("void", "monthly", 150_000)]
        tell(world, payment_id)
        assert bills(world) == [("paid", "monthly", 150_000)]
        assert check(world)["paid_through"] == "2026-04-30T09:00:00Z"


class TestRemade:
    def test_for_the_plan_and_the_price_of_today(self, world: World) -> None:
        add_plan(world, "gold")
        paid(world, PLAN)
        days(world, 25)
        link = subscription(world)["pay_url"]
        set_plan(world, "gold", prices=[{"amount": 280_000, "currency": "KES"}])
        set_plan(world, prices=[{"amount": 140_000, "currency": "KES"}])
        for plan, amount in (("gold", 280_000), ("monthly", 140_000)):
            world.pass_time(seconds=1)
            assert subscribe(world, plan=plan).json["pay_url"] == link
            assert bills(world) == [("open", plan, amount)]

    def test_not_where_only_the_price_is_another(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 25)
        set_plan(world, prices=[{"amount": 140_000, "currency": "KES"}])
        subscribe(world)
        renew(world)
        assert bills(world) == [("open", "monthly", 150_000)]

    def test_with_what_was_opened_before_is_paid_as_it_was(self, world: World) -> None:
        """A page that was open asks for the plan it showed: its money buys time of that."""
        add_plan(world, "gold")
        paid(world, PLAN)
        days(world, 25)
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        assert post(world, link_of(subscription(world)["pay_url"]), method="card").status == 303
        ((payment_id,),) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")
        subscribe(world, plan="gold")
        assert bills(world) == [("open", "gold", 300_000)]
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        answer = check(world)
        assert (answer["plan"], answer["paid_through"]) == ("monthly", "2026-03-31T09:00:00Z")


class TestVoid:
    @pytest.mark.parametrize(
        ("wish", "body", "undo", "undone"),
        [
            ("cancel", None, "cancel", {"at": "never"}),
            ("pause", None, "resume", None),
        ],
    )
    def test_by_a_wish_and_there_again_when_it_is_taken_back(
        self, world: World, wish: str, body: Any, undo: str, undone: Any
    ) -> None:
        paid(world, PLAN)
        days(world, 26)
        made = subscription(world)
        link = link_of(made["pay_url"])
        assert put(world, wish, made["id"], body).json["pay_url"] is None
        assert post(world, link, method="card").status == 303
        assert len(world.psp.starts) == 1  # back to the page, and nothing is paid
        days(world, 1)
        assert bills(world) == [("void", "monthly", 150_000)]
        put(world, undo, made["id"], undone)
        renew(world)
        assert bills(world)[-1] == ("open", "monthly", 150_000)
        assert show(world, link_of(subscription(world)["pay_url"])).status == 200

    def test_by_a_dispute_and_there_again_when_it_is_won(self, world: World) -> None:
        bank = keep_card(world)
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        days(world, 26)
        for status, expected in (
            (DisputeStatus.OPEN, [("void", "monthly", 150_000)]),
            (DisputeStatus.WON, [("open", "monthly", 150_000)]),
        ):
            world.psp.dispute(payment_id, MONTHLY, status)
            assert tell(world, payment_id).status == 200
            renew(world)
            assert bills(world) == expected
        assert bank.charges == 0


class TestRefunded:
    @pytest.mark.parametrize("opened", [True, False])
    def test_who_had_the_money_back_is_charged_no_more(self, world: World, opened: bool) -> None:
        bank = keep_card(world)
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        days(world, 26 if opened else 10)
        assert len(bills(world)) == opened
        world.psp.status = PaymentStatus.SUCCEEDED
        assert refund(world, payment_id).status == 201
        days(world, 20)
        assert bank.charges == 0
        assert {status for status, _, _ in bills(world)} <= {"void"}

    def test_an_end_that_moves_to_where_another_bill_was_paid_is_reported(
        self, world: World
    ) -> None:
        """Days are paid ahead, as far as bills open; then one in the middle is given back."""
        add_plan(world, "daily", interval={"unit": "day"}, renewal_lead_days=3)
        made = paid(world, PLAN | {"plan": "daily"})
        payment_ids = [made]
        for _ in range(3):
            renew(world)
            link = link_of(subscription(world)["pay_url"])
            assert post(world, link, method="card").status == 303
            ((payment_id,),) = world.rows("SELECT max(id) FROM payments")
            world.psp.status = PaymentStatus.SUCCEEDED
            tell(world, payment_id)
            payment_ids.append(payment_id)
        assert refund(world, payment_ids[1]).status == 201
        assert renew(world)["troubled"] == [subscription(world)["id"]]
        assert renew(world)["troubled"] == []

    def test_who_comes_back_can_pay(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        assert refund(world, payment_id).status == 201
        assert check(world)["reason"] == "refunded"
        link = link_of(subscribe(world).json["pay_url"])
        assert show(world, link).status == 200
        world.pass_time(seconds=1)
        paid(world, PLAN, "k-2")
        assert check(world)["active"]
        assert bills(world) == [("void", "monthly", 150_000)]


class TestNobodyIsChargedUnasked:
    def test_by_a_new_subscription(self, world: World) -> None:
        bank = keep_card(world)
        add_plan(world, "films", product="films")
        made = subscribe(world, plan="films")
        assert made.json["pay_url"]
        days(world, 10)
        assert bank.charges == 0

    def test_by_coming_back_or_choosing_another_plan(self, world: World) -> None:
        bank = keep_card(world)
        add_plan(world, "gold")
        put(world, "cancel", subscription(world)["id"], {"at": "now"})
        world.pass_time(days=40)
        for plan in ("monthly", "gold", "monthly"):
            world.pass_time(seconds=1)
            assert subscribe(world, plan=plan).json["pay_url"]
            renew(world)
        assert bank.charges == 0

    def test_who_is_on_the_page_is_left_alone(self, world: World) -> None:
        link = link_of(subscribe(world).json["pay_url"])
        for _ in range(50):
            world.pass_time(minutes=20)
            renew(world)
        assert post(world, link, method="card").status == 303
        world.pass_time(minutes=5)
        world.rows("UPDATE bills SET next_step_at = %s RETURNING 1", world.now)
        renew(world)
        assert world.rows("SELECT status FROM payments") == [("requires_action",)]
