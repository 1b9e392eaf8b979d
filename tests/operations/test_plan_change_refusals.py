"""Changes of plan that are refused, and leave everything as it was."""

from typing import Any

import pytest

from tests.operations.paying import PLAN, everything, paid
from tests.operations.subscribing import add_plan, put, subscribe, subscription
from tests.operations.test_cancellation import is_refused
from tests.operations.test_plan_changes import change
from tests.world import World


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


@pytest.mark.parametrize("proration", [None, "credit", "charge_now", "none"])
def test_before_anything_is_done(world: World, subscription_id: str, proration: str | None) -> None:
    add_plan(world, "films", product="films")
    add_plan(world, "dollars", prices=[{"amount": 100, "currency": "USD"}])
    add_plan(world, "old")
    key, query = world.seed.admin_key, f"app_id={world.app.id}"
    gone = world.call("admin/plans", method="DELETE", path="/old", query=query, key=key)
    assert gone.status == 200, gone.body
    before = everything(world)
    more = {"proration": proration} if proration else {}
    for plan, status, code in (
        ("monthly", 422, "same_plan"),
        ("films", 422, "other_product"),
        ("old", 422, "unknown_plan"),
        ("unknown", 422, "unknown_plan"),
        ("dollars", 422, "plan_not_priced"),
    ):
        answer = change(world, subscription_id, plan, **more)
        assert (plan, answer.status, answer.json["code"]) == (plan, status, code)
    assert everything(world) == before


def test_bodies_that_do_not_fit(world: World, subscription_id: str) -> None:
    before = everything(world)
    bodies: tuple[Any, ...] = (
        {},
        {"plan": None},
        {"plan": ""},
        {"plan": "Gold"},
        {"plan": "../gold"},
        {"plan": "gold\x00"},
        {"plan": "góld"},
        {"plan": "g" * 10_000},
        {"plan": ["gold"]},
        {"plan": "gold", "proration": "free"},
        {"plan": "gold", "proration": None, "now": True},
        {"plan": "gold", "client_id": "client-2"},
        b"",
        b"null",
        b'{"plan": "gold", "plan": "x',
    )
    for body in bodies:
        answer = put(world, "change", subscription_id, body)
        assert is_refused(answer, 400, 422), (body, answer.body)
    assert everything(world) == before


def test_of_what_changes_already(world: World, subscription_id: str) -> None:
    change(world, subscription_id, proration="none")
    assert change(world, subscription_id).json["code"] == "same_plan"
    paid(world, PLAN | {"plan": "gold"}, "k-2")
    for proration in ("credit", "charge_now", "none"):
        answer = change(world, subscription_id, "monthly", proration=proration)
        assert (answer.status, answer.json["code"]) == (409, "not_changeable")


@pytest.mark.parametrize(("plan", "amount"), [("cheap", 1), ("dear", 999_999_999_999)])
def test_of_time_that_no_calendar_holds(
    world: World, subscription_id: str, plan: str, amount: int
) -> None:
    add_plan(world, plan, amount)
    world.pass_time(days=20, seconds=-1)
    if plan == "cheap":
        paid(world, PLAN, "k-2")
    assert subscription(world)["status"] == "active"
    before = everything(world)
    answer = change(world, subscription_id, plan)
    assert (answer.status, answer.json["code"]) == (409, "not_changeable")
    assert everything(world) == before
    assert change(world, subscription_id, plan, proration="none").status == 200


@pytest.mark.parametrize("proration", [None, "credit", "charge_now", "none"])
@pytest.mark.parametrize("wish", ["pause", "cancel", "leave"])
def test_of_what_stands_still_or_ends(
    world: World, subscription_id: str, wish: str, proration: str | None
) -> None:
    function, body = ("cancel", {"at": "now"}) if wish == "leave" else (wish, None)
    put(world, function, subscription_id, body)
    before = everything(world)
    answer = change(world, subscription_id, **({"proration": proration} if proration else {}))
    assert (answer.status, answer.json["code"]) == (409, "not_changeable")
    assert everything(world) == before


def test_of_what_another_one_replaced(world: World, subscription_id: str) -> None:
    put(world, "cancel", subscription_id, {"at": "now"})
    assert subscribe(world).status == 201
    assert change(world, subscription_id).json["code"] == "not_changeable"


def test_of_a_plan_of_another_app(world: World, subscription_id: str) -> None:
    theirs = {
        "app_id": world.other_app.id,
        "code": "theirs",
        "product": world.product,
        "interval": {"unit": "month"},
        "prices": [{"amount": 1, "currency": "KES"}],
    }
    assert world.call("admin/plans", body=theirs, key=world.seed.admin_key).status == 201
    assert change(world, subscription_id, "theirs").json["code"] == "unknown_plan"


def test_of_what_lapsed_in_another_currency(world: World) -> None:
    """It is asked for in what it was paid in: the other plan has no price in that."""
    paid(world, PLAN | {"currency": "USD"})
    subscription_id = subscription(world)["id"]
    for passed in (1, 40):
        world.pass_time(days=passed)
        assert subscription(world)["plan"] == "monthly"
        before = everything(world)
        assert change(world, subscription_id).json["code"] == "plan_not_priced"
        assert everything(world) == before
