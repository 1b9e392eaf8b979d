"""A fifth PSP is one file and one line: here they are added, and a payment goes through."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.local.standin.serving import Server
from tests.psp.toy import ToyStandIn, sign
from tests.world import Answer, World
from tollgate.operations.context import Context
from tollgate.psp import REGISTRY

SECRET = "signs-toys"
PLAN = {"client_id": "client-1", "plan": "monthly", "psp": "toy"}


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch, world: World) -> Iterator[ToyStandIn]:
    """The line in the registry, its settings, and the stand-in."""
    monkeypatch.setitem(REGISTRY, "toy", "tests.psp.toy:Toy")
    server, stand_in = Server(), ToyStandIn()
    server.app = stand_in.app
    values = {"TOY_API_URL": server.url, "TOY_SECRET": SECRET}
    settings = replace(world.settings, psp_values=values)
    usual, world.context = world.context, Context.open(settings, now=lambda: world.now)
    yield stand_in
    world.context.database.close()
    world.context.cache.close()
    world.context = usual
    server.stop()


def create(world: World, **more: Any) -> Answer:
    return world.call("payments/create", body=PLAN | more, headers={"idempotency-key": "k-1"})


def tell(world: World, bill: str, signature: str | None = None) -> Answer:
    body = json.dumps({"id": "e-1", "bill": bill}).encode()
    headers = {"toy-signature": signature or sign(SECRET.encode(), body)}
    return world.call("webhook/receive", path="/toy", body=body, headers=headers)


def is_active(world: World) -> bool:
    active: bool = world.call("subscriptions/check", method="GET", path="/client-1").json["active"]
    return active


def test_a_payment_goes_through_it(world: World, toy: ToyStandIn) -> None:
    payment = create(world).json
    assert payment["next_action"]["url"] == f"https://toy.example/{payment['id']}"
    toy.bills[payment["id"]]["state"] = "paid"
    assert tell(world, payment["id"]).json == {"received": True}
    assert is_active(world)
    answer = world.call(
        "payments/refund",
        path=f"/{payment['id']}",
        body=b"{}",
        headers={"idempotency-key": "r-1"},
    )
    assert (answer.status, answer.json["status"]) == (201, "succeeded")
    assert toy.bills[payment["id"]]["refunds"] == {answer.json["id"]: "1500.00"}


def test_its_capabilities_are_kept_to(world: World, toy: ToyStandIn) -> None:
    answer = create(world, method="mpesa")
    assert (answer.status, answer.json["code"]) == (422, "unsupported_method")
    assert toy.bills == {}


def test_a_state_that_it_does_not_know_is_no_success(world: World, toy: ToyStandIn) -> None:
    payment = create(world).json
    toy.bills[payment["id"]]["state"] = "probably paid"
    assert tell(world, payment["id"]).status == 503
    assert not is_active(world)


def test_what_it_did_not_sign_is_refused(world: World, toy: ToyStandIn) -> None:
    payment = create(world).json
    toy.bills[payment["id"]]["state"] = "paid"
    assert tell(world, payment["id"], sign(b"another", b"{}")).status == 400
    assert world.rows("SELECT status FROM payments") == [("requires_action",)]
