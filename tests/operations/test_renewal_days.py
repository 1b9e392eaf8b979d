"""The timer day by day: what it does when things change under it, and when it is in trouble."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from tests.operations.paying import PLAN, another_container, create, paid, tell
from tests.operations.subscribing import (
    DECLINED,
    Bank,
    add_plan,
    ahead,
    bills,
    days,
    keep_card,
    put,
    renew,
    set_plan,
    subscribe,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order
from tollgate.domain.payment import Method, PaymentStatus, RetryAdvice
from tollgate.operations.renewals import renew_subscriptions

PHONE = {"phone": "+254712345678"}


@pytest.fixture
def bank(world: World) -> Bank:
    """The world's PSP: client-1 has paid until 28 February, and its card is kept."""
    return keep_card(world)


def due_events(world: World) -> list[tuple[datetime, dict[str, Any]]]:
    return world.rows(
        """SELECT created_at, data FROM outbox
           WHERE type IN ('subscription.renewal_due', 'subscription.trial_will_end')
           ORDER BY created_at"""
    )


class TestTold:
    def test_says_what_is_due_and_how_it_stands_now(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 40)
        told = due_events(world)
        assert [data["status"] for _, data in told] == ["active"] * 2 + ["expired"] * 4
        for _, data in told:
            assert (data["amount"], data["currency"]) == (150_000, "KES")
            assert datetime.fromisoformat(data["due_at"]) == datetime(2026, 2, 28, 9, tzinfo=UTC)
            assert data["bill_id"] in data["pay_url"]
        assert len({data["bill_id"] for _, data in told}) == 1

    def test_a_trial_is_told_that_it_ends(self, world: World) -> None:
        set_plan(world, trial_days=14)
        assert subscribe(world).json["status"] == "trialing"
        days(world, 30)
        kinds = world.rows(
            "SELECT type, data ->> 'status' FROM outbox WHERE data ? 'bill_id' ORDER BY created_at"
        )
        assert (
            kinds
            == [("subscription.trial_will_end", "trialing")] * 2
            + [("subscription.renewal_due", "expired")] * 4
        )

    def test_nobody_is_asked_for_what_is_being_paid(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 26)
        world.psp.status = PaymentStatus.PROCESSING
        made = create(world, PLAN, "k-2")
        tell(world, made.json["id"])
        days(world, 3)
        assert len(due_events(world)) == 1  # when the bill opened
        world.psp.status = PaymentStatus.FAILED
        tell(world, made.json["id"])
        days(world, 1)
        assert len(due_events(world)) == 2

    @pytest.mark.parametrize("meanwhile", ["comes_back", "other_wish", "other_plan", "resumed"])
    def test_an_end_is_told_once_though_the_row_was_written_before_the_timer_came(
        self, world: World, meanwhile: str
    ) -> None:
        add_plan(world, "gold")
        paid(world, PLAN)
        ended: str = subscription(world)["id"]
        if meanwhile == "resumed":  # by its date, while the timer stood
            assert put(world, "pause", ended, {"resumes_at": ahead(world, days=5)}).status == 200
        elif meanwhile == "comes_back":
            assert put(world, "cancel", ended).status == 200
        world.pass_time(days=33)
        if meanwhile == "other_wish":
            assert subscribe(world, renewal={"hour": 8}).status == 200
        elif meanwhile == "other_plan":
            assert subscribe(world, plan="gold").status == 200
        elif meanwhile == "comes_back":
            assert subscribe(world).status == 201
        for _ in range(2):
            renew(world)
        told = told_of(world, ended)
        assert [kind for kind in told if kind in ("expired", "past_due")] == ["expired"], told

    @pytest.mark.parametrize("meanwhile", ["paid", "canceled"])
    def test_nothing_is_due_any_more_of_what_was_settled_since_it_was_claimed(
        self, world: World, meanwhile: str
    ) -> None:
        """Others of the same claim may take a while."""
        paid(world, PLAN)
        days(world, 26)
        billed: str = subscription(world)["id"]
        world.pass_time(days=1)

        def settle() -> None:
            listen(CrashPoint.RENEW_CLAIMED, lambda: None)
            if meanwhile == "paid":
                paid(world, PLAN, "k-2")
            else:
                assert put(world, "cancel", billed).status == 200

        listen(CrashPoint.RENEW_CLAIMED, settle)
        report = renew(world)
        last = {"paid": "renewed", "canceled": "canceled"}[meanwhile]
        assert told_of(world, billed) == ["activated", "renewal_due", last]
        assert (report["seen_to"], report["troubled"]) == (1, [])

    def test_opens_once_by_many_timers(self, world: World) -> None:
        for number in range(12):
            paid(world, PLAN | {"client_id": f"client-{number}"}, f"k-{number}")
        world.pass_time(days=25, hours=1)

        def fire(_: int) -> int:
            with another_container(world) as context:
                return int(
                    world.run_timer("subscriptions/renew", context)["renew_subscriptions"]["opened"]
                )

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(fire, range(8))) == 12
        assert bills(world) == [("open", "monthly", 150_000)] * 12
        assert len(due_events(world)) == 12


