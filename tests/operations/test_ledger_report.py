"""The reconciliation report: our ledger beside the PSP's books, and each way they can differ."""

import argparse
import json
from datetime import timedelta

import pytest

from tests.operations.paying import paid, tell
from tests.world import START, World
from tollgate.commands import ledger as command
from tollgate.commands.nouns import Failed
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.ledger import Comparison, Difference
from tollgate.domain.money import Money
from tollgate.domain.outcome import Movement, MovementKind
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.refund import RefundStatus
from tollgate.operations.ledger import compare_books

CAPTURE, REFUND, DISPUTE = MovementKind.CAPTURE, MovementKind.REFUND, MovementKind.DISPUTE
TAKEN = Money(10_000, "KES")
PART = Money(4_000, "KES")
DAY = timedelta(days=1)


def compared(world: World) -> Comparison:
    """The report of the day on which the test's world begins."""
    context = world.context.within(EVERY_TENANT)
    return compare_books(context, "stripe", START - DAY, START + DAY, lambda _line: None)


def there(
    world: World, kind: MovementKind, reference: str, payment_id: str | None, money: Money = TAKEN
) -> None:
    """Something that the PSP has in its books."""
    world.psp.movements.append(Movement(kind, reference, payment_id, money, START))


def test_books_that_agree(world: World) -> None:
    first, second = paid(world), paid(world, key="k-2")
    refund = world.psp.refund_there(first, PART)
    tell(world, first)
    world.psp.dispute(second, TAKEN, DisputeStatus.OPEN)
    tell(world, second)
    there(world, CAPTURE, "ch_1", first)
    there(world, CAPTURE, "ch_2", second)
    there(world, REFUND, refund, None, PART)
    there(world, DISPUTE, f"dp_{second}", second)
    report = compared(world)
    assert report.differences == []
    assert report.matched == {
        (CAPTURE, "KES"): (2, 20_000),
        (REFUND, "KES"): (1, 4_000),
        (DISPUTE, "KES"): (1, 10_000),
    }


def test_what_only_the_psp_knows(world: World) -> None:
    there(world, CAPTURE, "ch_9", "pay_9")
    there(world, CAPTURE, "ch_8", None)
    there(world, REFUND, "re_9", "pay_9", PART)
    assert compared(world).differences == [
        Difference(CAPTURE, "pay_9", "pay_9", None, TAKEN),
        Difference(CAPTURE, "ch_8", None, None, TAKEN),
        Difference(REFUND, "re_9", "pay_9", None, PART),
    ]


def test_what_only_we_know(world: World) -> None:
    payment_id = paid(world)
    assert compared(world).differences == [Difference(CAPTURE, payment_id, payment_id, TAKEN, None)]


@pytest.mark.parametrize("money", [Money(10_001, "KES"), Money(10_000, "USD")])
def test_what_both_know_differently(world: World, money: Money) -> None:
    payment_id = paid(world)
    there(world, CAPTURE, "ch_1", payment_id, money)
    assert compared(world).differences == [
        Difference(CAPTURE, payment_id, payment_id, TAKEN, money)
    ]


def test_what_was_reversed_is_in_neither_book(world: World) -> None:
    payment_id = paid(world)
    refund = world.psp.refund_there(payment_id, PART)
    world.psp.dispute(payment_id, TAKEN, DisputeStatus.OPEN)
    tell(world, payment_id)
    world.psp.say_of_refund(refund, RefundStatus.FAILED)
    world.psp.dispute(payment_id, TAKEN, DisputeStatus.WON)
    tell(world, payment_id)
    there(world, CAPTURE, "ch_1", payment_id)
    report = compared(world)
    assert report.differences == []
    assert report.matched == {(CAPTURE, "KES"): (1, 10_000)}


def test_what_was_heard_of_late_is_no_difference(world: World) -> None:
    payment_id = paid(world)  # booked now
    long_before = START - timedelta(days=5)
    world.psp.movements.append(Movement(CAPTURE, "ch_1", payment_id, TAKEN, long_before))
    assert compared(world).differences == []


def test_the_days_before_are_looked_at_and_not_told(world: World) -> None:
    world.psp.movements.append(Movement(CAPTURE, "ch_9", "pay_9", TAKEN, START - 2 * DAY))
    report = compared(world)
    assert (report.matched, report.differences) == ({}, [])


def test_each_movement_is_of_its_own_day(world: World) -> None:
    payment_id = paid(world)
    there(world, CAPTURE, "ch_1", payment_id)
    world.pass_time(days=10)
    refund = world.psp.refund_there(payment_id, PART)
    tell(world, payment_id)
    world.psp.movements.append(Movement(REFUND, refund, None, PART, world.now))
    first = compared(world)
    assert (first.matched, first.differences) == ({(CAPTURE, "KES"): (1, 10_000)}, [])
    context = world.context.within(EVERY_TENANT)
    later = compare_books(context, "stripe", world.now - DAY, world.now + DAY, print)
    assert (later.matched, later.differences) == ({(REFUND, "KES"): (1, 4_000)}, [])


def test_another_day_and_another_psp_are_no_part_of_it(world: World) -> None:
    paid(world)
    context = world.context.within(EVERY_TENANT)
    day_after = compare_books(context, "stripe", START + DAY, START + 2 * DAY, print)
    assert (day_after.matched, day_after.differences) == ({}, [])
    other = compare_books(context, "paypal", START - DAY, START + DAY, print)
    assert (other.matched, other.differences) == ({}, [])


def test_the_same_reference_at_another_psp_is_another_payment(world: World) -> None:
    payment_id = paid(world)
    there(world, CAPTURE, "ch_1", payment_id)
    context = world.context.within(EVERY_TENANT)
    other = compare_books(context, "paypal", START - DAY, START + DAY, print)
    assert other.differences == [Difference(CAPTURE, payment_id, payment_id, None, TAKEN)]


def report(world: World, *, as_json: bool) -> str:
    arguments = argparse.Namespace(psp="stripe", since=START - DAY, until=START + DAY, json=as_json)
    return command.run_report(world.context.within(EVERY_TENANT), arguments)


def test_the_command_for_machines_and_for_people(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    payment_id = paid(world)
    there(world, CAPTURE, "ch_1", payment_id)
    assert json.loads(report(world, as_json=True)) == {
        "matched": [{"kind": "capture", "currency": "KES", "count": 1, "amount": 10_000}],
        "differences": [],
    }
    assert "1 agree, 10,000 minor units of KES" in report(world, as_json=False)
    there(world, REFUND, "re_1", payment_id, PART)
    capsys.readouterr()
    with pytest.raises(Failed, match="differ on 1"):
        report(world, as_json=True)
    assert json.loads(capsys.readouterr().out)["differences"] == [
        {
            "kind": "refund",
            "reference": "re_1",
            "payment_id": payment_id,
            "here": None,
            "there": {"amount_minor": 4_000, "currency": "KES"},
        }
    ]
    with pytest.raises(Failed):
        report(world, as_json=False)
    assert (
        f"refund   re_1 of {payment_id}: here nothing, there 4,000 KES" in capsys.readouterr().out
    )


def test_a_range_that_runs_backwards_is_refused(world: World) -> None:
    arguments = argparse.Namespace(psp="stripe", since=START, until=START, json=True)
    with pytest.raises(Failed, match="--from must lie before --to"):
        command.run_report(world.context, arguments)
