"""One payment with what became of it: its refunds, its disputes, its timeline."""

from typing import Any

from tests.callers import token_of
from tests.operations.paying import (
    AMOUNT,
    PLAN,
    cancel,
    capture,
    moved,
    paid,
    read,
    reconcile,
    refund,
    tell,
)
from tests.world import MONTHLY, World
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Role


def moments(payment: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["what"], each["by"]) for each in payment["timeline"]]


def test_the_timeline_tells_what_happened_and_by_whom(world: World) -> None:
    payment_id = paid(world)
    world.pass_time(minutes=5)
    given = refund(world, payment_id, {"amount": 100}).json
    world.psp.refund_there(payment_id, Money(200, "KES"))
    world.pass_time(minutes=5)
    tell(world, payment_id)
    after = read(world, payment_id)
    assert moments(after) == [
        ("payment.created", "app"),
        ("payment.requires_action", "app"),
        ("payment.succeeded", "psp"),
        ("refund.created", "app"),
        ("refund.succeeded", "app"),
        ("payment.partially_refunded", "app"),
        ("refund.succeeded", "psp"),
        ("payment.partially_refunded", "psp"),
    ]
    assert [each["at"] for each in after["timeline"]] == sorted(
        each["at"] for each in after["timeline"]
    )
    assert after["timeline"][3]["object_id"] == given["id"]
    assert {each["object_id"] for each in after["timeline"]} == {
        payment_id,
        *(each["id"] for each in after["refunds"]),
    }


def test_it_tells_what_was_asked_for(world: World) -> None:
    payment_id = moved(world, PaymentStatus.AUTHORIZED, AMOUNT | {"capture": "manual"})
    capture(world, payment_id)
    asked = moments(read(world, payment_id))
    assert asked[-2:] == [("payment.capture_asked", "app"), ("payment.succeeded", "app")]
    other = moved(world, PaymentStatus.AUTHORIZED, AMOUNT | {"capture": "manual"}, "k-2")
    cancel(world, other)
    assert ("payment.cancel_asked", "app") in moments(read(world, other))


def test_what_reconcile_and_readers_found_is_by_tollgate(world: World) -> None:
    found = moved(world, PaymentStatus.REQUIRES_ACTION)
    also = moved(world, PaymentStatus.REQUIRES_ACTION, key="k-2")
    world.psp.status = PaymentStatus.SUCCEEDED
    world.pass_time(seconds=20)
    assert moments(read(world, found))[-1] == ("payment.succeeded", "tollgate")
    world.pass_time(minutes=5)
    reconcile(world)
    assert moments(read(world, also))[-1] == ("payment.succeeded", "tollgate")


def test_it_names_no_key_and_no_operator(world: World) -> None:
    payment = read(world, paid(world))
    key_id = world.app.key.split("_")[2]
    assert key_id not in str(payment)
    assert {"actor", "before", "after"}.isdisjoint(payment["timeline"][0])


def test_refunds_and_disputes_are_told_with_the_payment(world: World) -> None:
    payment_id = paid(world, PLAN)
    assert (read(world, payment_id)["refunds"], read(world, payment_id)["disputes"]) == ([], [])
    given = refund(world, payment_id, {"amount": 100, "reason": "Late"}).json
    world.pass_time(seconds=1)
    more = refund(world, payment_id, {"amount": 200}, "r-2").json
    world.psp.dispute(payment_id, MONTHLY, DisputeStatus.OPEN)
    tell(world, payment_id)
    after = read(world, payment_id)
    assert after["refunds"] == [given, more]
    ((dispute),) = after["disputes"]
    assert (dispute["object"], dispute["amount"], dispute["status"]) == ("dispute", 150_000, "open")
    assert moments(after)[-2:] == [("dispute.open", "psp"), ("payment.disputed", "psp")]


class TestWhoSees:
    def test_a_client_its_own_payment_and_refunds_without_the_timeline(self, world: World) -> None:
        payment_id = paid(world)
        refund(world, payment_id, {"amount": 100})
        token = token_of(world, world.app.key, Role.CLIENT, "client-1")
        seen = read(world, payment_id, key=token)
        of_app = read(world, payment_id)
        assert seen["refunds"] == of_app["refunds"] and len(seen["refunds"]) == 1
        assert (seen["timeline"], seen["amount_refunded"]) == ([], 100)
        assert {**seen, "timeline": of_app["timeline"]} == of_app

    def test_no_other_client_and_no_other_app(self, world: World) -> None:
        payment_id = paid(world)
        refund(world, payment_id)
        stranger = token_of(world, world.app.key, Role.CLIENT, "client-2")
        for key in (stranger, world.other_app.key):
            answer = world.call("payments/get", method="GET", path=f"/{payment_id}", key=key)
            assert (answer.status, answer.json["code"]) == (404, "not_found")

    def test_an_operator_all_of_it(self, world: World) -> None:
        payment_id = paid(world)
        assert read(world, payment_id, key=world.seed.admin_key) == read(world, payment_id)


def test_a_psp_that_is_down_leaves_what_is_known(world: World) -> None:
    payment_id = moved(world, PaymentStatus.REQUIRES_ACTION)

    def down(_: str) -> None:
        raise PspUnavailable

    world.psp.on_fetch = down
    world.pass_time(minutes=1)
    assert read(world, payment_id)["status"] == "requires_action"
