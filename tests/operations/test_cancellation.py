"""An end that is asked for: with the period, now, or not after all; and whoever may not ask."""

from typing import Any

import pytest

from tests.callers import token_of
from tests.operations.paying import PLAN, create, everything, paid, refund, tell
from tests.operations.subscribing import (
    add_plan,
    bills,
    days,
    keep_card,
    put,
    renew,
    subscribe,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.world import World
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Role

HOSTILE = (
    "sub_unknown",
    "sub_0123456789abcdef",
    "pay_0123456789abcdef",
    "sub_",
    "SUB_1",
    "..",
    "../admin/keys",
    "%2e%2e",
    "%2e%2e%2f",
    "%00",
    "sub_1%00",
    "sub_1/../x",
    "sub_1'--",
    "sub_é",
    "%f0%9f%92%a9",
    "sub_" + "a" * 10_000,
    "null",
    " ",
    "~",
)
BAD_BODIES: tuple[Any, ...] = (
    {"at": "soon"},
    {"at": None},
    {"at": 7},
    {"at": "now", "refund": True},
    {"cancel_at": "2026-02-01T00:00:00Z"},
    b"[]",
    "now",
    b"{",
    b"\xff\xfe",
    b'{"at": "now"' + b" " * 70_000 + b"}",
    b'{"at": "\\u0000"}',
)
CHANGES = ("cancel", "pause", "resume", "change")
BODIES = {"cancel": {"at": "now"}, "pause": {}, "resume": None, "change": {"plan": "monthly"}}


def is_refused(answer: Any, *statuses: int) -> bool:
    """Whether this is a problem document of the caller's own making."""
    is_problem = answer.headers["content-type"].startswith("application/problem+json")
    expected = statuses or tuple(range(400, 500))
    return is_problem and answer.status in expected and answer.json["status"] == answer.status


class TestAtPeriodEnd:
    def test_without_a_body_it_ends_with_what_is_paid(self, world: World) -> None:
        paid(world, PLAN)
        made = subscription(world)
        canceled = put(world, "cancel", made["id"])
        assert canceled.status == 200
        assert canceled.json["cancel_at"] == made["paid_through"] == "2026-02-28T09:00:00Z"
        assert (canceled.json["status"], canceled.json["pay_url"]) == ("active", None)
        assert check(world)["reason"] == "canceled_but_paid"
        days(world, 28)
        assert (check(world)["status"], check(world)["active"]) == ("canceled", False)
        assert told_of(world, made["id"]) == ["activated", "canceled", "expired"]

    def test_of_a_trial_it_ends_with_that(self, world: World) -> None:
        add_plan(world, "tried", trial_days=7)
        made = subscribe(world, plan="tried").json
        assert put(world, "cancel", made["id"], {"at": "period_end"}).json["status"] == "trialing"
        world.pass_time(days=7)
        assert check(world)["status"] == "canceled"

    def test_of_one_that_gives_nothing_it_ends_at_once(self, world: World) -> None:
        made = subscribe(world).json
        assert made["pay_url"]
        canceled = put(world, "cancel", made["id"])
        assert (canceled.json["status"], canceled.json["pay_url"]) == ("canceled", None)
        assert bills(world) == [("void", "monthly", 150_000)]

    def test_of_a_paused_one_it_ends_when_its_time_does(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        world.pass_time(days=8)
        put(world, "pause", subscription_id)
        world.pass_time(days=30)
        canceled = put(world, "cancel", subscription_id)
        assert (canceled.status, canceled.json["status"]) == (200, "paused")
        resumed = put(world, "resume", subscription_id).json
        assert resumed["cancel_at"] == resumed["paid_through"] == "2026-03-30T09:00:00Z"

    def test_takes_no_money_and_gives_none_back(self, world: World) -> None:
        paid(world, PLAN)
        put(world, "cancel", subscription(world)["id"], {"at": "now"})
        assert world.psp.refund_orders == []
        assert world.rows("SELECT status FROM payments") == [("succeeded",)]


class TestNow:
    def test_ends_access_at_once(self, world: World) -> None:
        paid(world, PLAN)
        world.pass_time(days=3)
        canceled = put(world, "cancel", subscription(world)["id"], {"at": "now"}).json
        assert (canceled["status"], canceled["cancel_at"]) == ("canceled", "2026-02-03T09:00:00Z")
        assert (check(world)["active"], check(world)["reason"]) == (False, "expired")

    def test_is_allowed_after_a_cancellation_at_the_end(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        put(world, "cancel", subscription_id)
        assert put(world, "cancel", subscription_id, {"at": "now"}).json["status"] == "canceled"

    def test_makes_room_for_a_new_one(self, world: World) -> None:
        paid(world, PLAN)
        old = subscription(world)["id"]
        put(world, "cancel", old, {"at": "now"})
        made = subscribe(world)
        assert made.status == 201 and made.json["id"] != old
        assert put(world, "cancel", old, {"at": "never"}).status == 409
        for function in ("pause", "resume"):
            assert is_refused(put(world, function, old), 409)

    def test_while_a_charge_is_in_flight_gives_its_period_and_no_more(self, world: World) -> None:
        bank = keep_card(world)
        bank.charged = PaymentStatus.PROCESSING
        world.pass_time(days=27, hours=1)
        assert renew(world)["charged"] == 1
        left = subscription(world)["id"]
        assert put(world, "cancel", left, {"at": "now"}).json["status"] == "canceled"
        ((payment_id,),) = world.rows("SELECT id FROM payments WHERE status = 'processing'")
        assert tell(world, payment_id).status == 200
        paid_for = subscription(world)
        assert paid_for["id"] != left
        assert paid_for["cancel_at"] == paid_for["paid_through"] == "2026-03-27T10:00:00Z"
        days(world, 60)
        assert bank.charges == 1

    def test_what_the_client_pays_itself_after_all_is_a_new_one_that_goes_on(
        self, world: World
    ) -> None:
        paid(world, PLAN)
        put(world, "cancel", subscription(world)["id"], {"at": "now"})
        world.pass_time(seconds=1)
        paid(world, PLAN, "k-2")
        assert subscription(world)["cancel_at"] is None
        assert check(world)["reason"] == "paid"


class TestNever:
    def test_takes_it_back(self, world: World) -> None:
        paid(world, PLAN)
        before = subscription(world)
        put(world, "cancel", before["id"])
        back = put(world, "cancel", before["id"], {"at": "never"})
        assert (back.status, back.json) == (200, before)
        assert told_of(world, before["id"]) == ["activated", "canceled", "activated"]

    def test_brings_the_bill_back_that_was_open(self, world: World) -> None:
        paid(world, PLAN)
        days(world, 26)
        due = subscription(world)
        assert due["pay_url"]
        assert put(world, "cancel", due["id"]).json["pay_url"] is None
        put(world, "cancel", due["id"], {"at": "never"})
        renew(world)
        assert subscription(world)["pay_url"] == due["pay_url"]
        assert bills(world) == [("open", "monthly", 150_000)]

    def test_is_what_a_payment_by_the_client_says_too(self, world: World) -> None:
        paid(world, PLAN)
        put(world, "cancel", subscription(world)["id"])
        paid(world, PLAN, "k-2")
        assert subscription(world)["cancel_at"] is None

    @pytest.mark.parametrize("at", ["now", None])
    def test_without_an_end_ahead_is_refused(self, world: World, at: str | None) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        if at:
            put(world, "cancel", subscription_id, {"at": at})
        answer = put(world, "cancel", subscription_id, {"at": "never"})
        assert (answer.status, answer.json["code"]) == (409, "not_canceled")

    def test_after_the_end_is_refused(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        put(world, "cancel", subscription_id)
        world.pass_time(days=28)
        answer = put(world, "cancel", subscription_id, {"at": "never"})
        assert (answer.status, answer.json["code"]) == (409, "not_canceled")


class TestRefusals:
    @pytest.mark.parametrize("second", ["period_end", "now"])
    def test_twice(self, world: World, second: str) -> None:
        paid(world, PLAN)
        subscription_id = subscription(world)["id"]
        put(world, "cancel", subscription_id, {"at": second})
        before = everything(world)
        answer = put(world, "cancel", subscription_id, {"at": second})
        assert (answer.status, answer.json["code"]) == (409, "already_canceled")
        assert everything(world) == before

    @pytest.mark.parametrize(
        ("function", "body"),
        [
            ("cancel", {"at": "period_end"}),
            ("cancel", {"at": "now"}),
            ("cancel", {"at": "never"}),
            ("change", {"plan": "gold"}),
        ],
    )
    def test_what_is_over_is_followed_by_a_new_one(
        self, world: World, function: str, body: dict[str, str]
    ) -> None:
        paid(world, PLAN)
        add_plan(world, "gold", 300_000)
        subscription_id = subscription(world)["id"]
        put(world, "cancel", subscription_id, {"at": "now"})
        answer = put(world, function, subscription_id, body)
        assert answer.status == 409
        assert "create a new one" in answer.json["detail"].lower()
        assert subscribe(world).status == 201

    def test_bodies_that_do_not_fit(self, world: World) -> None:
        paid(world, PLAN)
        subscription_id, before = subscription(world)["id"], everything(world)
        for body in BAD_BODIES:
            answer = put(world, "cancel", subscription_id, body)
            assert is_refused(answer), (body, answer.body)
        assert everything(world) == before

    @pytest.mark.parametrize("function", CHANGES)
    def test_ids_that_are_none(self, world: World, function: str) -> None:
        paid(world, PLAN)
        before = everything(world)
        for hostile in HOSTILE:
            answer = put(world, function, hostile, BODIES[function])
            assert is_refused(answer, 400, 404), (hostile, answer.body)
            answer = world.call("subscriptions/get", method="GET", path=f"/{hostile}")
            assert is_refused(answer, 400, 404), (hostile, answer.body)
        assert everything(world) == before

    @pytest.mark.parametrize("function", CHANGES)
    def test_without_an_id(self, world: World, function: str) -> None:
        answer = world.call(f"subscriptions/{function}", method="PUT", body=BODIES[function])
        assert is_refused(answer), answer.body

    def test_by_another_app(self, world: World) -> None:
        paid(world, PLAN)
        mine, other, before = subscription(world)["id"], world.other_app.key, everything(world)
        for function in CHANGES:
            assert is_refused(put(world, function, mine, BODIES[function], key=other), 404)
        path = f"/{mine}"
        assert world.call("subscriptions/get", method="GET", path=path, key=other).status == 404
        listed = world.call("subscriptions/list", method="GET", key=other)
        assert listed.json["data"] == []
        assert everything(world) == before

    def test_by_a_client(self, world: World) -> None:
        paid(world, PLAN)
        mine, before = subscription(world)["id"], everything(world)
        for client_id in ("client-1", "client-2"):
            token = token_of(world, world.app.key, Role.CLIENT, client_id)
            for function in CHANGES:
                assert is_refused(put(world, function, mine, BODIES[function], key=token), 403)
        assert everything(world) == before


def test_a_client_sees_its_own_alone(world: World) -> None:
    paid(world, PLAN)
    paid(world, PLAN | {"client_id": "client-2"}, "k-2")
    token = token_of(world, world.app.key, Role.CLIENT, "client-1")
    for client, status in (("client-1", 200), ("client-2", 404)):
        path = f"/{subscription(world, client)['id']}"
        answer = world.call("subscriptions/get", method="GET", path=path, key=token)
        assert answer.status == status
    for query, seen in (("", ["client-1"]), ("client_id=client-2", [])):
        listed = world.call("subscriptions/list", method="GET", query=query, key=token)
        assert [each["client_id"] for each in listed.json["data"]] == seen


def test_a_refund_of_who_left_changes_no_end(world: World) -> None:
    payment_id = paid(world, PLAN)
    subscription_id = subscription(world)["id"]
    put(world, "cancel", subscription_id, {"at": "now"})
    world.pass_time(days=1)
    assert refund(world, payment_id).status == 201
    assert subscription(world)["status"] == "canceled"


def test_the_end_is_the_same_for_every_reader(world: World) -> None:
    paid(world, PLAN)
    put(world, "cancel", subscription(world)["id"])
    world.pass_time(days=28, seconds=-1)
    assert check(world)["active"]
    world.pass_time(seconds=1)
    without_redis = world.new_context(redis_url="redis://127.0.0.1:1/0")
    answers = [check(world), check(world, context=without_redis)]
    without_redis.database.close()
    assert [answer["active"] for answer in answers] == [False, False]
    assert subscription(world)["status"] == "canceled"


def test_an_end_is_no_end_of_what_was_not_paid_yet(world: World) -> None:
    """The client had the page open when its app canceled: its money buys its time, and goes on."""
    paid(world, PLAN)
    world.psp.status = PaymentStatus.REQUIRES_ACTION
    opened = create(world, PLAN, "k-2").json["id"]
    put(world, "cancel", subscription(world)["id"])
    world.psp.status = PaymentStatus.SUCCEEDED
    tell(world, opened)
    assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"
    assert subscription(world)["cancel_at"] is None
