"""A word of the PSP that was heard first and recorded last; and what must not be seen too early."""

from dataclasses import replace

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    Killed,
    create,
    die,
    moved,
    paid,
    read,
    status_of,
    tell,
)
from tests.operations.test_access import check
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.idempotency import Claim
from tollgate.domain.money import Money
from tollgate.domain.order import Order
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.refund import RefundStatus
from tollgate.operations.settlement import settle
from tollgate.storage import idempotency, payments


def settle_while(world: World, payment_id: str, meanwhile: object) -> None:
    """Settles, and after the PSP was read and before that is recorded, something else happens."""
    context = world.new_context().within(EVERY_TENANT)

    def once() -> None:
        listen(CrashPoint.SETTLE_FETCHED, lambda: None)
        assert callable(meanwhile)
        meanwhile()

    listen(CrashPoint.SETTLE_FETCHED, once)
    try:
        settle(context, payments.get_payment(context.database, payment_id), "reconcile")
    finally:
        listen(CrashPoint.SETTLE_FETCHED, lambda: None)
        context.database.close()


def test_an_old_word_of_a_refund_does_not_follow_a_newer_one(world: World) -> None:
    payment_id = paid(world, AMOUNT)
    reference = world.psp.refund_there(payment_id, Money(10_000, "KES"))

    def fails() -> None:
        world.psp.say_of_refund(reference, RefundStatus.FAILED)
        tell(world, payment_id)

    settle_while(world, payment_id, fails)
    assert status_of(world, payment_id) == "succeeded"
    assert [each["status"] for each in read(world, payment_id)["refunds"]] == ["failed"]


def test_nor_where_only_the_refund_had_moved(world: World) -> None:
    payment_id = paid(world, AMOUNT)
    reference = world.psp.refund_there(payment_id, Money(10_000, "KES"))
    world.psp.say_of_refund(reference, RefundStatus.PENDING)
    tell(world, payment_id)
    world.psp.say_of_refund(reference, RefundStatus.SUCCEEDED)

    def fails() -> None:
        world.psp.say_of_refund(reference, RefundStatus.FAILED)
        tell(world, payment_id)

    settle_while(world, payment_id, fails)
    assert status_of(world, payment_id) == "succeeded"


def test_an_old_word_of_a_dispute_does_not_follow_a_newer_one(world: World) -> None:
    payment_id = paid(world, PLAN)
    world.psp.dispute(payment_id, Money(150_000, "KES"), DisputeStatus.OPEN)

    def is_won() -> None:
        world.psp.dispute(payment_id, Money(150_000, "KES"), DisputeStatus.WON)
        tell(world, payment_id)

    settle_while(world, payment_id, is_won)
    assert status_of(world, payment_id) == "succeeded"
    assert check(world)["active"] is True


def test_what_is_not_committed_is_not_in_the_cache(world: World) -> None:
    payment_id = moved(world, PaymentStatus.REQUIRES_ACTION, PLAN)
    world.psp.status = PaymentStatus.SUCCEEDED
    listen(CrashPoint.SETTLE_WRITTEN, die)
    try:
        with pytest.raises(Killed):
            tell(world, payment_id)
    finally:
        listen(CrashPoint.SETTLE_WRITTEN, lambda: None)
    world.psp.status = PaymentStatus.REQUIRES_ACTION  # or the check would ask and be told
    assert check(world)["active"] is False


def test_of_two_who_retry_one_takes_over(world: World) -> None:
    moved(world, PaymentStatus.REQUIRES_ACTION)
    context = world.context.within(EVERY_TENANT)
    world.rows("UPDATE idempotency_keys SET answer_status = NULL, answer_body = NULL RETURNING key")
    held = idempotency.find_held(context.database, world.app.id, "k-1")
    assert held is not None
    claim = Claim(world.app.id, "k-1", held.request_sha256)
    world.pass_time(minutes=1)
    taken = [idempotency.take_over(context.database, claim, held, world.now) for _ in range(2)]
    assert taken == [True, False]


def test_a_create_that_was_outrun_answers_how_the_payment_stands(world: World) -> None:
    def is_quicker(order: Order) -> None:
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, order.payment_id)

    def paid_at_once(outcome: Outcome) -> Outcome:
        if outcome.status is not PaymentStatus.REQUIRES_ACTION:
            return outcome
        fee = Money(30, "KES")
        return replace(outcome, status=PaymentStatus.SUCCEEDED, next_action=None, fee=fee)

    world.psp.on_start, world.psp.alter = is_quicker, paid_at_once
    answer = create(world, PLAN)
    assert (answer.status, answer.json["status"]) == (201, "succeeded")
