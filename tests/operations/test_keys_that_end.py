"""Idempotency keys that end, ours after a week, the PSP's when it says: nothing happens twice."""

from dataclasses import replace

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    Killed,
    create,
    die,
    die_at,
    down,
    paid,
    reconcile,
    refund,
    status_of,
    tell,
    up,
)
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.idempotency import KEPT_DAYS
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.operations import reconcile as subject
from tollgate.operations.reconcile import reconcile_payments


class TestOurs:
    def test_one_that_was_removed_never_charges_again(self, world: World) -> None:
        first = create(world, PLAN)
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, first.json["id"])
        world.pass_time(days=KEPT_DAYS)
        assert reconcile(world)["keys_removed"] == 0
        world.pass_time(seconds=1)
        assert reconcile(world)["keys_removed"] == 1
        again = create(world, PLAN)
        assert (again.status, again.json["id"]) == (201, first.json["id"])
        assert again.json["status"] == "succeeded"
        assert again.headers["idempotency-replayed"] == "true"
        for body, key in ((PLAN | {"client_id": "client-2"}, "k-1"), (AMOUNT, "k-1")):
            other = create(world, body, key)
            assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
        used = refund(world, first.json["id"], {"amount": 1}, "k-1")
        assert (used.status, used.json["code"]) == (422, "idempotency_key_reused")
        assert (len(world.psp.starts), world.rows("SELECT count(*) FROM refunds")) == (1, [(0,)])

    def test_removal_is_bounded(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(subject, "PURGE_BATCH", 2)
        for number in range(3):
            create(world, AMOUNT, f"k-{number}")
        world.pass_time(days=KEPT_DAYS + 1)
        context = world.context.within(EVERY_TENANT)
        slices = [reconcile_payments(context, lambda: False)["keys_removed"] for _ in range(3)]
        assert slices == [2, 1, 0]

    def test_all_are_removed_while_there_is_time(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(subject, "PURGE_BATCH", 2)
        for number in range(5):
            create(world, AMOUNT, f"k-{number}")
        world.pass_time(days=KEPT_DAYS + 1)
        assert reconcile(world)["keys_removed"] == 5

    def test_a_payment_whose_key_was_removed_while_it_is_open(self, world: World) -> None:
        """The PSP was down for longer than keys are kept."""
        payment_id = die_at(world, CrashPoint.CREATE_CLAIMED)
        world.psp.on_find = down
        world.pass_time(days=KEPT_DAYS + 1)
        assert reconcile(world)["unsettled"] == [payment_id]
        again = create(world, PLAN)
        assert (again.status, again.json["status"]) == (201, "pending")
        world.psp.on_find = up
        world.pass_time(hours=2)
        reconcile(world)
        assert (status_of(world, payment_id), world.psp.starts) == ("expired", [])

    def test_that_of_a_refund_stays(self, world: World) -> None:
        """The PSP was down for longer than keys are kept."""
        payment_id = paid(world)
        world.psp.on_ask = world.psp.on_fetch = down
        assert refund(world, payment_id).status == 503
        world.pass_time(days=KEPT_DAYS, minutes=1)
        assert reconcile(world)["keys_removed"] == 1  # that of the payment
        world.psp.on_ask = world.psp.on_fetch = up
        world.pass_time(hours=2)
        assert reconcile(world)["keys_removed"] == 0
        assert (status_of(world, payment_id), len(world.psp.refunds)) == ("refunded", 1)


class TestOfThePsp:
    """It is asked by our reference first, and nothing is sent while it can't tell."""

    @pytest.fixture(autouse=True)
    def _no_keys(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, idempotency_hours=0)

    def test_what_it_has_is_not_started_again(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_STARTED)
        world.pass_time(seconds=31)
        reconcile(world)
        assert (len(world.psp.starts), world.psp.finds) == (1, [payment_id])
        assert status_of(world, payment_id) == "requires_action"

    def test_what_it_does_not_have_is_started(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_CLAIMED)
        world.pass_time(seconds=31)
        reconcile(world)
        assert (world.psp.finds, len(world.psp.starts)) == ([payment_id], 1)

    def test_nothing_is_sent_while_it_cannot_tell(self, world: World) -> None:
        payment_id = die_at(world, CrashPoint.CREATE_STARTED)
        world.psp.on_find = down
        world.pass_time(seconds=31)
        assert reconcile(world)["unsettled"] == [payment_id]
        answer = create(world, PLAN)
        assert answer.status in (409, 503)
        world.pass_time(seconds=31)
        assert create(world, PLAN).status == 503
        assert (len(world.psp.starts), status_of(world, payment_id)) == (1, "pending")

    def test_a_refund_that_it_has_is_not_sent_again(self, world: World) -> None:
        payment_id = paid(world)
        listen(CrashPoint.REFUND_SENT, die)
        try:
            with pytest.raises(Killed):
                refund(world, payment_id)
        finally:
            listen(CrashPoint.REFUND_SENT, lambda: None)
        world.psp.on_fetch = down
        world.pass_time(seconds=31)
        reconcile(world)
        assert refund(world, payment_id).status in (409, 503)
        assert len(world.psp.refund_orders) == 1
        world.psp.on_fetch = up
        world.pass_time(minutes=5)
        reconcile(world)
        assert status_of(world, payment_id) == "refunded"
        assert (len(world.psp.refund_orders), len(world.psp.refunds)) == (1, 1)

    def test_a_refund_that_it_does_not_have_is_sent(self, world: World) -> None:
        payment_id = paid(world)
        listen(CrashPoint.REFUND_CLAIMED, die)
        try:
            with pytest.raises(Killed):
                refund(world, payment_id)
        finally:
            listen(CrashPoint.REFUND_CLAIMED, lambda: None)
        world.pass_time(minutes=5)
        reconcile(world)
        assert (status_of(world, payment_id), len(world.psp.refund_orders)) == ("refunded", 1)
