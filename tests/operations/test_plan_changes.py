"""Another plan: now for what the rest is worth, or with the next period."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from tests.operations.paying import PLAN, everything, in_another, paid, tell
from tests.operations.subscribing import (
    add_plan,
    bills,
    days,
    periods,
    put,
    renew,
    set_plan,
    subscribe,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.operations.test_pay_page import show
from tests.operations.test_reviews import ACCEPT, doubtful
from tests.operators import Operator
from tests.world import MONTHLY, Answer, World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money

END = "2026-02-28T09:00:00Z"


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
    world: World, subscription_id: str, plan: str = "gold", context: Any = None, **more: Any
) -> Answer:
    """To another plan, by the plan's own way unless told otherwise."""
    body = {"plan": plan, **more}
    return put(world, "change", subscription_id, body, context=context)


def worths(world: World) -> list[tuple[int, int]]:
    """What each period's rest is worth: so much in minor units, for so many days."""
    return world.rows(
        "SELECT worth_minor, worth_seconds / 86400 FROM subscription_periods ORDER BY starts_at"
    )


def value_left(world: World) -> float:
    """What is left of all of them is worth, in minor units."""
    ((left,),) = world.rows(
        """SELECT sum(extract(epoch FROM greatest(ends_at - greatest(starts_at, %s), '0'))
                      * worth_minor / worth_seconds)
           FROM subscription_periods""",
        world.now,
    )
    return float(left)