class TestMoney:
    def test_another_payment_for_the_plan_makes_the_bill_moot(
        self, world: World, bank: Bank
    ) -> None:
        days(world, 26)
        bank.status = PaymentStatus.REQUIRES_ACTION
        payment_id = create(world, PLAN, "k-own").json["id"]
        bank.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        days(world, 20)
        assert (bank.charges, bills(world)) == (0, [("void", "monthly", 150_000)])
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"

    def test_a_charge_that_takes_days_is_left_alone(self, world: World, bank: Bank) -> None:
        bank.charged = bank.status = PaymentStatus.PROCESSING
        days(world, 32)
        assert (bank.charges, len(bills(world))) == (1, 1)
        bank.status = PaymentStatus.SUCCEEDED
        ((payment_id,),) = world.rows("SELECT id FROM payments WHERE status = 'processing'")
        tell(world, payment_id)
        assert bills(world)[0][0] == "paid"
        assert check(world)["active"]

    def test_an_archived_plan_goes_on(self, world: World, bank: Bank) -> None:
        key, query = world.seed.admin_key, f"app_id={world.app.id}"
        gone = world.call("admin/plans", method="DELETE", path="/monthly", query=query, key=key)
        assert gone.status == 200
        days(world, 60)
        assert bank.charges == 2
        assert check(world)["active"]

    def test_a_new_price_is_asked_from_the_next_bill_on(self, world: World, bank: Bank) -> None:
        days(world, 26)
        set_plan(world, prices=[{"amount": 200_000, "currency": "KES"}])
        days(world, 40)
        assert bills(world) == [("paid", "monthly", 150_000), ("paid", "monthly", 200_000)]

    def test_is_asked_in_what_was_paid_last(self, world: World) -> None:
        paid(world, PLAN | {"currency": "USD"})
        days(world, 26)
        assert bills(world) == [("open", "monthly", 1_500)]

    def test_the_psp_down_for_days_charges_once(self, world: World, bank: Bank) -> None:
        def down(_: Order) -> None:
            raise PspUnavailable

        bank.on_start = down
        world.pass_time(days=27, hours=1)
        for _ in range(40):
            world.pass_time(hours=1)
            assert renew(world)["troubled"] == []
        bank.on_start = lambda _: None
        bank.starts.clear()
        for _ in range(5):
            world.pass_time(hours=1)
            renew(world)
        assert bank.charges == 1
        assert [status for status, _, _ in bills(world)] == ["paid"]

    def test_a_declined_card_of_which_only_the_client_can_say_is_asked_for(
        self, world: World, bank: Bank
    ) -> None:
        bank.verdict = replace(DECLINED, advice=RetryAdvice.CLIENT)
        days(world, 29)
        bank.verdict = None  # a new card would do, but nobody said so
        days(world, 3)
        assert bank.charges == 1
        assert subscription(world)["pay_url"]


class TestWhoIsNotBilled:
    @pytest.mark.parametrize("wish", ["pause", "cancel"])
    def test_who_stands_still_or_leaves(self, world: World, bank: Bank, wish: str) -> None:
        put(world, wish, subscription(world)["id"])
        days(world, 60)
        assert (bank.charges, bills(world), due_events(world)) == (0, [], [])

    def test_who_lapsed_long_ago(self, world: World, bank: Bank) -> None:
        """The timer stood for months: nobody is charged for a plan that was given up."""
        world.pass_time(days=120)
        assert renew(world)["opened"] == 0
        assert (bank.charges, bills(world)) == (0, [])


