"""Another plan at once, for what is missing to a whole period of it."""

from typing import Any

import pytest

from tests.operations.paying import PLAN, everything, in_another, paid, tell
from tests.operations.subscribing import (
    DECLINED,
    add_plan,
    ahead,
    bills,
    days,
    keep_card,
    periods,
    put,
    renew,
    set_plan,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.operations.test_pay_page import post, show
from tests.world import Answer, World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order
from tollgate.domain.payment import PaymentStatus


@pytest.fixture(autouse=True)
def _gold(world: World) -> None:
    """A plan of the same product at twice the price."""
    add_plan(world, "gold", 300_000)


@pytest.fixture
def subscription_id(world: World) -> str:
    """Of a subscription that is paid until 28 February, on its eighth day."""
    paid(world, PLAN)
    world.pass_time(days=8)
    return str(subscription(world)["id"])


def change(
    world: World,
    subscription_id: str,
    plan: str = "gold",
    proration: str = "charge_now",
    context: Any = None,
) -> Answer:
    body = {"plan": plan, "proration": proration}
    return put(world, "change", subscription_id, body, context=context)


def newest_payment(world: World) -> str:
    ((payment_id,),) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")
    return str(payment_id)


def open_bills(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT kind, plan FROM bills WHERE status = 'open'")


class TestChargeNow:
    def test_charges_what_is_missing_and_changes(self, world: World) -> None:
        bank = keep_card(world)
        world.pass_time(days=14)
        subscription_id = subscription(world)["id"]
        changed = change(world, subscription_id)
        assert changed.status == 200
        assert (changed.json["plan"], changed.json["pay_url"]) == ("gold", None)
        # half of 1,500.00 is left, so 2,250.00 is missing to a whole month from now
        assert bills(world) == [("paid", "gold", 225_000)]
        assert bank.charges == 1
        assert check(world)["paid_through"] == "2026-03-14T09:00:00Z"
        assert told_of(world, subscription_id) == ["activated", "plan_changed"]

    def test_twice_while_the_first_is_on_its_way_charges_once(self, world: World) -> None:
        bank = keep_card(world)
        world.pass_time(days=14)
        subscription_id = subscription(world)["id"]
        second: list[Answer] = []

        def again(world: World, context: Any) -> Answer:
            return change(world, subscription_id, context=context)

        def click_again(order: Order) -> None:
            if not second:
                world.pass_time(seconds=1)
                second.append(in_another(world, again))

        bank.on_start = click_again
        first = change(world, subscription_id)
        assert (first.status, second[0].status, bank.charges) == (200, 200, 1)
        assert (second[0].json["plan"], first.json["plan"]) == ("monthly", "gold")
        assert change(world, subscription_id).json["code"] == "same_plan"

    def test_that_is_declined_leaves_a_link_for_a_day(self, world: World) -> None:
        bank = keep_card(world)
        bank.verdict = DECLINED
        world.pass_time(days=14)
        subscription_id = subscription(world)["id"]
        changed = change(world, subscription_id).json
        assert changed["plan"] == "monthly" and changed["pay_url"]
        link = changed["pay_url"].rpartition("/")[2]
        assert post(world, link, method="card").status == 303
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, newest_payment(world))
        assert (check(world)["plan"], check(world)["paid_through"]) == (
            "gold",
            "2026-03-14T09:00:00Z",
        )

    def test_with_the_psp_down_leaves_a_link(self, world: World) -> None:
        bank = keep_card(world)

        def down(_: Order) -> None:
            raise PspUnavailable

        bank.on_start = down
        world.pass_time(days=14)
        changed = change(world, subscription(world)["id"])
        assert (changed.status, changed.json["plan"]) == (200, "monthly")
        assert changed.json["pay_url"]

    def test_of_a_cheaper_plan_has_nothing_to_charge(
        self, world: World, subscription_id: str
    ) -> None:
        add_plan(world, "bronze", 1_000)
        before = everything(world)
        answer = change(world, subscription_id, "bronze")
        assert (answer.status, answer.json["code"]) == (422, "nothing_to_charge")
        assert everything(world) == before

    def test_after_a_pause_that_is_over_moves_periods_once(
        self, world: World, subscription_id: str
    ) -> None:
        put(world, "pause", subscription_id, {"resumes_at": ahead(world, days=2)})
        world.pass_time(days=3)
        assert change(world, subscription_id).status == 200
        renew(world)
        assert str(periods(world)[0][1]) == "2026-03-02 09:00:00+00:00"
        assert check(world)["paid_through"] == "2026-03-02T09:00:00Z"

    def test_while_the_renewals_bill_is_open_asks_for_the_change(self, world: World) -> None:
        bank = keep_card(world)
        days(world, 26)
        assert bills(world) == [("open", "monthly", 150_000)]
        world.pass_time(seconds=1)
        assert change(world, subscription(world)["id"]).json["plan"] == "gold"
        assert [status for status, _, _ in bills(world)] == ["void", "paid"]
        days(world, 20)
        assert bank.charges == 1

    def test_that_takes_a_while_changes_when_it_is_through(self, world: World) -> None:
        bank = keep_card(world)
        bank.charged = PaymentStatus.PROCESSING
        world.pass_time(days=14)
        changed = change(world, subscription(world)["id"]).json
        assert (changed["plan"], check(world)["plan"]) == ("monthly", "monthly")
        assert change(world, changed["id"]).status == 200  # asked again meanwhile
        assert bank.charges == 1
        world.pass_time(hours=1)
        tell(world, newest_payment(world))
        assert check(world)["plan"] == "gold"
        # what was left an hour later, and 2,250.00 of 3,000.00 for a month
        assert check(world)["paid_through"] == "2026-03-14T09:30:00Z"

    def test_that_is_paid_after_another_change_buys_its_time(self, world: World) -> None:
        bank = keep_card(world)
        bank.charged = PaymentStatus.PROCESSING
        world.pass_time(days=14)
        subscription_id = subscription(world)["id"]
        change(world, subscription_id)
        credited = change(world, subscription_id, proration="credit").json
        assert (credited["plan"], credited["paid_through"]) == ("gold", "2026-02-21T09:00:00Z")
        tell(world, newest_payment(world))
        assert check(world)["paid_through"] == "2026-03-14T09:00:00Z"
        assert [status for status, _, _ in bills(world)] == ["paid"]

    def test_of_what_left_meanwhile_buys_its_time(self, world: World) -> None:
        bank = keep_card(world)
        bank.charged = PaymentStatus.PROCESSING
        world.pass_time(days=14)
        subscription_id = subscription(world)["id"]
        change(world, subscription_id)
        put(world, "cancel", subscription_id)
        tell(world, newest_payment(world))
        seen = subscription(world)
        assert (seen["plan"], seen["cancel_at"]) == ("gold", seen["paid_through"])
        assert seen["paid_through"] == "2026-03-14T09:00:00Z"


class TestUnpaid:
    """A change that was asked for money, and is not paid for."""

    def test_is_forgotten_and_the_renewal_asked_for_again(
        self, world: World, subscription_id: str
    ) -> None:
        days(world, 17)
        assert bills(world) == [("open", "monthly", 150_000)]
        link = subscription(world)["pay_url"]
        world.pass_time(seconds=1)
        assert change(world, subscription_id).json["pay_url"] != link
        assert open_bills(world) == [("change", "gold")]
        world.pass_time(hours=23, seconds=-1)
        renew(world)
        assert open_bills(world) == [("change", "gold")]
        world.pass_time(seconds=1)
        renew(world)
        assert open_bills(world) == [("period", "monthly")]
        assert subscription(world)["pay_url"] == link
        assert (check(world)["plan"], check(world)["active"]) == ("monthly", True)

    @pytest.mark.parametrize("lead_days", [0, 1, 2])
    def test_is_no_reason_to_lose_access_at_the_end(self, world: World, lead_days: int) -> None:
        """Though no bill of the renewal was open when the change was asked for."""
        bank = keep_card(world)
        set_plan(world, renewal_lead_days=lead_days, grace_days=1)
        world.rows(
            """UPDATE subscriptions s SET bill_opens_at = subscription_bill_opens_at(s)
               RETURNING 1"""
        )
        bank.verdict = DECLINED
        world.pass_time(days=26, hours=20)
        assert change(world, subscription(world)["id"]).json["pay_url"]
        bank.verdict = None
        for _ in range(32):
            world.pass_time(hours=1)
            renew(world)
            assert check(world)["active"]
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"
        assert (bank.charges, check(world)["plan"]) == (2, "monthly")

    def test_stands_until_it_closes_though_the_renewals_bill_would_open(
        self, world: World, subscription_id: str
    ) -> None:
        days(world, 16)
        world.pass_time(hours=20)
        link = change(world, subscription_id).json["pay_url"].rpartition("/")[2]
        world.pass_time(hours=6)
        renew(world)  # four days before the end it was too early, now it is not
        assert open_bills(world) == [("change", "gold")]
        assert show(world, link).status == 200

    def test_closes_with_what_it_would_change(self, world: World, subscription_id: str) -> None:
        world.pass_time(days=19, hours=20)
        link = change(world, subscription_id).json["pay_url"].rpartition("/")[2]
        world.pass_time(hours=4)
        assert "nothing to pay" in show(world, link).body
        renew(world)
        assert open_bills(world) == [("period", "monthly")]

    def test_is_not_waited_for_after_a_change_that_moves_no_date(
        self, world: World, subscription_id: str
    ) -> None:
        add_plan(world, "silver", 150_000)
        days(world, 17)
        world.pass_time(seconds=1)
        change(world, subscription_id, "silver")
        end = check(world)["paid_through"]
        changed = change(world, subscription_id, "silver", proration="credit").json
        assert (changed["plan"], changed["paid_through"], changed["pay_url"]) == (
            "silver",
            end,
            None,
        )
        days(world, 1)
        assert open_bills(world) == [("period", "silver")]

    @pytest.mark.parametrize("wish", ["cancel", "pause"])
    def test_is_void_when_nothing_more_is_wanted_and_the_renewal_comes_after_all(
        self, world: World, subscription_id: str, wish: str
    ) -> None:
        days(world, 17)
        world.pass_time(seconds=1)
        change(world, subscription_id)
        put(world, wish, subscription_id)
        renew(world)
        assert open_bills(world) == []
        undo, body = ("cancel", {"at": "never"}) if wish == "cancel" else ("resume", None)
        assert put(world, undo, subscription_id, body).status == 200
        renew(world)
        assert open_bills(world) == [("period", "monthly")]

    def test_then_another_one_is_asked_for_in_its_place(
        self, world: World, subscription_id: str
    ) -> None:
        add_plan(world, "platinum", 600_000)
        change(world, subscription_id)
        world.pass_time(seconds=1)
        change(world, subscription_id, "platinum")
        assert open_bills(world) == [("change", "platinum")]
        assert bills(world)[0][0] == "void"
