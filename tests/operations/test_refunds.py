"""Refunds: no more goes back than was taken, and each request gives back once."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.operations.paying import (
    AMOUNT,
    Killed,
    books,
    create,
    die,
    everything,
    in_another,
    moved,
    paid,
    read,
    reconcile,
    refund,
    status_of,
    tell,
    told,
)
from tests.world import Answer, World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.idempotency import KEPT_DAYS, LOCK_SECONDS
from tollgate.domain.money import Money
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus


def refunds_of(world: World, payment_id: str) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT amount_minor, status FROM refunds WHERE payment_id = %s ORDER BY id", payment_id
    )


class TestGivingBack:
    def test_all_of_it(self, world: World) -> None:
        payment_id = paid(world)
        answer = refund(world, payment_id, {"reason": "The shop was closed"})
        assert answer.status == 201
        given = answer.json
        assert (given["object"], given["payment_id"]) == ("refund", payment_id)
        assert (given["amount"], given["currency"]) == (10_000, "KES")
        assert (given["status"], given["reason"]) == ("succeeded", "The shop was closed")
        after = read(world, payment_id)
        assert (after["status"], after["amount_refunded"]) == ("refunded", 10_000)
        (order,) = world.psp.refund_orders
        assert (order.refund_id, order.money) == (given["id"], Money(10_000, "KES"))
        assert order.reason == "The shop was closed"
        assert order.psp_reference == f"ref_{payment_id}"
        assert books(world) == {}
        assert told(world, "refund") == ["refund.succeeded"]
        assert told(world, "payment")[-1] == "payment.refunded"

    def test_in_parts_and_then_the_rest(self, world: World) -> None:
        payment_id = paid(world)
        assert refund(world, payment_id, {"amount": 2_500, "currency": "KES"}, "a").status == 201
        assert status_of(world, payment_id) == "partially_refunded"
        assert refund(world, payment_id, {"amount": 1}, "b").json["status"] == "succeeded"
        assert books(world) == {"psp": 7_499, "app": -7_499}
        assert refund(world, payment_id, key="c").json["amount"] == 7_499
        assert status_of(world, payment_id) == "refunded"
        kinds = told(world, "payment", "refund")
        assert (kinds.count("payment.refunded"), kinds.count("refund.succeeded")) == (3, 3)
        again = refund(world, payment_id, key="d")
        assert (again.status, again.json["code"]) == (409, "not_refundable")

    def test_one_that_takes_days_is_pending_and_told_later(self, world: World) -> None:
        payment_id = paid(world)
        world.psp.refund_status = RefundStatus.PENDING
        answer = refund(world, payment_id, {"amount": 4_000})
        assert (answer.status, answer.json["status"]) == (201, "pending")
        assert status_of(world, payment_id) == "succeeded"
        more = refund(world, payment_id, {"amount": 6_001}, "r-2")
        assert (more.status, more.json["code"]) == (422, "invalid_fields")
        (reference,) = world.psp.refunds
        world.psp.say_of_refund(reference, RefundStatus.SUCCEEDED)
        tell(world, payment_id)
        assert status_of(world, payment_id) == "partially_refunded"
        assert told(world, "refund") == ["refund.succeeded"]

    def test_one_that_the_psp_refuses_has_failed(self, world: World) -> None:
        payment_id = paid(world)
        refusal = Failure("insufficient_funds", "No money for 4242424242424242.")
        world.psp.refusal = refusal
        answer = refund(world, payment_id)
        assert (answer.status, answer.json["status"]) == (201, "failed")
        assert answer.json["failure"]["code"] == "insufficient_funds"
        assert answer.json["failure"]["message"] == "No money for ************4242."
        assert status_of(world, payment_id) == "succeeded"
        assert (told(world, "refund"), len(world.psp.refunds)) == (["refund.failed"], 0)
        world.psp.refusal = None
        assert refund(world, payment_id, key="r-2").json["status"] == "succeeded"  # none reserved

    def test_one_that_fails_days_later_restores_the_payment(self, world: World) -> None:
        payment_id = paid(world)
        refund(world, payment_id)
        (reference,) = world.psp.refunds
        world.psp.say_of_refund(reference, RefundStatus.FAILED)
        tell(world, payment_id)
        after = read(world, payment_id)
        assert (after["status"], after["amount_refunded"]) == ("succeeded", 0)
        assert told(world, "refund") == ["refund.succeeded", "refund.failed"]
        assert books(world) == {"psp": 10_000, "app": -10_000}
        assert refund(world, payment_id, key="r-2").status == 201

    def test_one_that_somebody_made_at_the_psp(self, world: World) -> None:
        payment_id = paid(world)
        world.psp.refund_there(payment_id, Money(3_000, "KES"))
        tell(world, payment_id)
        assert refunds_of(world, payment_id) == [(3_000, "succeeded")]
        assert status_of(world, payment_id) == "partially_refunded"
        over = refund(world, payment_id, {"amount": 7_001})
        assert over.status == 422

    @pytest.mark.parametrize("money", [Money(10_001, "KES"), Money(5, "USD")])
    def test_one_that_cannot_be_true_needs_review(self, world: World, money: Money) -> None:
        payment_id = paid(world)
        world.psp.refund_there(payment_id, money)
        tell(world, payment_id)
        after = read(world, payment_id)
        assert (after["status"], after["amount_refunded"]) == ("needs_review", 0)
        assert after["failure"]["code"] == "refund_mismatch"
        assert refunds_of(world, payment_id) == []


BAD_AMOUNTS = ["0", "-1", "10001", "1.0", "100.5", "true", '"100"', "1e3", "NaN", "9" * 400, "[]"]
BAD_BODIES = [
    *(f'{{"amount": {amount}}}' for amount in BAD_AMOUNTS),
    '{"amount": 1, "currency": "USD"}',
    '{"amount": 1, "currency": "kes"}',
    '{"reason": "4242 4242 4242 4242"}',
    '{"reason": "two\\nlines"}',
    '{"reason": "a\\u0000b"}',
    '{"payment_id": "pay_0"}',
    '{"status": "succeeded"}',
    "null",
    "[]",
    '{"amount": 1',
    "",
]
UNPAID = [
    PaymentStatus.REQUIRES_ACTION,
    PaymentStatus.PROCESSING,
    PaymentStatus.AUTHORIZED,
    PaymentStatus.FAILED,
    PaymentStatus.EXPIRED,
]


class TestBadInput:
    """Each a clear problem document, and no row of any table is another than before."""

    @pytest.mark.parametrize("body", BAD_BODIES, ids=lambda body: body[:30] or "empty")
    def test_a_body_that_asks_for_what_cannot_be(self, world: World, body: str) -> None:
        payment_id = paid(world)
        before = everything(world)
        answer = refund(world, payment_id, body.encode())
        assert answer.status in (400, 422), answer.body
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json["code"] in ("invalid_fields", "malformed_body")
        assert "10001" not in answer.body
        assert everything(world) == before
        assert world.psp.refund_orders == []

    @pytest.mark.parametrize("status", UNPAID)
    def test_a_payment_that_was_not_paid(self, world: World, status: PaymentStatus) -> None:
        payment_id = moved(world, status, AMOUNT | {"capture": "manual"})
        before = everything(world)
        answer = refund(world, payment_id)
        assert (answer.status, answer.json["code"]) == (409, "not_refundable")
        assert status in answer.json["detail"]
        assert everything(world) == before

    @pytest.mark.parametrize("target", ["pay_0", "nonsense", "FOREIGN"])
    def test_a_payment_that_is_not_the_apps(self, world: World, target: str) -> None:
        payment_id = paid(world)
        before = everything(world)
        path = f"/{payment_id if target == 'FOREIGN' else target}"
        key = world.other_app.key if target == "FOREIGN" else world.app.key
        headers = {"idempotency-key": "r-1"}
        answer = world.call("payments/refund", path=path, body=b"{}", headers=headers, key=key)
        assert (answer.status, answer.json["code"]) == (404, "not_found")
        assert everything(world) == before

    def test_no_key(self, world: World) -> None:
        payment_id = paid(world)
        before = everything(world)
        answer = world.call("payments/refund", path=f"/{payment_id}", body=b"{}")
        assert (answer.status, answer.json["code"]) == (400, "idempotency_key_missing")
        assert everything(world) == before


class TestIdempotency:
    def test_the_same_again_is_answered_byte_for_byte(self, world: World) -> None:
        payment_id = paid(world)
        first = refund(world, payment_id, {"amount": 100})
        world.pass_time(hours=5)
        refund(world, payment_id, {"amount": 200}, "r-2")
        again = refund(world, payment_id, {"amount": 100})
        assert (again.status, again.body) == (first.status, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        assert "idempotency-replayed" not in first.headers
        assert len(world.psp.refund_orders) == 2

    def test_another_body_or_payment_under_the_key_is_refused(self, world: World) -> None:
        payment_id, other_id = paid(world), paid(world, key="k-2")
        refund(world, payment_id, {"amount": 100})
        before = everything(world)
        answers = [
            refund(world, payment_id, {"amount": 101}),
            refund(world, payment_id, b'{"amount":100}'),
            refund(world, other_id, {"amount": 100}),
            refund(world, payment_id, {"amount": 100}, "k-1"),  # the key of a create
            create(world, AMOUNT, "r-1"),  # and the other way round
        ]
        refused = {(each.status, each.json["code"]) for each in answers}
        assert refused == {(422, "idempotency_key_reused")}
        assert everything(world) == before

    def test_a_key_in_flight_is_a_conflict(self, world: World) -> None:
        payment_id, seen = paid(world), list[Answer]()
        world.psp.on_ask = lambda what: seen.append(in_another(world, refund, payment_id))
        refund(world, payment_id)
        assert (seen[0].status, seen[0].json["code"]) == (409, "idempotency_key_in_use")
        assert "retry-after" in seen[0].headers
        assert len(world.psp.refund_orders) == 1

    @pytest.mark.parametrize(
        "point", [CrashPoint.REFUND_CLAIMED, CrashPoint.REFUND_SENT, CrashPoint.REFUND_SETTLED]
    )
    def test_the_work_of_a_dead_holder_is_taken_over(self, world: World, point: CrashPoint) -> None:
        payment_id = paid(world)
        listen(point, die)
        try:
            with pytest.raises(Killed):
                refund(world, payment_id)
        finally:
            listen(point, lambda: None)
        assert refund(world, payment_id).status == 409
        world.pass_time(seconds=LOCK_SECONDS + 1)
        answer = refund(world, payment_id)
        assert (answer.status, answer.json["status"]) == (201, "succeeded")
        assert len({order.idempotency_key for order in world.psp.refund_orders}) == 1
        assert refunds_of(world, payment_id) == [(10_000, "succeeded")]
        assert refund(world, payment_id).body == answer.body

    def test_an_unknown_outcome_is_202_and_settled_by_the_timer(self, world: World) -> None:
        payment_id = paid(world)

        def down(_: str) -> None:
            raise PspUnavailable

        world.psp.on_fetch = down
        answer = refund(world, payment_id)
        assert (answer.status, answer.json["status"]) == (202, "pending")
        assert refund(world, payment_id).body == answer.body
        world.psp.on_fetch = lambda reference: None
        world.pass_time(minutes=2)
        assert reconcile(world)["settled"] == 1
        assert status_of(world, payment_id) == "refunded"
        assert len(world.psp.refunds) == 1

    def test_a_psp_that_was_never_reached_may_be_asked_again_at_once(self, world: World) -> None:
        payment_id = paid(world)
        world.psp.on_ask = unreachable
        first = refund(world, payment_id)
        assert (first.status, first.json["code"]) == (503, "psp_unavailable")
        world.psp.on_ask = lambda what: None
        assert refund(world, payment_id).status == 201
        assert refunds_of(world, payment_id) == [(10_000, "succeeded")]

    def test_an_old_key_still_gets_its_answer(self, world: World) -> None:
        payment_id = paid(world)
        first = refund(world, payment_id, {"amount": 100})
        world.pass_time(days=KEPT_DAYS, seconds=1)
        assert reconcile(world)["keys_removed"] == 1  # that of the payment
        again = refund(world, payment_id, {"amount": 100})
        assert (again.status, again.body) == (201, first.body)
        assert again.headers["idempotency-replayed"] == "true"
        other = refund(world, payment_id, {"amount": 101})
        assert (other.status, other.json["code"]) == (422, "idempotency_key_reused")
        assert (len(world.psp.refund_orders), len(refunds_of(world, payment_id))) == (1, 1)


def unreachable(_: str) -> None:
    raise PspUnavailable


def at_once(
    world: World, payment_id: str, calls: int, key: Callable[[int], str]
) -> list[tuple[int, str, str]]:
    """As many refunds of 6,000 of the 10,000, none of which knew of another when it began."""

    def one(number: int) -> tuple[int, str, str]:
        answer = in_another(world, refund, payment_id, {"amount": 6_000}, key(number))
        return answer.status, answer.body, answer.headers["content-type"]

    with ThreadPoolExecutor(calls) as pool, psycopg.connect(world.stores.owner_url) as owner:
        owner.execute("SELECT FROM payments WHERE id = %s FOR UPDATE", [payment_id])
        answers = [pool.submit(one, number) for number in range(calls)]
        waiting = """SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        while world.rows(waiting, as_service=True) != [(calls,)]:
            assert not any(answer.done() for answer in answers)
        owner.commit()
        return [answer.result() for answer in answers]


