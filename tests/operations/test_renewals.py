"""The timer of subscriptions: bills opened, charged or asked for, each once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from tests.operations.paying import PLAN, create, paid
from tests.operations.subscribing import DECLINED, Bank, days, keep_card, renew
from tests.operations.test_access import check
from tests.world import World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order
from tollgate.domain.payment import Method, PaymentStatus, RetryAdvice


@pytest.fixture
def bank(world: World) -> Bank:
    """The world's PSP: the client's card is kept from its first payment."""
    return keep_card(world)


def due_events(world: World) -> list[datetime]:
    rows = world.rows(
        "SELECT created_at FROM outbox WHERE type = 'subscription.renewal_due' ORDER BY created_at"
    )
    return [row[0] for row in rows]


def bills(world: World) -> list[tuple[Any, ...]]:
    return world.rows("SELECT status, is_charged FROM bills ORDER BY opened_at")


class TestSavedMethod:
    def test_is_charged_once_for_each_period_and_no_day_is_lost(
        self, world: World, bank: Bank
    ) -> None:
        seen = set()
        for _ in range(120):
            world.pass_time(days=1)
            renew(world)
            answer = check(world)
            assert answer["active"]
            seen.add(answer["paid_through"])
        assert sorted(seen) == [
            f"2026-{month}T09:00:00Z" for month in ("02-28", "03-31", "04-30", "05-31", "06-30")
        ]
        assert bank.charges == 4
        assert [status for status, _ in bills(world)] == ["paid"] * 4

    def test_at_once_by_many_timers_is_charged_once(self, world: World, bank: Bank) -> None:
        world.pass_time(days=27, hours=1)
        contexts = [world.new_context() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda c: world.run_timer("subscriptions/renew", c), contexts))
        for context in contexts:
            context.database.close()
            context.cache.close()
        assert bank.charges == 1
        assert bills(world) == [("paid", True)]

    def test_that_is_declined_is_tried_again_by_the_schedule(
        self, world: World, bank: Bank
    ) -> None:
        bank.verdict = DECLINED
        days(world, 29)  # a day before the end, and a day after it
        assert bank.charges == 2
        assert not check(world)["active"]
        bank.verdict = None
        days(world, 2)
        assert bank.charges == 3
        assert check(world)["active"]
        # late, so it begins when it is paid
        assert check(world)["paid_through"] == "2026-04-03T09:00:00Z"

    @pytest.mark.parametrize("advice", [RetryAdvice.NEVER, RetryAdvice.CLIENT])
    def test_that_only_the_client_can_mend_is_not_charged_again(
        self, world: World, bank: Bank, advice: RetryAdvice
    ) -> None:
        bank.verdict = replace(DECLINED, advice=advice)
        days(world, 40)
        assert bank.charges == 1
        assert bills(world) == [("void", False)]
        assert len(due_events(world)) == 6  # opened, a day before, and four days after

    def test_is_charged_within_the_hour_when_the_psp_is_up_again(
        self, world: World, bank: Bank
    ) -> None:
        def down(_: Order) -> None:
            raise PspUnavailable

        bank.on_start = down
        world.pass_time(days=27, hours=1)
        renew(world)
        bank.on_start = lambda _: None
        world.pass_time(hours=1)
        renew(world)
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"

    def test_three_missed_days_are_caught_up_once(self, world: World, bank: Bank) -> None:
        bank.verdict = DECLINED
        world.pass_time(days=33)
        renew(world)
        assert (bank.charges, len(due_events(world))) == (1, 2)
        renew(world)
        assert bank.charges == 1

    def test_of_who_leaves_is_not_charged(self, world: World, bank: Bank) -> None:
        listed = world.call("subscriptions/list", method="GET").json
        path = f"/{listed['data'][0]['id']}"
        days(world, 26)  # the bill is open
        assert bills(world) == [("open", True)]
        world.call("subscriptions/cancel", method="PUT", path=path)
        days(world, 20)
        assert (bank.charges, bills(world)) == (0, [("void", True)])
        assert check(world)["status"] == "canceled"

    def test_a_cancellation_taken_back_is_billed_again(self, world: World, bank: Bank) -> None:
        listed = world.call("subscriptions/list", method="GET").json
        path = f"/{listed['data'][0]['id']}"
        days(world, 25)
        world.call("subscriptions/cancel", method="PUT", path=path)
        back = world.call("subscriptions/cancel", method="PUT", path=path, body={"at": "never"})
        assert back.status == 200
        days(world, 4)
        assert (bank.charges, bills(world)) == (1, [("paid", True)])


class TestPayLink:
    def test_the_app_is_told_where_to_pay_before_and_after(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 45)
        end = datetime.fromisoformat("2026-02-28T09:00:00+00:00")
        assert [(at - end).days for at in due_events(world)] == [-3, -1, 1, 3, 5, 7]
        (url,) = world.rows(
            "SELECT DISTINCT data ->> 'pay_url' FROM outbox WHERE data ? 'pay_url'"
        )[0]
        assert url.startswith(f"{world.settings.public_url}/payments/pay/bil_")
        assert bills(world) == [("void", True)]

    def test_what_is_paid_early_extends_from_the_old_end(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 26)
        paid(world, PLAN, "k-early")
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"
        assert bills(world) == [("void", True)]
        days(world, 20)
        assert len(bills(world)) == 1  # the next one opens ahead of the new end

    def test_a_new_price_is_for_bills_that_open_later(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 26)
        price = {"prices": [{"amount": 200_000, "currency": "KES"}]}
        changed = world.call(
            "admin/plans",
            method="PUT",
            path="/monthly",
            query=f"app_id={world.app.id}",
            body=price,
            key=world.seed.admin_key,
        )
        assert changed.status == 200
        amounts = world.rows("SELECT amount_minor FROM bills")
        assert amounts == [(150_000,)]

    def test_a_prompt_comes_at_the_hour_that_the_client_chose(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.MPESA}))
        body = {
            "client_id": "client-1",
            "plan": "monthly",
            "customer": {"phone": "+254712345678"},
            "renewal": {"method": "mpesa", "hour": 7, "time_zone": "Africa/Nairobi"},
        }
        assert world.call("subscriptions/create", body=body).status == 201
        paid(world, PLAN)
        prompts: list[datetime] = []
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        world.psp.on_start = lambda order: prompts.append(world.now)
        for _ in range(40 * 24):
            world.pass_time(hours=1)
            renew(world)
        assert {at.hour for at in prompts[1:]} == {4}  # seven in Nairobi
        assert len(prompts) == 5
        assert all(order.customer.phone == "+254712345678" for order in world.psp.starts[1:])


class TestSlices:
    def test_one_that_has_no_time_does_nothing(self, world: World, bank: Bank) -> None:
        from tollgate.operations.renewals import renew_subscriptions

        world.pass_time(days=30)
        report = renew_subscriptions(world.context, lambda: False)
        assert (report["opened"], report["turned"]) == (0, 0)
        assert report["due"] > 0

    def test_a_plan_without_a_price_is_told_and_tried_again(self, world: World) -> None:
        paid(world, PLAN)
        world.rows("DELETE FROM plan_prices WHERE currency = 'KES' RETURNING plan")
        world.pass_time(days=26)
        report = renew(world)
        assert (report["opened"], len(report["troubled"])) == (0, 1)
        world.rows(
            "INSERT INTO plan_prices VALUES (%s, 'monthly', 'KES', 1000) RETURNING plan",
            world.app.id,
        )
        world.pass_time(days=1, hours=1)
        assert renew(world)["opened"] == 1

    def test_what_turns_is_told_once(self, world: World) -> None:
        paid(world, PLAN)
        world.pass_time(days=29)
        told: Callable[[], list[tuple[Any, ...]]] = lambda: world.rows(  # noqa: E731
            "SELECT type FROM outbox WHERE type LIKE 'subscription.%%' ORDER BY created_at"
        )
        for _ in range(3):
            renew(world)
        kinds = [kind for (kind,) in told()]
        assert kinds.count("subscription.expired") == 1

    def test_it_is_the_same_answer_without_any(self, world: World) -> None:
        create(world)
        assert check(world)["active"] is False
