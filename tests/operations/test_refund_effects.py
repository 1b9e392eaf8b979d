"""What a refund or a dispute does to access: by the plan's rule, and undone when money is back."""

from datetime import timedelta

import pytest

from tests.operations.paying import (
    PLAN,
    books,
    paid,
    read,
    refund,
    status_of,
    tell,
    told,
    with_rule,
)
from tests.operations.subscribing import put, subscribe, subscription
from tests.operations.test_access import check
from tests.world import MONTHLY, World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.money import Money
from tollgate.domain.plan import RefundRule
from tollgate.domain.refund import RefundStatus

PAID_THROUGH = "2026-02-28T09:00:00Z"


def said(world: World) -> tuple[object, ...]:
    """What the check says, with Redis and without: the same."""
    answers = []
    for redis_url in (world.stores.redis_url, "redis://127.0.0.1:1/0"):
        context = world.new_context(redis_url=redis_url)
        answer = check(world, context=context)
        answers.append((answer["active"], answer["reason"], answer["paid_through"]))
        context.database.close()
        context.cache.close()
    assert answers[0] == answers[1]
    return answers[0]


class TestFullRefund:
    def test_ends_access_at_once_unless_the_plan_says_otherwise(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        world.pass_time(days=10)
        assert said(world) == (True, "paid", PAID_THROUGH)
        refund(world, payment_id)
        assert said(world) == (False, "refunded", "2026-02-10T09:00:00Z")
        assert told(world, "subscription") == ["subscription.activated", "subscription.canceled"]

    def test_gives_no_grace(self, world: World) -> None:
        with_rule(world, RefundRule.END_NOW, grace_days=5)
        payment_id = paid(world, PLAN)
        world.pass_time(days=27, hours=23)
        refund(world, payment_id)
        world.pass_time(seconds=1)
        assert said(world)[:2] == (False, "refunded")

    def test_leaves_what_is_left_of_the_period(self, world: World) -> None:
        with_rule(world, RefundRule.PERIOD_END)
        payment_id = paid(world, PLAN)
        world.pass_time(days=10)
        refund(world, payment_id)
        assert said(world) == (True, "canceled_but_paid", PAID_THROUGH)
        world.pass_time(days=18)
        assert said(world)[0] is False
        assert told(world, "subscription") == ["subscription.activated", "subscription.canceled"]

    def test_changes_nothing_under_the_rule_never(self, world: World) -> None:
        with_rule(world, RefundRule.NEVER)
        payment_id = paid(world, PLAN)
        refund(world, payment_id)
        assert status_of(world, payment_id) == "refunded"
        assert said(world) == (True, "paid", PAID_THROUGH)
        assert told(world, "subscription") == ["subscription.activated"]
        assert world.rows("SELECT reversal FROM subscription_periods") == [(None,)]

    def test_of_one_of_two_payments_leaves_the_time_of_the_other(self, world: World) -> None:
        first = paid(world, PLAN)
        world.pass_time(days=1)
        paid(world, PLAN, "k-2")
        assert said(world)[2] == "2026-03-31T09:00:00Z"
        world.pass_time(days=9)
        refund(world, first)
        active, reason, paid_through = said(world)
        assert (active, reason) == (True, "paid")
        assert paid_through == "2026-03-13T09:00:00Z"  # less the 18 days that were left of it
        world.pass_time(days=31)
        assert said(world)[0] is False

    @pytest.mark.parametrize("redis", ["there", "gone"])
    def test_is_seen_by_the_next_check(self, world: World, redis: str) -> None:
        payment_id = paid(world, PLAN)
        assert check(world)["source"] == "cache"
        url = {} if redis == "there" else {"redis_url": "redis://127.0.0.1:1/0"}
        context = world.new_context(**url)
        refund(world, payment_id, context=context)
        context.database.close()
        context.cache.close()
        if redis == "there":
            assert check(world)["active"] is False


class TestPartialRefund:
    @pytest.mark.parametrize("rule", list(RefundRule))
    def test_never_changes_access(self, world: World, rule: RefundRule) -> None:
        with_rule(world, rule)
        payment_id = paid(world, PLAN)
        before = said(world)
        for key in ("a", "b"):
            refund(world, payment_id, {"amount": 74_999}, key)
        assert status_of(world, payment_id) == "partially_refunded"
        assert said(world) == before
        assert told(world, "subscription") == ["subscription.activated"]

    def test_of_the_last_part_does(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        refund(world, payment_id, {"amount": 149_999}, "a")
        assert said(world)[0] is True
        refund(world, payment_id, key="b")
        assert said(world)[:2] == (False, "refunded")


class TestRefundThatFails:
    def test_restores_what_was_left(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        world.pass_time(days=10)
        refund(world, payment_id)
        (reference,) = world.psp.refunds
        world.pass_time(days=2)
        world.psp.say_of_refund(reference, RefundStatus.FAILED)
        tell(world, payment_id)
        # 18 days were left when it ended, and begin again now
        assert said(world) == (True, "paid", "2026-03-02T09:00:00Z")
        events = ["subscription.activated", "subscription.canceled", "subscription.activated"]
        assert told(world, "subscription") == events

    def test_and_succeeds_after_all_ends_it_again(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        refund(world, payment_id)
        (reference,) = world.psp.refunds
        for status in (RefundStatus.FAILED, RefundStatus.SUCCEEDED):
            world.psp.say_of_refund(reference, status)
            world.pass_time(hours=1)
            tell(world, payment_id)
            assert said(world)[0] is (status is RefundStatus.FAILED)


class TestDispute:
    def dispute(self, world: World, payment_id: str, status: DisputeStatus) -> None:
        world.psp.dispute(payment_id, MONTHLY, status)
        tell(world, payment_id)

    def test_takes_access_while_it_is_open(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        world.pass_time(days=10)
        self.dispute(world, payment_id, DisputeStatus.OPEN)
        after = read(world, payment_id)
        assert (after["status"], after["amount_refunded"]) == ("disputed", 0)
        assert [each["status"] for each in after["disputes"]] == ["open"]
        assert said(world)[:2] == (False, "disputed")
        assert books(world) == {"disputes": 150_000, "app": -150_000}

    def test_that_is_won_gives_back_the_time(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        world.pass_time(days=10)
        self.dispute(world, payment_id, DisputeStatus.OPEN)
        world.pass_time(days=60)
        self.dispute(world, payment_id, DisputeStatus.WON)
        assert status_of(world, payment_id) == "succeeded"
        end = (world.now + timedelta(days=18)).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert said(world) == (True, "paid", end)
        assert books(world) == {"psp": 150_000, "app": -150_000}
        assert told(world, "payment").count("payment.disputed") == 2

    @pytest.mark.parametrize("comes_back", ["by_paying", "by_subscribing"])
    def test_that_is_won_gives_back_the_time_also_to_who_had_canceled_and_came_back(
        self, world: World, comes_back: str
    ) -> None:
        payment_id = paid(world, PLAN)
        assert put(world, "cancel", subscription(world)["id"]).status == 200
        world.pass_time(days=10)
        self.dispute(world, payment_id, DisputeStatus.OPEN)
        assert said(world)[:2] == (False, "disputed")
        world.pass_time(days=5)
        if comes_back == "by_subscribing":
            assert subscribe(world).status == 200
        paid(world, PLAN, "k-2")
        assert said(world) == (True, "paid", "2026-03-15T09:00:00Z")
        world.pass_time(days=5)
        self.dispute(world, payment_id, DisputeStatus.WON)
        assert said(world) == (True, "paid", "2026-04-02T09:00:00Z")  # the 18 days besides
        assert world.rows("SELECT count(*) FROM subscriptions") == [(1,)]

    def test_of_one_of_two_payments_lets_who_left_with_time_to_spare_come_back(
        self, world: World
    ) -> None:
        first = paid(world, PLAN)
        paid(world, PLAN, "k-2")
        self.dispute(world, first, DisputeStatus.OPEN)
        assert put(world, "cancel", subscription(world)["id"], {"at": "now"}).status == 200
        world.pass_time(days=1)
        assert said(world)[:2] == (False, "expired")
        comes_back = subscribe(world).json
        assert comes_back["pay_url"] is not None
        assert subscribe(world).json["pay_url"] == comes_back["pay_url"]
        paid(world, PLAN, "k-3")
        assert said(world)[:2] == (True, "paid")

    def test_that_is_lost_keeps_it(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        self.dispute(world, payment_id, DisputeStatus.OPEN)
        self.dispute(world, payment_id, DisputeStatus.LOST)
        assert status_of(world, payment_id) == "disputed"
        assert said(world)[:2] == (False, "disputed")
        refused = refund(world, payment_id)
        assert (refused.status, refused.json["code"]) == (409, "not_refundable")

    def test_told_again_takes_effect_once(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        for _ in range(3):
            self.dispute(world, payment_id, DisputeStatus.OPEN)
            world.pass_time(hours=1)
        assert told(world, "payment").count("payment.disputed") == 1
        assert world.rows("SELECT count(*) FROM disputes") == [(1,)]

    def test_of_more_than_was_taken_takes_what_was(self, world: World) -> None:
        payment_id = paid(world, PLAN)
        world.psp.dispute(payment_id, Money(150_001, "KES"), DisputeStatus.OPEN)
        tell(world, payment_id)
        assert read(world, payment_id)["status"] == "disputed"
        assert said(world)[0] is False
        assert world.rows("SELECT amount_minor FROM disputes") == [(150_000,)]