class TestCredit:
    def test_is_the_seeded_plans_own_way(self, world: World, subscription_id: str) -> None:
        changed = change(world, subscription_id)
        assert (changed.status, changed.json["plan"]) == (200, "gold")
        # twenty days of 1,500.00 for 28 are ten of 3,000.00 for 28
        assert changed.json["paid_through"] == "2026-02-18T09:00:00Z"
        assert str(periods(world)[0][1]) == "2026-02-18 09:00:00+00:00"
        assert (check(world)["plan"], check(world)["active"]) == ("gold", True)
        assert told_of(world, subscription_id)[-1] == "plan_changed"
        assert world.psp.starts[1:] == []

    def test_there_and_back_gives_nothing(self, world: World, subscription_id: str) -> None:
        before = check(world)["paid_through"]
        for plan in ("gold", "monthly") * 5:
            assert change(world, subscription_id, plan).status == 200
        assert check(world)["paid_through"] == before

    def test_renews_on_the_new_plan_at_its_price(self, world: World, subscription_id: str) -> None:
        change(world, subscription_id)
        days(world, 9)
        assert bills(world) == [("open", "gold", 300_000)]

    def test_of_several_periods_changes_each(self, world: World, subscription_id: str) -> None:
        paid(world, PLAN, "k-2")
        change(world, subscription_id)
        first, second = periods(world)
        assert first[1] == second[0]
        assert str(second[1]) == "2026-03-04 09:00:00+00:00"  # a whole month buys half of one

    def test_of_a_trial_goes_on_for_free(self, world: World) -> None:
        add_plan(world, "tried", trial_days=7)
        made = subscribe(world, plan="tried").json
        changed = change(world, made["id"]).json
        assert (changed["plan"], changed["trial_end"]) == ("gold", made["trial_end"])
        days(world, 5)
        assert bills(world) == [("open", "gold", 300_000)]

    def test_with_a_bill_open_asks_for_the_new_end(
        self, world: World, subscription_id: str
    ) -> None:
        days(world, 17)
        assert bills(world) == [("open", "monthly", 150_000)]
        world.pass_time(seconds=1)
        change(world, subscription_id)
        renew(world)
        assert bills(world) == [("void", "monthly", 150_000), ("open", "gold", 300_000)]

    def test_of_time_paid_in_another_currency_is_refused(self, world: World) -> None:
        set_plan(
            world,
            "gold",
            prices=[
                {"amount": 300_000, "currency": "KES"},
                {"amount": 3_000, "currency": "USD"},
            ],
        )
        paid(world, PLAN)
        paid(world, PLAN | {"currency": "USD"}, "k-2")
        subscription_id = subscription(world)["id"]
        before = everything(world)
        for proration in ("credit", "charge_now"):
            answer = change(world, subscription_id, proration=proration)
            assert (answer.status, answer.json["code"]) == (409, "not_changeable")
        assert everything(world) == before
        assert change(world, subscription_id, proration="none").json["next_plan"] == "gold"

    def test_to_a_cheaper_plan_gives_more_time(self, world: World, subscription_id: str) -> None:
        add_plan(world, "bronze", 75_000)
        changed = change(world, subscription_id, "bronze").json
        assert (changed["plan"], changed["paid_through"]) == ("bronze", "2026-03-20T09:00:00Z")

    def test_is_counted_in_what_was_paid_whatever_the_months_length(self, world: World) -> None:
        """The second month, from the 28th on, has 31 days by its anchor of 31 January."""
        paid(world, PLAN)
        paid(world, PLAN, "k-2")
        assert worths(world) == [(150_000, 28), (150_000, 31)]
        subscription_id = subscription(world)["id"]
        for number in range(6):
            world.pass_time(seconds=1)
            assert change(world, subscription_id, ("gold", "monthly")[number % 2]).status == 200
            assert value_left(world) <= 300_000
        assert value_left(world) > 299_999

    def test_of_months_of_28_and_31_days_to_a_plan_of_the_same_price(self, world: World) -> None:
        """A day of one costs more, a day of the other less than one of the plan that is chosen."""
        add_plan(world, "silver", 150_000)
        for number in range(3):
            paid(world, PLAN, f"k-{number}")
        world.pass_time(days=14)
        world.rows("UPDATE subscription_periods SET worth_seconds = worth_seconds + 1 RETURNING 1")
        changed = change(world, subscription(world)["id"], "silver")
        assert (changed.status, changed.json["plan"]) == (200, "silver")
        assert all(end == begin for (_, end), (begin, _) in pairwise(periods(world)))

    def test_of_what_was_paid_in_part(self, world: World) -> None:
        doubtful(world, PLAN, money=Money(37_500, "KES"))
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        assert Operator(world, "reviews").ask("POST", f"/{payment_id}", ACCEPT).status == 200
        assert check(world)["paid_through"] == "2026-02-07T09:00:00Z"
        assert worths(world) == [(37_500, 7)]
        changed = change(world, subscription(world)["id"]).json
        assert changed["paid_through"] == "2026-02-03T21:00:00Z"

    def test_of_what_was_paid_too_much_for(self, world: World) -> None:
        doubtful(world, PLAN, money=Money(300_000, "KES"))
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        assert Operator(world, "reviews").ask("POST", f"/{payment_id}", ACCEPT).status == 200
        changed = change(world, subscription(world)["id"]).json
        assert changed["paid_through"] == "2026-02-14T09:00:00Z"

    def test_of_a_payment_whose_dispute_is_won_is_as_it_was(
        self, world: World, subscription_id: str
    ) -> None:
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        change(world, subscription_id)
        before, held = check(world), value_left(world)
        for status, active in ((DisputeStatus.OPEN, False), (DisputeStatus.WON, True)):
            world.psp.dispute(payment_id, MONTHLY, status)
            assert tell(world, payment_id).status == 200
            assert check(world)["active"] is active
        after = check(world)
        assert (after["plan"], after["paid_through"]) == ("gold", before["paid_through"])
        assert value_left(world) == held
        assert change(world, subscription_id, "monthly").json["paid_through"] == END
        assert value_left(world) == held

    def test_while_a_payment_is_disputed_leaves_its_time_of_its_own_plan(
        self, world: World, subscription_id: str
    ) -> None:
        second = paid(world, PLAN, "k-2")
        for status in (DisputeStatus.OPEN, DisputeStatus.WON):
            world.psp.dispute(second, MONTHLY, status)
            assert tell(world, second).status == 200
            if status is DisputeStatus.OPEN:
                assert change(world, subscription_id).json["plan"] == "gold"
        seen = subscription(world)
        assert (seen["plan"], seen["next_plan"]) == ("gold", "monthly")
        # ten days of gold, and the whole month from 28 February to 31 March
        assert seen["paid_through"] == "2026-03-21T09:00:00Z"
        assert worths(world)[1] == (150_000, 31)

    def test_twice_at_once_changes_once(self, world: World, subscription_id: str) -> None:
        def attempt(_: int) -> Answer:
            return in_another(world, lambda w, context: change(w, subscription_id, context=context))

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(attempt, range(8)))
        assert sorted(answer.status for answer in answers) == [200] + [422] * 7
        assert {a.json["code"] for a in answers if a.status == 422} == {"same_plan"}
        assert check(world)["paid_through"] == "2026-02-18T09:00:00Z"
        assert told_of(world, subscription_id).count("plan_changed") == 1

    def test_to_two_plans_at_once_makes_no_value(self, world: World, subscription_id: str) -> None:
        add_plan(world, "silver", 225_000)
        before = value_left(world)

        def attempt(number: int) -> int:
            plan = ("gold", "silver")[number % 2]
            return in_another(
                world, lambda w, context: change(w, subscription_id, plan, context=context)
            ).status

        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(attempt, range(8))) <= {200, 422}
        assert before - 1 < value_left(world) <= before


