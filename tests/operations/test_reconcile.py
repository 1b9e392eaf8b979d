"""Reconcile: what nobody waits for any more is settled, whoever died and however long it took."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    another_container,
    books,
    cancel,
    capture,
    create,
    die_at,
    down,
    moved,
    paid,
    read,
    reconcile,
    refund,
    status_of,
    tell,
    up,
)
from tests.operations.test_access import check
from tests.world import World
from tollgate.crash_points import CrashPoint
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.operations import reconcile as subject
from tollgate.operations.reconcile import BATCH, reconcile_payments


def due(world: World) -> list[Any]:
    rows = world.rows("SELECT next_check_at FROM payments ORDER BY id")
    return [at for (at,) in rows]


class TestDeadCallers:
    @pytest.mark.parametrize("point", [CrashPoint.CREATE_CLAIMED, CrashPoint.CREATE_STARTED])
    def test_a_create_is_finished_with_the_same_psp_key(
        self, world: World, point: CrashPoint
    ) -> None:
        payment_id = die_at(world, point)
        assert reconcile(world)["looked_at"] == 0  # its caller may be alive
        world.pass_time(seconds=31)
        report = reconcile(world)
        assert (report["looked_at"], report["unsettled"]) == (1, [])
        assert status_of(world, payment_id) == "requires_action"
        assert len(world.psp.opened) == 1
        answer = create(world, PLAN)  # reconcile is done with it
        assert (answer.status, answer.json["id"]) == (201, payment_id)
        assert answer.json["next_action"]["type"] == "redirect"
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(minutes=5)
        assert reconcile(world)["settled"] == 1
        assert check(world)["active"] is True

    def test_the_psp_gets_the_customer_that_was_sealed(self, world: World) -> None:
        customer = {"email": "amina@shop.example", "name": "Amina", "phone": "+254700000001"}
        die_at(world, CrashPoint.CREATE_CLAIMED, PLAN | {"customer": customer})
        world.pass_time(seconds=31)
        reconcile(world)
        (order,) = world.psp.starts
        assert vars(order.customer) == customer

    def test_a_payment_that_was_paid_though_nobody_told(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_STARTED)
        world.psp.capabilities = replace(world.psp.capabilities, idempotency_hours=0)
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(seconds=31)
        assert reconcile(world)["settled"] == 1
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True


class TestPspThatIsDown:
    def test_for_a_day_is_asked_ever_less_often_and_then_settles(self, world: World) -> None:
        payment_id = create(world, PLAN).json["id"]
        world.psp.on_fetch = down
        looks, until = [], world.now + timedelta(hours=20)
        while world.now < until:
            world.pass_time(minutes=1)
            report = reconcile(world)
            if report["looked_at"]:
                assert (report["unsettled"], report["settled"]) == ([payment_id], 0)
                looks.append(world.now)
        pauses = [(b - a).total_seconds() for a, b in pairwise(looks)]
        assert pauses[:7] == [60, 120, 240, 480, 960, 1920, 3600]
        assert set(pauses[7:]) == {3600}
        world.psp.on_fetch = up
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(hours=1)
        assert reconcile(world)["settled"] == 1
        assert (status_of(world, payment_id), due(world)) == ("succeeded", [None])
        assert check(world)["active"] is True

    def test_is_left_alone_after_three_failures_in_a_row(self, world: World) -> None:
        made = {create(world, AMOUNT, f"k-{number}").json["id"] for number in range(6)}
        world.psp.on_fetch = down
        world.pass_time(minutes=2)
        report = reconcile(world)
        assert (report["looked_at"], set(report["unsettled"])) == (3, made)
        assert (len(world.psp.fetches), report["due"]) == (3, 0)

    def test_is_named_in_the_log(self, world: World, capsys: pytest.CaptureFixture[str]) -> None:
        payment_id = create(world).json["id"]
        world.psp.on_fetch = down
        world.pass_time(minutes=2)
        reconcile(world)
        (line,) = [x for x in capsys.readouterr().out.splitlines() if "unsettled" in x][:1]
        assert payment_id in line and '"psp": "stripe"' in line and "psp_unavailable" in line

    def test_what_is_unknown_stays_unknown(self, world: World) -> None:
        world.psp.alter = lambda outcome: UNKNOWN
        payment_id = create(world).json["id"]
        world.pass_time(minutes=2)
        assert reconcile(world)["unsettled"] == [payment_id]
        assert status_of(world, payment_id) == "pending"


class TestExpiry:
    def test_a_page_that_nobody_paid_on_is_closed(self, world: World) -> None:
        payment_id = create(world).json["id"]
        world.pass_time(hours=23, minutes=9)
        reconcile(world)
        assert (status_of(world, payment_id), world.psp.cancels) == ("requires_action", [])
        world.pass_time(hours=1)
        reconcile(world)
        assert status_of(world, payment_id) == "expired"
        assert world.psp.cancels == [f"ref_{payment_id}"]

    def test_one_that_the_psp_never_had_ends_without_being_started(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_CLAIMED)
        world.pass_time(hours=24)
        assert reconcile(world)["settled"] == 1
        assert (status_of(world, payment_id), world.psp.starts) == ("expired", [])
        assert create(world, PLAN).json["status"] == "expired"

    def test_one_without_a_reference_that_was_paid_is_paid(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_STARTED)
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(hours=24)
        reconcile(world)
        assert (status_of(world, payment_id), check(world)["active"]) == ("succeeded", True)

    def test_one_that_is_paid_after_all_gives_its_period(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.EXPIRED, PLAN)
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        assert (status_of(world, payment_id), check(world)["active"]) == ("succeeded", True)

    def test_nothing_expires_while_the_psp_cannot_tell(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_CLAIMED)
        world.psp.on_find = down
        world.pass_time(days=3)
        assert reconcile(world)["unsettled"] == [payment_id]
        assert status_of(world, payment_id) == "pending"


class TestAskedAgain:
    def test_what_the_psp_never_got(self, world: World) -> None:
        captured = moved(world, PaymentStatus.AUTHORIZED, AMOUNT | {"capture": "manual"}, "a")
        world.psp.on_ask = down
        capture(world, captured, {"amount": 7_000})
        world.psp.on_ask = up
        world.pass_time(minutes=2)
        reconcile(world)
        assert read(world, captured)["amount_captured"] == 7_000
        world.psp.on_ask = down
        assert refund(world, captured, {"amount": 500}).status == 503
        world.psp.on_ask = up
        world.pass_time(minutes=2)
        reconcile(world)
        assert (read(world, captured)["amount_refunded"], due(world)) == (500, [None])
        assert books(world) == {"psp": 6_500, "app": -6_500}

    def test_a_cancellation(self, world: World) -> None:
        payment_id = create(world).json["id"]
        world.psp.on_ask = down
        cancel(world, payment_id)
        world.psp.on_ask = up
        world.pass_time(minutes=2)
        reconcile(world)
        assert (status_of(world, payment_id), due(world)) == ("canceled", [None])


class TestSlices:
    def test_two_at_once_never_share_a_payment(self, world: World) -> None:
        for number in range(30):
            create(world, AMOUNT | {"client_id": f"c-{number}"}, f"k-{number}")
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(minutes=2)
        together = threading.Barrier(4)

        def one() -> None:
            with another_container(world) as context:
                together.wait(timeout=20)
                reconcile_payments(context, lambda: True)

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(Counter(world.psp.fetches).values()) == {1}
        assert world.rows("SELECT status, count(*) FROM payments GROUP BY 1") == [("succeeded", 30)]
        assert books(world) == {"psp": 300_000, "app": -300_000}

    def test_it_stops_when_there_is_no_time(self, world: World) -> None:
        for number in range(5):
            create(world, AMOUNT, f"k-{number}")
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(minutes=2)
        left = iter([True, True, True, False, False])
        report = reconcile_payments(world.context, lambda: next(left))
        assert (report["looked_at"], report["settled"]) == (2, 2)
        assert reconcile_payments(world.context, lambda: False)["looked_at"] == 0
        world.pass_time(minutes=2)
        assert reconcile(world)["settled"] == 3

    def test_what_is_due_longest_comes_first_and_the_rest_is_told(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subject, "BATCH", 2)
        made = []
        for number in range(5):
            made.append(create(world, AMOUNT, f"k-{number}").json["id"])
            world.pass_time(seconds=1)
        world.pass_time(minutes=2)
        left = iter([True, True, True, False])
        report = reconcile_payments(world.context, lambda: next(left))
        assert (report["looked_at"], report["due"], BATCH) == (2, 3, 20)
        assert world.psp.fetches == [f"ref_{payment_id}" for payment_id in made[:2]]

    def test_one_that_cannot_be_looked_at_holds_up_no_other(self, world: World) -> None:
        first, second = (create(world, AMOUNT, key).json["id"] for key in ("a", "b"))
        world.psp.status = PaymentStatus.SUCCEEDED
        world.psp.on_fetch = lambda reference: down() if first in reference else None
        world.pass_time(minutes=2)
        report = reconcile(world)
        assert (report["settled"], report["unsettled"]) == (1, [first])
        assert status_of(world, second) == "succeeded"


def test_an_answer_that_does_not_match_needs_review_and_is_settled(world: World) -> None:
    payment_id = create(world, PLAN).json["id"]
    world.psp.status = PaymentStatus.SUCCEEDED
    world.psp.alter = lambda outcome: Outcome(PaymentStatus.SUCCEEDED)
    world.pass_time(minutes=2)
    assert reconcile(world)["settled"] == 1
    assert (status_of(world, payment_id), check(world)["active"]) == ("needs_review", False)
    assert due(world) == [None]


def test_a_refund_that_was_made_at_the_psp_and_is_not_done_is_looked_at_again(
    world: World,
) -> None:
    payment_id = paid(world)
    reference = world.psp.refund_there(payment_id, Money(300, "KES"))
    world.psp.say_of_refund(reference, RefundStatus.PENDING)
    tell(world, payment_id)
    world.psp.say_of_refund(reference, RefundStatus.SUCCEEDED)
    world.pass_time(minutes=2)
    assert reconcile(world)["settled"] == 1
    assert status_of(world, payment_id) == "partially_refunded"
