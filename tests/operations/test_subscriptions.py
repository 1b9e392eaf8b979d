"""Making a subscription: one live one for a client and product, one trial for life."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.seed import operators_context
from tests.operations.test_access import check, pay
from tests.world import Answer, World
from tollgate.domain.billing import Unit
from tollgate.operations import plans
from tollgate.operations.context import Call
from tollgate.schemas.plans import CreatePlan, IntervalFields, PriceFields


@pytest.fixture(autouse=True)
def _plans(world: World) -> None:
    """Plans besides the seeded one of product `pro`: one with a trial, one of another product."""
    operator = operators_context(world.stores.owner_url, world.now)
    for code, product, unit, trial_days in (
        ("yearly", world.product, Unit.YEAR, 0),
        ("tried", world.product, Unit.MONTH, 7),
        ("other", "courses", Unit.MONTH, 7),
    ):
        plan = CreatePlan(
            app_id=world.app.id,
            code=code,
            product=product,
            interval=IntervalFields(unit=unit),
            trial_days=trial_days,
            prices=[PriceFields(amount=150_000, currency="KES")],
        )
        plans.create_plan(operator, Call.by_operator("test", body=plan))
    operator.database.close()


def create(world: World, plan: str = "monthly", client_id: str = "client-1", **more: Any) -> Answer:
    return world.call("subscriptions/create", body={"client_id": client_id, "plan": plan}, **more)


def cancel(world: World, subscription_id: str) -> None:
    world.rows(
        "UPDATE subscriptions SET cancel_at = %s WHERE id = %s RETURNING id",
        world.now,
        subscription_id,
    )


def told(world: World, subscription_id: str) -> list[tuple[Any, ...]]:
    return world.rows(
        """SELECT app_id, type, sequence, data ->> 'plan', data ->> 'client_id' FROM outbox
           WHERE aggregate_id = %s ORDER BY sequence""",
        subscription_id,
    )


class TestMaking:
    def test_the_first_is_made_and_found_after(self, world: World) -> None:
        first = create(world)
        assert first.status == 201
        made = first.json
        assert made["id"].startswith("sub_")
        assert made["pay_url"].startswith(f"{world.settings.public_url}/payments/pay/bil_")
        assert {**made, "id": "", "pay_url": ""} == {
            "id": "",
            "pay_url": "",
            "object": "subscription",
            "client_id": "client-1",
            "product": "pro",
            "plan": "monthly",
            "next_plan": None,
            "status": "incomplete",
            "paid_through": None,
            "trial_end": None,
            "grace_until": None,
            "paused_at": None,
            "resumes_at": None,
            "cancel_at": None,
            "currency": None,
            "renewal": {
                "method": None,
                "hour": 9,
                "time_zone": "Africa/Nairobi",
                "language": "en",
            },
            "livemode": False,
            "created_at": "2026-01-31T09:00:00Z",
            "updated_at": "2026-01-31T09:00:00Z",
        }
        world.pass_time(days=1)
        again = create(world)
        assert (again.status, again.json) == (200, made)

    def test_it_gives_no_access_before_it_is_paid(self, world: World) -> None:
        create(world)
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (False, "never_subscribed")
        assert answer["status"] == "incomplete"

    def test_a_payment_of_its_plan_gives_access(self, world: World) -> None:
        subscription_id = create(world).json["id"]
        pay(world)
        answer = check(world)
        assert (answer["active"], answer["subscription_id"]) == (True, subscription_id)
        again = create(world)
        assert (again.status, again.json["status"]) == (200, "active")
        assert again.json["paid_through"] == "2026-02-28T09:00:00Z"

    def test_is_told_and_audited_once(self, world: World) -> None:
        subscription_id = create(world).json["id"]
        create(world)
        assert told(world, subscription_id) == [
            (world.app.id, "subscription.created", 1, "monthly", "client-1")
        ]
        assert world.rows(
            "SELECT app_id, actor, action, after ->> 'plan' FROM audit_log WHERE object_id = %s",
            subscription_id,
        ) == [
            (
                world.app.id,
                f"key:{world.app.key.split('_')[2]}",
                "subscription.created",
                "monthly",
            )
        ]

    def test_clients_apps_and_products_have_their_own(self, world: World) -> None:
        ids = {
            create(world).json["id"],
            create(world, client_id="client-2").json["id"],
            create(world, plan="other").json["id"],
            create(world, key=world.other_app.key).json["id"],
        }
        assert len(ids) == 4

    def test_thirty_at_once_make_one(self, world: World) -> None:
        def attempt(_: int) -> tuple[int, str]:
            context = world.new_context()
            try:
                answer = create(world, plan="tried", context=context)
            finally:
                context.database.close()
                context.cache.close()
            return answer.status, answer.json["id"]

        with ThreadPoolExecutor(15) as pool:
            answers = list(pool.map(attempt, range(30)))
        assert Counter(status for status, _ in answers) == {201: 1, 200: 29}
        assert len({subscription_id for _, subscription_id in answers}) == 1
        assert world.rows("SELECT count(*) FROM subscriptions") == [(1,)]
        assert len(told(world, answers[0][1])) == 1

    def test_without_redis_it_is_the_same(self, world: World) -> None:
        context = world.new_context(redis_url="redis://127.0.0.1:1/0")
        assert create(world, context=context).status == 201
        assert create(world, context=context).status == 200
        context.database.close()


class TestRefusals:
    @pytest.mark.parametrize("plan", ["unknown", "pro"])
    def test_a_plan_the_app_does_not_have(self, world: World, plan: str) -> None:
        answer = create(world, plan=plan)
        assert (answer.status, answer.json["code"]) == (422, "unknown_plan")

    def test_a_plan_of_another_app(self, world: World) -> None:
        answer = create(world, plan="yearly", key=world.other_app.key)
        assert (answer.status, answer.json["code"]) == (422, "unknown_plan")

    @pytest.mark.parametrize(
        "body",
        [
            {"client_id": "client-1"},
            {"plan": "monthly"},
            {"client_id": "", "plan": "monthly"},
            {"client_id": "a/b", "plan": "monthly"},
            {"client_id": "c" * 129, "plan": "monthly"},
            {"client_id": 7, "plan": "monthly"},
            {"client_id": "client-1", "plan": "Monthly!"},
            {"client_id": "client-1", "plan": "monthly", "trial_days": 30},
            {"client_id": "client-1", "plan": None},
        ],
    )
    def test_fields_that_do_not_fit(self, world: World, body: dict[str, Any]) -> None:
        answer = world.call("subscriptions/create", body=body)
        assert (answer.status, answer.json["code"]) == (422, "invalid_fields")

    def test_leave_nothing_behind(self, world: World) -> None:
        create(world, plan="unknown")
        assert world.rows("SELECT 1 FROM clients") == []

    def test_an_operator_has_no_clients(self, world: World) -> None:
        assert create(world, key=world.seed.admin_key).status == 403


class TestTrial:
    def test_gives_access_at_once_and_ends(self, world: World) -> None:
        made = create(world, plan="tried").json
        assert (made["status"], made["trial_end"]) == ("trialing", "2026-02-07T09:00:00Z")
        world.pass_time(days=7, seconds=-1)
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (True, "trial")
        world.pass_time(seconds=1)
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (False, "expired")

    def test_is_given_once_for_a_client_and_product(self, world: World) -> None:
        first = create(world, plan="tried").json
        cancel(world, first["id"])
        again = create(world, plan="tried")
        assert (again.status, again.json["trial_end"]) == (201, None)
        assert again.json["status"] == "incomplete"
        assert check(world)["active"] is False

    def test_is_not_given_by_asking_again(self, world: World) -> None:
        first = create(world, plan="tried").json
        world.pass_time(days=8)
        again = create(world, plan="tried")
        assert (again.status, again.json["trial_end"]) == (200, first["trial_end"])
        assert again.json["status"] == "expired"

    def test_is_not_given_by_going_over_to_its_plan(self, world: World) -> None:
        create(world)
        moved = create(world, plan="tried").json
        assert (moved["plan"], moved["trial_end"]) == ("tried", None)

    def test_of_another_product_is_given_too(self, world: World) -> None:
        create(world, plan="tried")
        assert create(world, plan="other").json["status"] == "trialing"
        assert create(world, plan="tried", client_id="client-2").json["status"] == "trialing"


class TestAnotherPlan:
    def test_takes_effect_when_it_is_paid_for(self, world: World) -> None:
        pay(world)
        before = create(world).json
        world.pass_time(days=1)
        moved = create(world, plan="yearly")
        assert (moved.status, moved.json) == (
            200,
            {**before, "next_plan": "yearly", "updated_at": "2026-02-01T09:00:00Z"},
        )
        assert (check(world)["plan"], check(world)["paid_through"]) == (
            "monthly",
            "2026-02-28T09:00:00Z",
        )

        body = {"client_id": "client-1", "plan": "yearly"}
        payment = world.call("payments/create", body=body, headers={"idempotency-key": "k-2"})
        world.call("payments/get", method="GET", path=f"/{payment.json['id']}")
        answer = check(world)
        assert (answer["plan"], answer["paid_through"]) == ("monthly", "2027-02-28T09:00:00Z")
        assert create(world, plan="yearly").json["next_plan"] == "yearly"
        world.pass_time(days=28)
        assert (check(world)["plan"], check(world)["active"]) == ("yearly", True)
        standing = create(world, plan="yearly").json
        assert (standing["plan"], standing["next_plan"]) == ("yearly", None)

    def test_takes_effect_at_once_when_nothing_runs(self, world: World) -> None:
        create(world)
        moved = create(world, plan="yearly").json
        assert (moved["plan"], moved["next_plan"]) == ("yearly", None)

    def test_can_be_taken_back(self, world: World) -> None:
        pay(world)
        create(world, plan="yearly")
        back = create(world).json
        assert (back["plan"], back["next_plan"]) == ("monthly", None)

    def test_is_told_and_audited(self, world: World) -> None:
        subscription_id = create(world).json["id"]
        create(world, plan="yearly")
        create(world, plan="yearly")
        assert [row[1:4] for row in told(world, subscription_id)] == [
            ("subscription.created", 1, "monthly"),
            ("subscription.plan_changed", 2, "yearly"),
        ]
        assert world.rows(
            "SELECT action, after ->> 'plan' FROM audit_log WHERE object_id = %s ORDER BY id",
            subscription_id,
        ) == [("subscription.created", "monthly"), ("subscription.plan_changed", "yearly")]


class TestCanceled:
    def test_is_ended_and_replaced(self, world: World) -> None:
        first = create(world).json["id"]
        cancel(world, first)
        second = create(world)
        assert second.status == 201 and second.json["id"] != first
        assert dict(world.rows("SELECT id, ended_at FROM subscriptions")) == {
            first: world.now,
            second.json["id"]: None,
        }
        assert [row[1] for row in told(world, second.json["id"])] == ["subscription.created"]

    def test_gives_its_paid_time_no_more(self, world: World) -> None:
        pay(world)
        cancel(world, create(world).json["id"])
        create(world)
        answer = check(world)
        assert (answer["active"], answer["status"]) == (False, "incomplete")

    def test_that_still_runs_is_live(self, world: World) -> None:
        pay(world)
        subscription_id = create(world).json["id"]
        world.rows(
            "UPDATE subscriptions SET cancel_at = paid_through WHERE id = %s RETURNING 1",
            subscription_id,
        )
        again = create(world)
        assert (again.status, again.json["id"]) == (200, subscription_id)
        assert again.json["cancel_at"] == "2026-02-28T09:00:00Z"

    def test_can_be_replaced_again_and_again(self, world: World) -> None:
        for _ in range(3):
            answer = create(world)
            assert answer.status == 201
            cancel(world, answer.json["id"])
        assert world.rows("SELECT count(*) FROM subscriptions WHERE ended_at IS NULL") == [(1,)]
