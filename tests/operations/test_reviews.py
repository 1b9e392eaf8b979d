"""Payments in review: listed for operators, who decide, with a reason that stays."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    books,
    everything,
    moved,
    paid,
    read,
    reconcile,
    refund,
    status_of,
    tell,
    told,
)
from tests.operations.test_access import check
from tests.operators import Operator, refusal
from tests.world import World
from tollgate.domain.money import Money
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus

ACCEPT = {"resolution": "accept", "note": "Seen at the PSP"}
REJECT = {"resolution": "reject", "note": "Not ours"}


@pytest.fixture
def reviews(world: World) -> Operator:
    return Operator(world, "reviews")


def doubtful(world: World, body: Any = AMOUNT, key: str = "k-1", **said: Any) -> str:
    """A payment whose PSP says that it was paid, and something that does not match."""
    said = said or {"livemode": True}
    world.psp.alter = _altered(said)
    payment_id = moved(world, PaymentStatus.SUCCEEDED, body, key)
    world.psp.alter = lambda outcome: outcome
    assert status_of(world, payment_id) == "needs_review"
    return payment_id


def _altered(said: dict[str, Any]) -> Callable[[Outcome], Outcome]:
    def alter(outcome: Outcome) -> Outcome:
        return replace(outcome, **said) if outcome.status is PaymentStatus.SUCCEEDED else outcome

    return alter


def doubted_later(world: World, body: Any = AMOUNT) -> str:
    """A paid payment of which the PSP then says that more went back than was taken."""
    payment_id = paid(world, body)
    reference = world.psp.refund_there(payment_id, Money(10**6, "KES"))
    tell(world, payment_id)
    assert status_of(world, payment_id) == "needs_review"
    del world.psp.refunds[reference]
    return payment_id


class TestList:
    def test_tells_what_was_asked_and_what_was_said(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world, money=Money(9_999, "KES"))
        (review,) = reviews.ask("GET").json["data"]
        assert (review["object"], review["app_id"]) == ("review", world.app.id)
        assert (review["payment"]["id"], review["payment"]["amount"]) == (payment_id, 10_000)
        assert review["payment"]["failure"]["code"] == "amount_mismatch"
        assert review["said"] == {
            "status": "succeeded",
            "reference": payment_id,
            "livemode": False,
            "amount": 9_999,
            "currency": "KES",
            "refunds_and_disputes": [],
        }
        assert review["since"] == "2026-01-31T09:00:00Z"

    def test_shows_those_of_every_app_newest_first_or_of_one(
        self, world: World, reviews: Operator
    ) -> None:
        made: list[str] = []
        for number in range(3):
            made.insert(0, doubtful(world, key=f"k-{number}"))
            world.pass_time(minutes=1)
        paid(world, key="k-paid")
        pages = [[each["payment"]["id"] for each in page] for page in reviews.pages(2)]
        assert pages == [made[:2], made[2:]]
        for app, count in ((world.app, 3), (world.other_app, 0)):
            assert len(reviews.ask("GET", query=f"app_id={app.id}").json["data"]) == count
        answer = reviews.ask("GET", query="app_id=nonsense!")
        assert refusal(answer) == (422, "invalid_fields", ["app_id"])


class TestAccept:
    def test_of_what_was_never_paid_gives_its_period(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world, PLAN)
        assert check(world)["active"] is False
        world.pass_time(days=1)
        answer = reviews.ask("POST", f"/{payment_id}", ACCEPT)
        assert (answer.status, answer.json["status"]) == (200, "succeeded")
        assert (answer.json["amount_captured"], answer.json["failure"]) == (150_000, None)
        now = check(world)
        assert (now["active"], now["paid_through"]) == (True, "2026-03-01T09:00:00Z")
        assert answer.json["subscription_id"] == now["subscription_id"]
        assert books(world) == {"psp": 150_000, "app": -150_000}
        assert told(world, "payment")[-1] == "payment.succeeded"
        assert told(world, "subscription") == ["subscription.activated"]
        assert reviews.ask("GET").json["data"] == []

    @pytest.mark.parametrize(
        ("said", "captured"),
        [
            ({"money": Money(9_999, "KES")}, 9_999),
            ({"money": Money(10_001, "KES")}, 10_000),
            ({"money": Money(80, "USD")}, 10_000),
            ({"money": Money(0, "KES")}, 10_000),
            ({"money": None}, 10_000),
            ({"livemode": True}, 10_000),
        ],
    )
    def test_records_no_more_than_was_asked(
        self, world: World, reviews: Operator, said: dict[str, Any], captured: int
    ) -> None:
        payment_id = doubtful(world, **said)
        accepted = reviews.ask("POST", f"/{payment_id}", ACCEPT).json
        assert accepted["amount_captured"] == captured
        assert books(world) == {"psp": captured, "app": -captured}
        assert refund(world, payment_id).json["amount"] == captured

    def test_what_was_said_meanwhile_is_looked_for(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world)
        world.psp.refund_there(payment_id, Money(300, "KES"))
        tell(world, payment_id)
        assert status_of(world, payment_id) == "needs_review"
        reviews.ask("POST", f"/{payment_id}", ACCEPT)
        world.pass_time(minutes=2)
        reconcile(world)
        assert read(world, payment_id)["amount_refunded"] == 300

    def test_the_check_knows_its_period_at_once(self, world: World, reviews: Operator) -> None:
        paid(world, PLAN)
        payment_id = doubtful(world, PLAN, "k-2")
        assert check(world)["paid_through"] == "2026-02-28T09:00:00Z"
        reviews.ask("POST", f"/{payment_id}", ACCEPT)
        assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"

    def test_of_what_was_paid_before_is_as_it_was(self, world: World, reviews: Operator) -> None:
        payment_id = doubted_later(world, PLAN)
        assert check(world)["active"] is True
        answer = reviews.ask("POST", f"/{payment_id}", ACCEPT)
        assert (answer.json["status"], answer.json["failure"]) == ("succeeded", None)
        assert world.rows("SELECT count(*) FROM subscription_periods") == [(1,)]
        assert books(world) == {"psp": 150_000, "app": -150_000}

    def test_of_what_was_refunded_in_part_is_so_again(
        self, world: World, reviews: Operator
    ) -> None:
        payment_id = paid(world)
        refund(world, payment_id, {"amount": 100})
        world.psp.refund_there(payment_id, Money(1, "USD"))
        tell(world, payment_id)
        accepted = reviews.ask("POST", f"/{payment_id}", ACCEPT).json
        assert (accepted["status"], accepted["amount_refunded"]) == ("partially_refunded", 100)


class TestReject:
    def test_cancels_and_gives_nothing(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world, PLAN)
        answer = reviews.ask("POST", f"/{payment_id}", REJECT)
        assert (answer.status, answer.json["status"]) == (200, "canceled")
        assert answer.json["failure"]["code"] == "livemode_mismatch"  # why
        assert (check(world)["active"], books(world)) == (False, {})
        assert told(world)[-1] == "payment.canceled"

    def test_of_what_was_paid_is_a_conflict(self, world: World, reviews: Operator) -> None:
        payment_id = doubted_later(world)
        before = everything(world)
        answer = reviews.ask("POST", f"/{payment_id}", REJECT)
        assert (answer.status, answer.json["code"]) == (409, "conflict")
        assert "refund it" in answer.json["detail"]
        assert everything(world) == before


class TestTheDecision:
    @pytest.mark.parametrize("body", [ACCEPT, REJECT])
    def test_is_audited_with_its_reason(
        self, world: World, reviews: Operator, body: dict[str, str]
    ) -> None:
        payment_id = doubtful(world)
        reviews.ask("POST", f"/{payment_id}", body)
        app_id, actor, action, before, after = reviews.audited(payment_id)[-1]
        assert (app_id, actor) == (world.app.id, reviews.actor)
        assert action == f"payment.review_{body['resolution']}ed"
        assert after["note"] == body["note"]
        assert (before["status"], before["said"]["livemode"]) == ("needs_review", True)
        happened = read(world, payment_id)["timeline"][-1]
        assert (happened["what"], happened["by"]) == (action, "operator")
        assert body["note"] not in str(happened)

    def test_is_made_once(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world, PLAN)
        reviews.ask("POST", f"/{payment_id}", ACCEPT)
        before = everything(world)
        for body in (ACCEPT, REJECT):
            answer = reviews.ask("POST", f"/{payment_id}", body)
            assert (answer.status, answer.json["code"]) == (409, "not_in_review")
        assert everything(world) == before

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"note": ""}, "note"),
            ({"note": None}, "note"),
            ({"note": "two\nlines"}, "note"),
            ({"note": "nul\0"}, "note"),
            ({"note": "x" * 256}, "note"),
            ({"note": "card 4242 4242 4242 4242"}, "note"),
            ({"resolution": "maybe"}, "resolution"),
            ({"resolution": True}, "resolution"),
            ({"amount": 5}, "amount"),
        ],
    )
    def test_that_cannot_be_read_changes_nothing(
        self, world: World, reviews: Operator, change: dict[str, Any], field: str
    ) -> None:
        payment_id = doubtful(world)
        before = everything(world)
        answer = reviews.ask("POST", f"/{payment_id}", ACCEPT | change)
        assert refusal(answer) == (422, "invalid_fields", [field])
        assert everything(world) == before

    @pytest.mark.parametrize("target", ["pay_0", "nonsense", "' OR '1'='1"])
    def test_about_nothing_is_404(self, reviews: Operator, target: str) -> None:
        assert reviews.ask("POST", f"/{target}", ACCEPT).status == 404

    def test_is_no_apps(self, world: World) -> None:
        payment_id = doubtful(world)
        answer = world.call("admin/reviews", path=f"/{payment_id}", body=ACCEPT)
        assert answer.status == 403


class TestDecided:
    """What an operator has decided about is not asked again, unless the PSP says something else."""

    def test_the_same_words_change_nothing(self, world: World, reviews: Operator) -> None:
        payment_id = doubtful(world)
        assert reviews.ask("POST", f"/{payment_id}", REJECT).status == 200
        world.psp.alter = _altered({"livemode": True})
        tell(world, payment_id)
        assert status_of(world, payment_id) == "canceled"
        world.psp.alter = _altered({"money": Money(9_999, "KES")})
        tell(world, payment_id)
        assert status_of(world, payment_id) == "needs_review"

    def test_nor_do_those_of_refunds(self, world: World, reviews: Operator) -> None:
        payment_id = paid(world)
        world.psp.refund_there(payment_id, Money(10**6, "KES"))
        tell(world, payment_id)
        (review,) = reviews.ask("GET").json["data"]
        assert review["said"]["refunds_and_disputes"] == ["re_1: succeeded, 1000000 KES"]
        assert reviews.ask("POST", f"/{payment_id}", ACCEPT).status == 200
        tell(world, payment_id)
        assert status_of(world, payment_id) == "succeeded"
        world.psp.refund_there(payment_id, Money(10**6, "KES"))
        tell(world, payment_id)
        assert status_of(world, payment_id) == "needs_review"

    def test_what_else_the_psp_told_takes_effect(self, world: World, reviews: Operator) -> None:
        payment_id = paid(world, PLAN)
        world.psp.refund_there(payment_id, Money(150_000, "KES"))
        world.psp.refund_there(payment_id, Money(5, "USD"))
        tell(world, payment_id)
        assert (status_of(world, payment_id), check(world)["active"]) == ("needs_review", True)
        assert reviews.ask("POST", f"/{payment_id}", ACCEPT).status == 200
        assert status_of(world, payment_id) == "refunded"
        (period,) = world.rows("SELECT reversal ->> 'reason' FROM subscription_periods")
        assert period == ("refunded",)
        for _ in range(2):  # what Redis held before is not believed any more
            answer = check(world)
            assert (answer["active"], answer["reason"]) == (False, "refunded")
