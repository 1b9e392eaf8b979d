"""Refunds that no PSP makes when it is asked: people do, there or here, and an operator tells."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    Killed,
    books,
    create,
    die,
    down,
    everything,
    paid,
    read,
    reconcile,
    refund,
    status_of,
    tell,
    told,
    up,
    with_rule,
)
from tests.operations.test_access import check
from tests.operations.test_reviews import ACCEPT
from tests.operators import Operator
from tests.test_operator_command import made, refused, run
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.capabilities import RefundBy
from tollgate.domain.errors import Conflict, NotFound
from tollgate.domain.money import Money
from tollgate.domain.outcome import Outcome, RefundOutcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.plan import RefundRule
from tollgate.domain.principal import EVERY_TENANT
from tollgate.domain.refund import Refund, RefundStatus
from tollgate.operations.refunds import settle_by_hand

BY_PEOPLE = pytest.mark.parametrize("by", [RefundBy.REQUEST, RefundBy.MANUAL])


def refunds_by(world: World, by: RefundBy) -> None:
    """How money goes back from now on; the PSP's own word names no refund."""
    world.psp.capabilities = replace(world.psp.capabilities, refund=by)
    world.psp.alter = lambda said: replace(said, refunds=())


def asked(world: World, by: RefundBy, amount: int | None = None, body: Any = AMOUNT) -> str:
    """A refund that was asked for; its id."""
    payment_id = paid(world, body)
    refunds_by(world, by)
    answer = refund(world, payment_id, {"amount": amount} if amount else b"{}")
    assert (answer.status, answer.json["status"]) == (202, "pending"), answer.body
    refund_id: str = answer.json["id"]
    return refund_id


def payment_of(world: World) -> str:
    ((payment_id,),) = world.rows("SELECT id FROM payments")
    return str(payment_id)


def settled(world: World, refund_id: str, *, done: bool) -> Refund:
    """After an operator told what became of it."""
    context = world.context.within(EVERY_TENANT)
    return settle_by_hand(context, refund_id, "operator:amina", done=done)


def later(world: World) -> None:
    world.pass_time(hours=2)
    reconcile(world)


class TestRequest:
    """The PSP takes the wish, once; people there decide."""

    def test_it_is_asked_once(self, world: World) -> None:
        asked(world, RefundBy.REQUEST)
        assert [order.money for order in world.psp.refund_orders] == [Money(10_000, "KES")]
        assert refund(world, payment_of(world)).status == 202
        for _ in range(3):
            later(world)
        assert len(world.psp.refund_orders) == 1

    @pytest.mark.parametrize(
        ("point", "sent"), [(CrashPoint.REFUND_CLAIMED, 0), (CrashPoint.REFUND_SENT, 1)]
    )
    def test_it_is_not_asked_again_after_a_crash(
        self, world: World, point: CrashPoint, sent: int
    ) -> None:
        """Nobody knows whether it was asked: asked twice, people may give back twice."""
        payment_id = paid(world)
        refunds_by(world, RefundBy.REQUEST)
        listen(point, die)
        try:
            with pytest.raises(Killed):
                refund(world, payment_id)
        finally:
            listen(point, lambda: None)
        world.pass_time(seconds=31)
        again = refund(world, payment_id)
        assert (again.status, again.json["status"]) == (202, "pending")
        later(world)
        assert len(world.psp.refund_orders) == sent

    def test_it_is_not_asked_again_after_an_answer_that_was_lost(self, world: World) -> None:
        payment_id = paid(world)
        refunds_by(world, RefundBy.REQUEST)
        world.psp.on_fetch = down
        assert refund(world, payment_id).status == 202
        world.psp.on_fetch = up
        later(world)
        assert len(world.psp.refund_orders) == 1

    def test_a_refusal_is_one(self, world: World) -> None:
        payment_id = paid(world)
        refunds_by(world, RefundBy.REQUEST)
        world.psp.refusal = Failure("partial_refund_unsupported", "All or nothing.")
        answer = refund(world, payment_id)
        assert (answer.status, answer.json["status"]) == (201, "failed")
        assert answer.json["failure"]["code"] == "partial_refund_unsupported"

    def test_the_psps_word_without_an_amount_settles_it(self, world: World) -> None:
        refund_id = asked(world, RefundBy.REQUEST, 4_000)

        def reversed_(said: Outcome) -> Outcome:
            word = RefundOutcome("reversed", None, None, RefundStatus.SUCCEEDED)
            return replace(said, refunds=(word,))

        world.psp.alter = reversed_
        for _ in range(2):
            tell(world, payment_of(world))
        (shown,) = read(world, payment_of(world))["refunds"]
        assert (shown["id"], shown["amount"], shown["status"]) == (refund_id, 4_000, "succeeded")
        assert status_of(world, payment_of(world)) == "partially_refunded"
        assert books(world) == {"psp": 6_000, "app": -6_000}


class TestManual:
    def test_nobody_is_asked(self, world: World) -> None:
        asked(world, RefundBy.MANUAL)
        for _ in range(3):
            later(world)
        assert refund(world, payment_of(world)).status == 202
        assert world.psp.refund_orders == []

    def test_no_more_than_was_taken_is_promised(self, world: World) -> None:
        asked(world, RefundBy.MANUAL, 4_000)
        answer = refund(world, payment_of(world), {"amount": 6_001}, "r-2")
        assert answer.status == 422
        assert refund(world, payment_of(world), {"amount": 6_000}, "r-3").status == 202


