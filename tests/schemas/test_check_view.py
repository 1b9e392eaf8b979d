"""The check builds its answer without pydantic: it must still be what CheckView says."""

from typing import Any

from tests.world import START, World
from tollgate.domain.payment import PaymentStatus
from tollgate.schemas.subscriptions import CheckView


def check(world: World, query: str = "") -> dict[str, Any]:
    answer = world.call("subscriptions/check", method="GET", path="/client-1", query=query)
    assert answer.status == 200
    # strict about fields: CheckView itself lets more pass, as an app's client should
    assert set(answer.json) == set(CheckView.model_fields)
    view = CheckView.model_validate_json(answer.body)
    assert view.model_dump(mode="json") == answer.json
    return answer.json


def pay(world: World) -> str:
    request = {"client_id": "client-1", "plan": "monthly"}
    answer = world.call("payments/create", body=request, headers={"idempotency-key": "k-1"})
    payment_id: str = answer.json["id"]
    return payment_id


def test_nobody_we_know(world: World) -> None:
    answer = check(world)
    assert (answer["active"], answer["reason"], answer["status"]) == (
        False,
        "never_subscribed",
        None,
    )
    assert check(world, query="product=pro")["product"] == "pro"


def test_a_payment_under_way(world: World) -> None:
    pay(world)
    answer = check(world)
    assert (answer["active"], answer["reason"]) == (False, "payment_pending")
    assert answer["pay_url"].startswith("https://psp.example/")


def test_paid_from_each_source_until_it_is_over(world: World) -> None:
    pay(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    world.pass_time(seconds=10)
    answers = [check(world)]
    answers.append(check(world))
    world.context.cache._ask("FLUSHALL")
    answers.append(check(world))
    assert [answer["source"] for answer in answers] == ["psp", "cache", "database"]
    for answer in answers:
        assert (answer["active"], answer["reason"], answer["status"]) == (True, "paid", "active")
        assert (answer["product"], answer["plan"]) == ("pro", "monthly")
        assert answer["paid_through"] == "2026-02-28T09:00:10Z"
    world.pass_time(days=40)
    answer = check(world)
    assert (answer["active"], answer["reason"], answer["status"]) == (False, "expired", "expired")


def test_instants_are_in_utc_with_a_z(world: World) -> None:
    assert check(world)["as_of"] == START.isoformat().replace("+00:00", "Z")
