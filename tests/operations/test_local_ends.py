"""PSPs that end no payment when they are asked, and those at which an end is not the last word."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    books,
    cancel,
    create,
    down,
    moved,
    read,
    reconcile,
    status_of,
    tell,
    told,
    up,
)
from tests.operations.test_access import check
from tests.operators import Operator
from tests.world import START, World
from tollgate.domain.capabilities import CancelBy
from tollgate.domain.checks import LATE_AT_MOST, LATE_PAUSE
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.operations.payments import PAYABLE_HOURS

ON_ITS_PAGE = PaymentStatus.REQUIRES_ACTION
SUCCEEDED = PaymentStatus.SUCCEEDED


def deaf(world: World, status: PaymentStatus = ON_ITS_PAGE) -> None:
    """The PSP takes the wish to cancel, and does nothing about it."""
    world.psp.capabilities = replace(world.psp.capabilities, cancel=CancelBy.LOCAL)

    def goes_on(what: str) -> None:
        if what == "cancel":
            world.psp.refusal = None

    world.psp.on_ask = goes_on
    world.psp.on_fetch = lambda _: setattr(world.psp, "status", status)


class TestCanceledHere:
    def test_once_the_psp_says_that_it_is_unpaid(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (200, "canceled")
        assert told(world, "payment")[-1] == "payment.canceled"
        assert cancel(world, payment_id).status == 200

    def test_not_where_the_psp_ends_it_itself(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        world.psp.capabilities = replace(world.psp.capabilities, cancel=CancelBy.API)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (202, "requires_action")

    def test_not_where_it_was_paid_meanwhile(self, world: World) -> None:
        payment_id = create(world, PLAN).json["id"]
        deaf(world, SUCCEEDED)
        assert cancel(world, payment_id).status == 409
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True

    def test_not_where_it_is_paid_between_the_looks(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        world.psp.on_ask = lambda _: deaf(world, SUCCEEDED)
        assert cancel(world, payment_id).status == 409
        assert status_of(world, payment_id) == "succeeded"

    def test_not_before_the_psp_could_be_asked(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        world.psp.on_fetch = down
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (202, "requires_action")
        world.pass_time(minutes=2)
        reconcile(world)
        assert status_of(world, payment_id) == "requires_action"
        deaf(world)
        world.pass_time(minutes=5)
        reconcile(world)
        assert status_of(world, payment_id) == "canceled"

    def test_a_refusal_of_the_psp_says_nothing(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        world.psp.on_ask = up
        world.psp.refusal = Failure("done_before", "It was asked before.")
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (200, "canceled")

    def test_what_the_psp_is_at_work_on_is_not_ended(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world, PaymentStatus.PROCESSING)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (202, "processing")
        world.pass_time(days=2)
        reconcile(world)
        assert status_of(world, payment_id) == "processing"

    def test_it_is_watched_whatever_its_psp_calls_final(self, world: World) -> None:
        payment_id = create(world, PLAN).json["id"]
        deaf(world)
        can = world.psp.capabilities
        world.psp.capabilities = replace(can, ends_are_final=True)
        assert cancel(world, payment_id).json["status"] == "canceled"
        deaf(world, SUCCEEDED)  # we were taking it at that very moment, and died
        world.pass_time(hours=7)
        reconcile(world)
        assert status_of(world, payment_id) == "succeeded"

    def test_what_the_psp_takes_all_the_same_is_paid(self, world: World) -> None:
        payment_id = create(world, PLAN).json["id"]
        deaf(world)
        cancel(world, payment_id)
        deaf(world, SUCCEEDED)
        tell(world, payment_id)
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True
        assert books(world) == {"psp": 150_000, "app": -150_000}


class TestExpiredHere:
    def test_some_time_after_it_could_be_paid(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world)
        world.pass_time(hours=PAYABLE_HOURS, minutes=9)
        reconcile(world)
        assert status_of(world, payment_id) == "requires_action"
        world.pass_time(hours=1)
        reconcile(world)
        assert status_of(world, payment_id) == "expired"

    def test_not_what_was_paid_at_last(self, world: World) -> None:
        payment_id = create(world).json["id"]
        deaf(world, SUCCEEDED)
        world.pass_time(hours=PAYABLE_HOURS + 1)
        reconcile(world)
        assert status_of(world, payment_id) == "succeeded"

    def test_not_while_the_app_waits_for_its_capture(self, world: World) -> None:
        """The PSP may be at it."""
        payment_id = moved(world, PaymentStatus.AUTHORIZED, AMOUNT | {"capture": "manual"})
        world.psp.on_ask = down
        body = b"{}"
        assert world.call("payments/capture", path=f"/{payment_id}", body=body).status == 503
        deaf(world, PaymentStatus.AUTHORIZED)
        world.pass_time(hours=PAYABLE_HOURS + 1)
        reconcile(world)
        assert status_of(world, payment_id) == "authorized"


class TestNotFinal:
    """A page that is over for us may still take money."""

    @pytest.fixture(autouse=True)
    def _may_still_be_paid(self, world: World) -> None:
        world.psp.capabilities = replace(
            world.psp.capabilities, cancel=CancelBy.LOCAL, ends_are_final=False
        )

    @pytest.mark.parametrize("status", [PaymentStatus.FAILED, PaymentStatus.EXPIRED])
    def test_it_is_looked_at_until_three_days_after_its_time(
        self, world: World, status: PaymentStatus
    ) -> None:
        payment_id = moved(world, status)
        ((ends_at,),) = world.rows("SELECT expires_at FROM payments")
        looks = []
        for _ in range(200):
            ((due,),) = world.rows("SELECT next_check_at FROM payments")
            if due is None:
                break
            looks.append(due)
            world.now = due
            assert reconcile(world)["looked_at"] == 1
        assert looks[0] == START + LATE_PAUSE
        assert {later - sooner for sooner, later in pairwise(looks)} == {LATE_PAUSE}
        assert timedelta() <= looks[-1] - (ends_at + LATE_AT_MOST) < LATE_PAUSE
        assert status_of(world, payment_id) == status
        world.pass_time(days=1)
        assert reconcile(world)["looked_at"] == 0

    def test_one_found_paid_gives_its_period(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.FAILED, PLAN)
        world.pass_time(hours=7)
        world.psp.status = SUCCEEDED
        assert reconcile(world)["settled"] == 1
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True
        world.pass_time(hours=7)
        assert reconcile(world)["looked_at"] == 0

    def test_one_that_was_canceled_here_too(self, world: World) -> None:
        payment_id = create(world, PLAN).json["id"]
        deaf(world)
        cancel(world, payment_id)
        deaf(world, SUCCEEDED)
        world.pass_time(hours=7)
        reconcile(world)
        assert status_of(world, payment_id) == "succeeded"

    def test_a_psp_that_is_down_delays_the_look(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.FAILED)
        world.psp.on_fetch = down
        world.pass_time(hours=7)
        assert reconcile(world)["unsettled"] == [payment_id]
        world.psp.on_fetch, world.psp.status = up, SUCCEEDED
        world.pass_time(minutes=2)
        reconcile(world)
        assert status_of(world, payment_id) == "succeeded"

    def test_what_can_not_be_read_is_not_watched_for_ever(self, world: World) -> None:
        moved(world, PaymentStatus.FAILED)
        world.psp.on_fetch = down
        world.pass_time(days=5)
        reconcile(world)
        assert world.rows("SELECT next_check_at FROM payments") == [(None,)]

    def test_what_is_paid_is_not_watched(self, world: World) -> None:
        moved(world, SUCCEEDED)
        world.pass_time(minutes=2)
        reconcile(world)
        world.pass_time(days=2)
        assert reconcile(world)["looked_at"] == 0

    def test_one_that_somebody_rejected_stays_so(self, world: World) -> None:
        payment_id = create(world).json["id"]
        world.psp.status = SUCCEEDED
        world.psp.alter = lambda said: replace(said, reference="pay_another")
        tell(world, payment_id)
        body = {"resolution": "reject", "note": "Not ours"}
        Operator(world, "reviews").ask("POST", f"/{payment_id}", body)
        world.pass_time(hours=7)
        reconcile(world)
        assert status_of(world, payment_id) == "canceled"


def test_where_ends_are_final_nobody_looks_again(world: World) -> None:
    payment_id = moved(world, PaymentStatus.FAILED)
    world.psp.status = SUCCEEDED
    world.pass_time(days=1)
    assert reconcile(world)["looked_at"] == 0
    assert read(world, payment_id)["status"] == "failed"