@BY_PEOPLE
class TestSettled:
    def test_done_the_money_is_back(self, world: World, by: RefundBy) -> None:
        refund_id = asked(world, by, 4_000)
        after = settled(world, refund_id, done=True)
        assert (after.status, after.failure) == (RefundStatus.SUCCEEDED, None)
        payment = read(world, payment_of(world))
        assert (payment["status"], payment["amount_refunded"]) == ("partially_refunded", 4_000)
        assert books(world) == {"psp": 6_000, "app": -6_000}
        assert told(world, "refund") == ["refund.succeeded"]
        ((actor,),) = world.rows(
            """SELECT DISTINCT actor FROM audit_log
               WHERE object_id = %s AND after ->> 'status' = 'succeeded'""",
            refund_id,
        )
        assert actor == "operator:amina"

    def test_failed_nothing_is_back_and_it_may_be_asked_again(
        self, world: World, by: RefundBy
    ) -> None:
        refund_id = asked(world, by)
        after = settled(world, refund_id, done=False)
        assert after.status is RefundStatus.FAILED
        assert after.failure is not None and after.failure.code == "refused_by_hand"
        payment = read(world, payment_of(world))
        assert (payment["status"], payment["amount_refunded"]) == ("succeeded", 0)
        assert books(world) == {"psp": 10_000, "app": -10_000}
        assert told(world, "refund") == ["refund.failed"]
        assert refund(world, payment_of(world), key="r-2").status == 202

    def test_access_ends_by_the_plans_rule(self, world: World, by: RefundBy) -> None:
        with_rule(world, RefundRule.END_NOW)
        refund_id = asked(world, by, body=PLAN)
        assert check(world)["active"] is True
        settled(world, refund_id, done=True)
        assert check(world)["active"] is False

    def test_nobody_looks_any_more(self, world: World, by: RefundBy) -> None:
        refund_id = asked(world, by)
        later(world)
        settled(world, refund_id, done=True)
        later(world)
        world.pass_time(days=1)
        assert reconcile(world)["looked_at"] == 0

    @pytest.mark.parametrize("done", [True, False])
    def test_a_second_decision_is_a_conflict(self, world: World, by: RefundBy, done: bool) -> None:
        refund_id = asked(world, by)
        settled(world, refund_id, done=done)
        before = everything(world)
        for again in (True, False):
            with pytest.raises(Conflict):
                settled(world, refund_id, done=again)
        assert everything(world) == before

    def test_while_its_payment_is_in_review_it_waits(self, world: World, by: RefundBy) -> None:
        refund_id = asked(world, by, 4_000)
        payment_id = payment_of(world)
        too_much = RefundOutcome("re_1", None, Money(10**6, "KES"), RefundStatus.SUCCEEDED)
        world.psp.alter = lambda said: replace(said, refunds=(too_much,))
        tell(world, payment_id)
        assert status_of(world, payment_id) == "needs_review"
        with pytest.raises(Conflict, match="in review"):
            settled(world, refund_id, done=True)
        Operator(world, "reviews").ask("POST", f"/{payment_id}", ACCEPT)
        assert settled(world, refund_id, done=True).status is RefundStatus.SUCCEEDED


class TestRefused:
    def test_where_the_psp_tells_itself(self, world: World) -> None:
        payment_id = paid(world)
        world.psp.refund_status = RefundStatus.PENDING
        refund_id = refund(world, payment_id).json["id"]
        before = everything(world)
        with pytest.raises(Conflict, match="by itself"):
            settled(world, refund_id, done=True)
        assert everything(world) == before

    def test_where_there_is_none(self, world: World) -> None:
        with pytest.raises(NotFound):
            settled(world, "ref_0199c1", done=True)


class TestCommand:
    """As an operator types it, of a refund at Pesapal."""

    @pytest.fixture
    def refund_id(self, world: World) -> str:
        payment_id = create(world, AMOUNT | {"psp": "pesapal"}).json["id"]
        world.psp.status = PaymentStatus.SUCCEEDED
        read(world, payment_id)
        refunds_by(world, RefundBy.REQUEST)
        refund_id: str = refund(world, payment_id).json["id"]
        return refund_id

    def listed(self, world: World) -> list[dict[str, Any]]:
        result = run(world.stores, "refund", "list")
        assert (result.returncode, result.stderr) == (0, "")
        return [json.loads(line) for line in result.stdout.splitlines() if line]

    def test_what_waits_is_listed_until_it_is_settled(self, world: World, refund_id: str) -> None:
        (waiting,) = self.listed(world)
        assert (waiting["id"], waiting["amount"], waiting["status"]) == (
            refund_id,
            10_000,
            "pending",
        )
        assert made(world.stores, "refund", "settle", "--id", refund_id, "--done") == "succeeded"
        assert self.listed(world) == []
        assert status_of(world, payment_of(world)) == "refunded"
        ((actor,),) = world.rows("SELECT actor FROM audit_log WHERE action = 'refund.succeeded'")
        assert actor == "operator:amina"

    def test_it_did_not_go_back(self, world: World, refund_id: str) -> None:
        assert made(world.stores, "refund", "settle", "--id", refund_id, "--failed") == "failed"
        assert status_of(world, payment_of(world)) == "succeeded"
        words = ("refund", "settle", "--id", refund_id, "--done")
        assert "failed already" in refused(run(world.stores, *words), 1)

    @pytest.mark.parametrize("asked_for", ["x", "pay_0199c1", "ref_0199c1"])
    def test_what_is_none_changes_nothing(
        self, world: World, refund_id: str, asked_for: str
    ) -> None:
        before = everything(world)
        refused(run(world.stores, "refund", "settle", "--id", asked_for, "--done"), 1)
        assert everything(world) == before

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--id", "ref_0"), "--done --failed"),
            (("--id", "ref_0", "--done", "--failed"), "not allowed"),
            (("--done",), "--id"),
        ],
    )
    def test_wants_all_it_needs(self, words: tuple[str, ...], says: str) -> None:
        assert says in refused(run(None, "refund", "settle", *words), 2)
