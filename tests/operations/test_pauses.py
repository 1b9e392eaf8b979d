"""A pause: access ends at once, what time was left is kept, and comes back whole."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.operations.paying import (
    PLAN,
    everything,
    in_another,
    paid,
    reconcile,
    refund,
    tell,
    with_rule,
)
from tests.operations.subscribing import (
    add_plan,
    ahead,
    bills,
    days,
    keep_card,
    periods,
    put,
    renew,
    subscribe,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.operations.test_cancellation import is_refused
from tests.world import World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.plan import RefundRule


@pytest.fixture
def paused(world: World) -> str:
    """The id of a subscription that is paid until 28 February, and paused since 5 February."""
    paid(world, PLAN)
    world.pass_time(days=5)
    subscription_id: str = subscription(world)["id"]
    assert put(world, "pause", subscription_id).status == 200
    return subscription_id


class TestPause:
    def test_ends_access_at_once_and_keeps_the_time(self, world: World, paused: str) -> None:
        for _ in range(3):
            answer = check(world)
            assert (answer["active"], answer["reason"]) == (False, "paused")
            assert (answer["status"], answer["paused_at"]) == ("paused", "2026-02-05T09:00:00Z")
            days(world, 40)
        resumed = put(world, "resume", paused)
        assert (resumed.status, resumed.json["status"]) == (200, "active")
        assert resumed.json["paid_through"] == "2026-06-28T09:00:00Z"
        assert periods(world)[0][1] - world.now == timedelta(days=23)
        assert check(world)["active"]
        assert told_of(world, paused) == ["activated", "paused", "resumed"]

    def test_until_an_instant_ends_then_though_nothing_ran(self, world: World, paused: str) -> None:
        put(world, "resume", paused)
        answer = put(world, "pause", paused, {"resumes_at": ahead(world, days=10)})
        assert answer.json["resumes_at"] == "2026-02-15T09:00:00Z"
        world.pass_time(days=10, seconds=-1)
        assert check(world)["reason"] == "paused"
        world.pass_time(seconds=1)
        assert (check(world)["reason"], check(world)["paid_through"]) == (
            "paid",
            "2026-03-10T09:00:00Z",
        )
        seen = subscription(world)
        assert (seen["status"], seen["paused_at"]) == ("active", None)
        assert renew(world)["resumed"] == 1
        assert renew(world)["resumed"] == 0
        assert subscription(world)["paid_through"] == "2026-03-10T09:00:00Z"
        assert told_of(world, paused)[-2:] == ["paused", "resumed"]

    def test_of_a_trial_keeps_what_is_free(self, world: World) -> None:
        add_plan(world, "tried", trial_days=7)
        made = subscribe(world, plan="tried").json
        world.pass_time(days=2)
        put(world, "pause", made["id"])
        world.pass_time(days=100)
        resumed = put(world, "resume", made["id"]).json
        assert (resumed["status"], resumed["trial_end"]) == (
            "trialing",
            ahead(world, days=5)[:19] + "Z",
        )

    def test_is_not_billed_and_billed_after(self, world: World) -> None:
        bank = keep_card(world)
        days(world, 26)
        assert bills(world) == [("open", "monthly", 150_000)]
        made = subscription(world)
        answer = put(world, "pause", made["id"])
        assert answer.json["pay_url"] is None
        days(world, 60)
        assert (bank.charges, bills(world)) == (0, [("void", "monthly", 150_000)])
        put(world, "resume", made["id"])
        days(world, 2)
        assert bank.charges == 1
        assert check(world)["active"]

    def test_is_ended_by_a_payment_of_the_client(self, world: World, paused: str) -> None:
        world.pass_time(days=10)
        paid(world, PLAN, "k-2")
        assert (check(world)["reason"], check(world)["paid_through"]) == (
            "paid",
            "2026-04-10T09:00:00Z",
        )
        assert [end - begin for begin, end in periods(world)] == [
            timedelta(days=38),  # ten of them paused
            timedelta(days=31),
        ]

    @pytest.mark.parametrize("until", [None, 20])
    def test_is_not_ended_by_a_charge_that_was_on_its_way(
        self, world: World, until: int | None
    ) -> None:
        bank = keep_card(world)
        bank.charged = bank.status = PaymentStatus.PROCESSING
        world.pass_time(days=27, hours=1)
        renew(world)
        made: str = subscription(world)["id"]
        body = {"resumes_at": ahead(world, days=until)} if until else None
        assert put(world, "pause", made, body).status == 200
        world.pass_time(days=3)
        bank.status = PaymentStatus.SUCCEEDED
        reconcile(world)
        assert check(world)["reason"] == "paused"
        assert bills(world) == [("paid", "monthly", 150_000)]
        world.pass_time(days=17)
        if until is None:
            assert put(world, "resume", made).status == 200
        renew(world)
        left = timedelta(hours=23) + timedelta(days=31)  # of February, and all of the month after
        assert check(world)["paid_through"] == f"{world.now + left:%Y-%m-%dT%H:%M:%SZ}"
        assert periods(world)[-1][1] == world.now + left
        assert told_of(world, made)[-3:] == ["paused", "renewed", "resumed"]

    def test_again_and_again_loses_no_day(self, world: World, paused: str) -> None:
        put(world, "resume", paused)
        for number in range(5):
            until = {"resumes_at": ahead(world, hours=20)} if number % 2 else None
            assert put(world, "pause", paused, until).status == 200
            world.pass_time(days=1)
            if until is None:
                assert put(world, "resume", paused).status == 200
        # three whole days, two pauses of twenty hours
        assert check(world)["paid_through"] == "2026-03-05T01:00:00Z"
        renew(world)
        assert str(periods(world)[-1][1]) == "2026-03-05 01:00:00+00:00"


class TestRefusals:
    def test_of_what_gives_no_access(self, world: World) -> None:
        subscription_id = subscribe(world).json["id"]
        for passed in (0, 29):
            world.pass_time(days=passed)
            answer = put(world, "pause", subscription_id)
            assert (answer.status, answer.json["code"]) == (409, "not_pausable")
            if not passed:
                paid(world, PLAN)

    @pytest.mark.parametrize("at", ["now", "period_end"])
    def test_of_what_is_canceled_or_paused(self, world: World, at: str) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        put(world, "cancel", subscription_id, {"at": at})
        first = put(world, "pause", subscription_id)
        assert first.status == (409 if at == "now" else 200)
        assert put(world, "pause", subscription_id).json["code"] == "not_pausable"

    def test_resume_of_what_is_not_paused(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        before = everything(world)
        for _ in range(2):
            answer = put(world, "resume", subscription_id)
            assert (answer.status, answer.json["code"]) == (409, "not_paused")
        assert everything(world) == before

    def test_resume_after_it_ended_by_itself(self, world: World, paused: str) -> None:
        put(world, "resume", paused)
        put(world, "pause", paused, {"resumes_at": ahead(world, days=1)})
        world.pass_time(days=2)
        before = everything(world)
        assert put(world, "resume", paused).json["code"] == "not_paused"
        assert everything(world) == before

    def test_resume_of_what_was_canceled_in_its_pause(self, world: World, paused: str) -> None:
        put(world, "cancel", paused, {"at": "now"})
        assert put(world, "resume", paused).json["code"] == "not_paused"
        assert told_of(world, paused)[-1] == "canceled"

    def test_dates_that_do_not_fit(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id, before = subscription(world)["id"], everything(world)
        for resumes_at in (
            ahead(world),
            ahead(world, seconds=-1),
            "2026-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00",
            "99999-01-01T00:00:00Z",
            "2027-01-31",
            "2027-01-31T09:00:00",
            "2027-02-30T09:00:00Z",
            "1800000000",
            1_800_000_000,
            "tomorrow",
            "\x00",
            "",
            True,
            ["2027-01-31T09:00:00Z"],
        ):
            answer = put(world, "pause", subscription_id, {"resumes_at": resumes_at})
            assert is_refused(answer, 422), (resumes_at, answer.body)
        assert is_refused(
            put(world, "pause", subscription_id, {"until": ahead(world, days=1)}), 422
        )
        assert everything(world) == before


class TestMoneyThatGoesBack:
    def test_never_rule_after_a_pause_that_is_over_moves_periods_once(self, world: World) -> None:
        """The pause is written into periods and dates, or into neither."""
        with_rule(world, RefundRule.NEVER)
        payment_id = paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        world.pass_time(days=5)
        put(world, "pause", subscription_id, {"resumes_at": ahead(world, days=2)})
        world.pass_time(days=3)
        assert refund(world, payment_id).status == 201
        renew(world)
        assert str(periods(world)[0][1]) == "2026-03-02 09:00:00+00:00"
        assert check(world)["paid_through"] == "2026-03-02T09:00:00Z"

    def test_in_a_pause_takes_what_was_left_at_its_beginning(
        self, world: World, paused: str
    ) -> None:
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        world.pass_time(days=100)
        assert refund(world, payment_id).status == 201
        assert str(periods(world)[0][1]) == "2026-02-05 09:00:00+00:00"
        put(world, "resume", paused)
        assert (check(world)["active"], check(world)["reason"]) == (False, "refunded")

    def test_a_dispute_of_who_left_in_a_pause_can_be_won(self, world: World, paused: str) -> None:
        put(world, "cancel", paused)
        ((payment_id,),) = world.rows("SELECT id FROM payments")
        money = Money(150_000, "KES")
        for status, expected in ((DisputeStatus.OPEN, "canceled"), (DisputeStatus.WON, "paused")):
            world.pass_time(days=1)
            world.psp.dispute(payment_id, money, status)
            assert tell(world, payment_id).status == 200
            assert subscription(world)["status"] == expected
        resumed = put(world, "resume", paused).json
        assert (resumed["status"], resumed["cancel_at"]) == ("active", resumed["paid_through"])


class TestAtOnce:
    @pytest.mark.parametrize("first", ["pause", "resume"])
    def test_ten_calls_change_it_once(self, world: World, paused: str, first: str) -> None:
        if first == "pause":
            put(world, "resume", paused)

        def attempt(_: int) -> int:
            answer: Any = in_another(
                world, lambda w, context: put(w, first, paused, context=context)
            )
            return int(answer.status)

        with ThreadPoolExecutor(5) as pool:
            statuses = sorted(pool.map(attempt, range(10)))
        assert statuses == [200] + [409] * 9
        assert told_of(world, paused).count(f"{first}d") == (1 if first == "resume" else 2)

    def test_a_row_that_can_not_be_resumed_holds_up_no_other(self, world: World) -> None:
        ids = {}
        for client in ("client-1", "client-2"):
            paid(world, PLAN | {"client_id": client}, client)
            ids[client] = subscription(world, client)["id"]
        for subscription_id in ids.values():
            put(world, "pause", subscription_id, {"resumes_at": ahead(world, days=2)})
        with psycopg.connect(world.stores.owner_url) as connection:
            connection.execute(
                f"""ALTER TABLE subscription_periods ADD CONSTRAINT poison
                    CHECK (subscription_id <> '{ids["client-1"]}') NOT VALID""".encode()
            )
        world.pass_time(days=3)
        report = renew(world)
        assert (report["resumed"], report["troubled"]) == (1, [ids["client-1"]])
        written = world.rows("SELECT client_id FROM subscriptions WHERE paused_at IS NULL")
        assert written == [("client-2",)]
        # the sweep of the same slice has left it to who can resume it
        with psycopg.connect(world.stores.owner_url) as connection:
            connection.execute("ALTER TABLE subscription_periods DROP CONSTRAINT poison")
        assert renew(world)["resumed"] == 1
        assert told_of(world, ids["client-1"])[-1] == "resumed"