def test_of_refunds_at_once_over_what_was_taken_one_is_given(world: World) -> None:
    payment_id = paid(world)
    answers = at_once(world, payment_id, 4, lambda number: f"r-{number}")
    assert Counter(status for status, _, _ in answers) == {201: 1, 422: 3}
    assert {kind for status, _, kind in answers if status == 422} == {"application/problem+json"}
    assert all("No more than 4000" in body for status, body, _ in answers if status == 422)
    assert refunds_of(world, payment_id) == [(6_000, "succeeded")]
    assert sum(order.money.amount_minor for order in world.psp.refund_orders) == 6_000


def test_one_key_at_once_gives_back_once(world: World) -> None:
    payment_id = paid(world)
    answers = at_once(world, payment_id, 4, lambda _: "r-1")
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len({body for status, body, _ in answers if status == 201}) == 1
    assert len({order.refund_id for order in world.psp.refund_orders}) == 1
    assert refunds_of(world, payment_id) == [(6_000, "succeeded")]


def test_the_refund_is_committed_before_the_psp_is_asked(world: World) -> None:
    payment_id, seen = paid(world), list[Any]()
    world.psp.on_ask = lambda what: seen.append(refunds_of(world, payment_id))
    refund(world, payment_id)
    assert seen == [[(10_000, "pending")]]