class TestNone:
    def test_takes_effect_with_the_next_period(self, world: World, subscription_id: str) -> None:
        changed = change(world, subscription_id, proration="none").json
        assert (changed["plan"], changed["next_plan"]) == ("monthly", "gold")
        days(world, 18)
        assert bills(world) == [("open", "gold", 300_000)]

    def test_remakes_the_bill_that_is_open(self, world: World, subscription_id: str) -> None:
        days(world, 18)
        link = subscription(world)["pay_url"]
        changed = change(world, subscription_id, proration="none").json
        assert changed["pay_url"] == link
        assert bills(world) == [("open", "gold", 300_000)]
        change(world, subscription_id, "monthly", proration="none")
        assert bills(world) == [("open", "monthly", 150_000)]

    def test_of_what_was_never_paid_is_now(self, world: World) -> None:
        made = subscribe(world).json
        changed = change(world, made["id"]).json
        assert (changed["plan"], changed["next_plan"]) == ("gold", None)
        assert bills(world)[-1] == ("open", "gold", 300_000)
        assert changed["pay_url"]

    def test_of_what_lapsed_asks_for_a_bill_that_can_be_paid(
        self, world: World, subscription_id: str
    ) -> None:
        """The old plan's dunning lasts longer than the new one's: its bill is not born dead."""
        set_plan(world, "gold", dunning_days=[])
        days(world, 25)
        assert bills(world) == [("open", "monthly", 150_000)]
        changed = change(world, subscription_id).json
        link = changed["pay_url"].rpartition("/")[2]
        assert show(world, link).status == 200
        assert bills(world)[-1] == ("open", "gold", 300_000)
        renew(world)
        assert bills(world)[-1] == ("open", "gold", 300_000)

    def test_is_what_grace_waits_for(self, world: World, subscription_id: str) -> None:
        """Past due: nothing is left to turn into anything, and the bill asks for the new plan."""
        set_plan(world, grace_days=5)
        paid(world, PLAN, "k-2")
        days(world, 55)
        assert check(world)["status"] == "past_due"
        for proration in ("credit", "charge_now"):
            changed = change(world, subscription_id, proration=proration).json
            assert (changed["plan"], changed["next_plan"]) == ("monthly", "gold")
            assert bills(world)[-1] == ("open", "gold", 300_000)
            put(world, "change", subscription_id, {"plan": "monthly"})
        change(world, subscription_id)
        paid(world, PLAN | {"plan": "gold"}, "k-3")
        assert (check(world)["plan"], check(world)["status"]) == ("gold", "active")
        assert check(world)["paid_through"] == "2026-04-30T09:00:00Z"

    @pytest.mark.parametrize("proration", ["credit", "charge_now", "none"])
    def test_is_taken_back_for_nothing(
        self, world: World, subscription_id: str, proration: str
    ) -> None:
        """What is paid for is of this plan already, whatever that costs by now."""
        set_plan(world, prices=[{"amount": 999_900, "currency": "KES"}])
        change(world, subscription_id, proration="none")
        back = change(world, subscription_id, "monthly", proration=proration).json
        assert (back["plan"], back["next_plan"]) == ("monthly", None)
        assert (back["paid_through"], back["pay_url"]) == (END, None)
        assert worths(world) == [(150_000, 28)]
        assert bills(world) == []
