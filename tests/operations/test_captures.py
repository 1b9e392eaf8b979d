"""Taking the money of an authorized payment, and ending one that has not been paid."""

from typing import Any

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    books,
    cancel,
    capture,
    create,
    everything,
    in_another,
    moved,
    paid,
    read,
    reconcile,
    refund,
    status_of,
    told,
)
from tests.operations.test_access import check
from tests.world import Answer, World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import Failure, PaymentStatus

MANUAL = AMOUNT | {"capture": "manual"}


def authorized(world: World, body: Any = MANUAL, key: str = "k-1") -> str:
    return moved(world, PaymentStatus.AUTHORIZED, body, key)


def unreachable(_: str) -> None:
    raise PspUnavailable


def wanted(world: World) -> list[tuple[Any, ...]]:
    """What the app asked for and did not get yet."""
    return world.rows("SELECT capture_amount_minor, cancel_asked_at IS NOT NULL FROM payments")


class TestCapture:
    def test_takes_all_of_it(self, world: World) -> None:
        payment_id = authorized(world)
        assert (status_of(world, payment_id), books(world)) == ("authorized", {})
        assert world.psp.starts[0].capture == "manual"
        answer = capture(world, payment_id)
        assert (answer.status, answer.json["status"]) == (200, "succeeded")
        assert (answer.json["amount_captured"], answer.json["capture"]) == (10_000, "manual")
        assert world.psp.captures == {f"ref_{payment_id}": Money(10_000, "KES")}
        assert books(world) == {"psp": 10_000, "app": -10_000}
        assert told(world, "payment")[-2:] == ["payment.authorized", "payment.succeeded"]

    def test_takes_a_part_which_alone_can_go_back(self, world: World) -> None:
        payment_id = authorized(world)
        answer = capture(world, payment_id, {"amount": 4_000})
        assert (answer.json["amount"], answer.json["amount_captured"]) == (10_000, 4_000)
        assert refund(world, payment_id, {"amount": 4_001}).status == 422
        assert refund(world, payment_id, key="r-2").json["amount"] == 4_000
        assert status_of(world, payment_id) == "refunded"
        assert books(world) == {}

    def test_of_a_plan_gives_its_period(self, world: World) -> None:
        payment_id = authorized(world, PLAN | {"capture": "manual"})
        assert check(world)["active"] is False
        assert capture(world, payment_id, {"amount": 150_000}).status == 200
        assert check(world)["active"] is True
        assert world.rows("SELECT payment_id FROM subscription_periods") == [(payment_id,)]

    def test_again_is_answered_by_how_it_stands(self, world: World) -> None:
        payment_id = authorized(world)
        first = capture(world, payment_id, {"amount": 4_000})
        asked: list[str] = []
        world.psp.on_ask = asked.append
        again = capture(world, payment_id, {"amount": 4_000})
        assert (again.status, again.body, asked) == (200, first.body, [])
        for amount in (3_999, 10_000):
            other = capture(world, payment_id, {"amount": amount})
            assert (other.status, other.json["code"]) == (409, "not_capturable")
        assert world.psp.captures[f"ref_{payment_id}"].amount_minor == 4_000

    def test_at_once_with_another_amount_takes_one(self, world: World) -> None:
        payment_id, seen = authorized(world), list[Answer]()

        def ask_for_more(_: str) -> None:
            world.psp.on_ask = lambda what: None
            seen.append(in_another(world, capture, payment_id, {"amount": 5_000}))

        world.psp.on_ask = ask_for_more
        answer = capture(world, payment_id, {"amount": 4_000})
        assert (seen[0].status, seen[0].json["code"]) == (409, "not_capturable")
        assert answer.json["amount_captured"] == 4_000

    def test_that_the_psp_refuses_is_wanted_no_more(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.refusal = Failure("expired", "The authorization is too old.")
        answer = capture(world, payment_id)
        assert (answer.status, answer.json["code"]) == (422, "refused_by_psp")
        assert answer.json["detail"] == "The authorization is too old."
        assert (status_of(world, payment_id), wanted(world)) == ("authorized", [(None, False)])
        world.psp.refusal = None
        assert capture(world, payment_id, {"amount": 1}).json["amount_captured"] == 1

    def test_whose_answer_is_lost_is_settled_by_the_timer(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.on_fetch = unreachable
        answer = capture(world, payment_id, {"amount": 4_000})
        assert (answer.status, answer.json["status"]) == (202, "authorized")
        assert wanted(world) == [(4_000, False)]
        world.psp.on_fetch = lambda reference: None
        world.pass_time(minutes=2)
        assert reconcile(world)["settled"] == 1
        assert read(world, payment_id)["amount_captured"] == 4_000

    def test_that_did_not_reach_the_psp_is_asked_for_again(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.on_ask = unreachable
        assert capture(world, payment_id, {"amount": 4_000}).status == 503
        assert world.psp.captures == {}
        world.psp.on_ask = lambda what: None
        world.pass_time(minutes=2)
        reconcile(world)
        assert read(world, payment_id)["amount_captured"] == 4_000

    def test_that_the_psp_refuses_in_the_end_is_wanted_no_more(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.on_ask = unreachable
        assert capture(world, payment_id, {"amount": 4_000}).status == 503
        world.psp.on_ask = lambda what: None
        world.psp.refusal = Failure("gone", "The authorization has lapsed.")
        world.pass_time(minutes=2)
        reconcile(world)
        assert wanted(world) == [(None, False)]
        assert status_of(world, payment_id) == "authorized"

    def test_of_another_amount_than_was_asked_needs_review(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.on_ask = lambda what: None
        original = world.psp.capture

        def take_more(reference: str, _money: Money, key: str) -> Failure | None:
            return original(reference, Money(9_000, "KES"), key)

        world.psp.__dict__["capture"] = take_more
        answer = capture(world, payment_id, {"amount": 4_000})
        assert (answer.json["status"], answer.json["amount_captured"]) == ("needs_review", 0)
        assert answer.json["failure"]["code"] == "amount_mismatch"

    @pytest.mark.parametrize(
        "status", ["requires_action", "processing", "succeeded", "failed", "expired"]
    )
    def test_of_what_is_not_authorized_is_a_conflict(self, world: World, status: str) -> None:
        payment_id = moved(world, PaymentStatus(status))
        before = everything(world)
        answer = capture(world, payment_id)
        assert (answer.status, answer.json["code"]) == (409, "not_capturable")
        assert everything(world) == before

    @pytest.mark.parametrize(
        "amount", ["0", "-1", "10001", "1.0", "true", '"1"', "1e3", "NaN", "9" * 400, "{}"]
    )
    def test_of_what_is_no_amount_changes_nothing(self, world: World, amount: str) -> None:
        payment_id = authorized(world)
        before = everything(world)
        answer = capture(world, payment_id, f'{{"amount": {amount}}}'.encode())
        assert answer.status in (400, 422)
        assert answer.headers["content-type"] == "application/problem+json"
        assert everything(world) == before

    def test_of_a_part_of_a_plan_is_refused(self, world: World) -> None:
        payment_id = authorized(world, PLAN | {"capture": "manual"})
        before = everything(world)
        answer = capture(world, payment_id, {"amount": 149_999})
        assert (answer.status, answer.json["errors"][0]["path"]) == (422, "amount")
        assert everything(world) == before


class TestCancel:
    @pytest.mark.parametrize("status", ["requires_action", "processing", "authorized"])
    def test_ends_what_is_open(self, world: World, status: str) -> None:
        payment_id = moved(world, PaymentStatus(status), MANUAL)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (200, "canceled")
        assert answer.json["next_action"] is None
        assert world.psp.cancels == [f"ref_{payment_id}"]
        again = cancel(world, payment_id)
        assert (again.status, again.body) == (200, answer.body)
        assert len(world.psp.cancels) == 1
        assert told(world, "payment")[-1] == "payment.canceled"

    def test_leaves_nothing_to_capture_or_refund(self, world: World) -> None:
        payment_id = authorized(world)
        cancel(world, payment_id)
        before = everything(world)
        for answer, code in (
            (capture(world, payment_id), "not_capturable"),
            (refund(world, payment_id), "not_refundable"),
        ):
            assert (answer.status, answer.json["code"]) == (409, code)
        assert everything(world) == before

    def test_while_it_is_being_canceled_nothing_is_captured(self, world: World) -> None:
        payment_id, seen = authorized(world), list[Answer]()

        def capture_now(_: str) -> None:
            world.psp.on_ask = lambda what: None
            seen.append(in_another(world, capture, payment_id))

        world.psp.on_ask = capture_now
        assert cancel(world, payment_id).json["status"] == "canceled"
        assert (seen[0].status, seen[0].json["code"]) == (409, "not_capturable")
        assert world.psp.captures == {}

    def test_of_what_was_paid_meanwhile_keeps_it_paid(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.REQUIRES_ACTION, PLAN)

        def pay_first(_: str) -> None:
            world.psp.status = PaymentStatus.SUCCEEDED
            world.psp.refusal = Failure("paid", "It was paid.")

        world.psp.on_ask = pay_first
        world.pass_time(minutes=1)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["code"]) == (409, "not_cancelable")
        assert "Refund it" in answer.json["detail"]
        assert status_of(world, payment_id) == "succeeded"
        assert check(world)["active"] is True

    @pytest.mark.parametrize("known", [True, False])
    def test_of_what_is_paid_is_a_conflict(self, world: World, known: bool) -> None:
        if known:
            payment_id = paid(world)
        else:
            payment_id = create(world).json["id"]
            world.psp.status = PaymentStatus.SUCCEEDED
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["code"]) == (409, "not_cancelable")
        assert (status_of(world, payment_id), world.psp.cancels) == ("succeeded", [])

    def test_of_what_the_psp_did_not_answer_yet_has_to_wait(self, world: World) -> None:
        world.psp.alter = lambda outcome: UNKNOWN
        payment_id = create(world).json["id"]
        before = everything(world)
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["code"]) == (409, "not_cancelable")
        assert "Try again" in answer.json["detail"]
        assert everything(world) == before
        world.psp.alter = lambda outcome: outcome
        world.pass_time(minutes=1)
        assert cancel(world, payment_id).json["status"] == "canceled"

    def test_whose_answer_is_lost_is_settled_by_the_timer(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.REQUIRES_ACTION)
        world.psp.on_fetch = unreachable
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["status"]) == (202, "requires_action")
        world.psp.on_fetch = lambda reference: None
        world.pass_time(minutes=2)
        assert reconcile(world)["settled"] == 1
        assert status_of(world, payment_id) == "canceled"

    def test_that_did_not_reach_the_psp_is_asked_for_again(self, world: World) -> None:
        payment_id = moved(world, PaymentStatus.REQUIRES_ACTION)
        world.psp.on_ask = unreachable
        assert cancel(world, payment_id).status == 503
        world.psp.on_ask = lambda what: None
        world.pass_time(minutes=2)
        reconcile(world)
        assert (status_of(world, payment_id), len(world.psp.cancels)) == ("canceled", 1)

    def test_that_the_psp_refuses_is_wanted_no_more(self, world: World) -> None:
        payment_id = authorized(world)
        world.psp.refusal = Failure("busy", "Not now.")
        answer = cancel(world, payment_id)
        assert (answer.status, answer.json["code"]) == (422, "refused_by_psp")
        assert wanted(world) == [(None, False)]
        world.psp.refusal = None
        assert capture(world, payment_id).json["status"] == "succeeded"