class TestPrompts:
    @pytest.mark.parametrize(
        ("time_zone", "hour", "utc_hours"),
        [
            ("Africa/Nairobi", 7, {4}),
            ("Africa/Nairobi", 0, {21}),
            ("America/New_York", 20, {0, 1}),  # its summer begins on 8 March
        ],
    )
    def test_come_at_the_clients_hour(
        self, world: World, time_zone: str, hour: int, utc_hours: set[int]
    ) -> None:
        set_plan(world, dunning_days=[1, 3, 14])
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        wishes = {"method": "mpesa", "hour": hour, "time_zone": time_zone}
        assert subscribe(world, customer=PHONE, renewal=wishes).status == 201
        paid(world, PLAN)
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        prompts: list[datetime] = []
        world.psp.on_start = lambda order: prompts.append(world.now)
        world.pass_time(days=26)
        for _ in range(24 * 20):
            world.pass_time(hours=1)
            renew(world)
        assert {at.hour for at in prompts} == utc_hours
        assert len(prompts) == 4
        assert {order.method for order in world.psp.starts[1:]} == {Method.MPESA}

    def test_of_whom_no_phone_is_known_are_none(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        subscribe(world, renewal={"method": "mpesa"})
        paid(world, PLAN)
        days(world, 40)
        assert len(world.psp.starts) == 1
        assert len(due_events(world)) == 6

    def test_that_can_not_be_sent_do_not_have_the_app_told_each_hour(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        subscribe(world, customer=PHONE, renewal={"method": "mpesa"})
        paid(world, PLAN)
        world.rows("UPDATE subscriptions SET customer = '\\x0102616161' RETURNING 1")
        world.pass_time(days=26)
        for _ in range(24 * 4):
            world.pass_time(hours=1)
            renew(world)
        assert len(due_events(world)) == 3  # opened, a day before the end, and a day after it


class TestTrouble:
    def test_a_slice_ends_when_its_time_does(self, world: World) -> None:
        for number in range(3):
            paid(world, PLAN | {"client_id": f"client-{number}"}, f"k-{number}")
        world.pass_time(days=27, hours=1)
        left = iter([True] * 5 + [False] * 100)
        report = renew_subscriptions(world.context, lambda: next(left))
        assert report["seen_to"] < 3
        world.pass_time(minutes=5)
        for _ in range(2):
            renew(world)
        assert len(due_events(world)) == 6
        assert renew(world)["due"] == 0

    def test_a_bill_that_can_not_be_seen_to_holds_up_no_other(
        self, world: World, bank: Bank
    ) -> None:
        for number in (2, 3):
            body = PLAN | {"client_id": f"client-{number}", "save_method": True}
            bank.alter = lambda outcome: replace(outcome, saved_method=None)
            paid(world, body, f"k-{number}")
        poisoned = subscription(world)["id"]
        days(world, 26)
        broken = "UPDATE subscriptions SET customer = '\\x0102616161' WHERE id = %s RETURNING 1"
        world.rows(broken, poisoned)
        world.pass_time(days=1, hours=1)
        report = renew(world)
        assert len(report["troubled"]) == 1
        assert len(due_events(world)) == 5
        world.rows("UPDATE subscriptions SET customer = NULL WHERE id = %s RETURNING 1", poisoned)
        world.pass_time(hours=1)
        assert renew(world)["charged"] == 1

    def test_a_subscription_that_can_not_be_billed_holds_up_no_other(self, world: World) -> None:
        for number in (1, 2, 3):
            paid(world, PLAN | {"client_id": f"client-{number}"}, f"k-{number}")
        poisoned = subscription(world, "client-1")["id"]
        with psycopg.connect(world.stores.owner_url) as connection:
            connection.execute(
                "UPDATE subscriptions SET currency = 'XAF' WHERE id = %s", [poisoned]
            )
        world.pass_time(days=26)
        report = renew(world)
        assert (report["opened"], report["troubled"]) == (2, [poisoned])
        world.pass_time(hours=1)
        assert renew(world)["troubled"] == []
        world.pass_time(days=1)
        assert renew(world)["troubled"] == [poisoned]

    def test_what_it_did_not_do_yet_takes_nobodys_access(self, world: World) -> None:
        paid(world, PLAN)
        world.pass_time(days=28, seconds=-1)
        assert check(world)["active"]
        world.pass_time(seconds=1)
        assert not check(world)["active"]
