"""What a PSP claims in an event and can't tell when it is asked, or tells under another name: for a
human to decide, once."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.paying import PLAN, books, down, everything, status_of
from tests.operations.test_access import check
from tests.operations.test_callbacks import NotifyingPsp, about, notify, start
from tests.operations.test_reviews import ACCEPT, REJECT
from tests.operators import Operator
from tests.scripted_psp import ScriptedPsp
from tests.world import World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.storage import strays

SUCCEEDED = PaymentStatus.SUCCEEDED
ALARM = Failure("debited_not_credited", "The client was debited, and nothing arrived.")


@pytest.fixture
def psp(world: World) -> NotifyingPsp:
    world.psp = NotifyingPsp()
    return world.psp


def alerts(printed: str) -> list[str]:
    """The codes of what was logged for somebody to be woken."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [line["code"] for line in lines if line.get("alert")]


class TestAlarm:
    """What the event alone claims is for a human, unless the payment is paid."""

    def test_puts_it_into_review(
        self, world: World, psp: NotifyingPsp, capsys: pytest.CaptureFixture[str]
    ) -> None:
        payment_id = start(world, PLAN)
        about(psp, payment_id, alarm=ALARM)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "needs_review"
        assert alerts(capsys.readouterr().out) == ["debited_not_credited"]
        assert (check(world)["active"], books(world)) == (False, {})

    @pytest.mark.parametrize("status", [PaymentStatus.FAILED, PaymentStatus.EXPIRED])
    def test_also_of_what_has_ended(
        self, world: World, psp: NotifyingPsp, status: PaymentStatus
    ) -> None:
        payment_id = start(world)
        psp.status = status
        about(psp, payment_id, alarm=ALARM)
        notify(world)
        assert status_of(world, payment_id) == "needs_review"

    def test_not_what_is_paid(
        self, world: World, psp: NotifyingPsp, capsys: pytest.CaptureFixture[str]
    ) -> None:
        payment_id = start(world)
        psp.status = SUCCEEDED
        about(psp, payment_id, alarm=ALARM)
        notify(world)
        assert (status_of(world, payment_id), alerts(capsys.readouterr().out)) == ("succeeded", [])

    def test_is_heard_while_the_psp_is_silent(self, world: World, psp: NotifyingPsp) -> None:
        payment_id = start(world)
        psp.on_fetch = down
        about(psp, payment_id, alarm=ALARM)
        assert notify(world).status == 503
        assert status_of(world, payment_id) == "needs_review"

    def test_is_heard_whoever_else_calls_too_often(self, world: World, psp: NotifyingPsp) -> None:
        payment_id = start(world)
        for _ in range(strays.MAX_PER_WINDOW):
            strays.count(world.context.cache, "pesapal")
        about(psp, payment_id)
        assert notify(world).status == 429
        about(psp, payment_id, alarm=ALARM)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "needs_review"

    @pytest.mark.parametrize(("decision", "then"), [(ACCEPT, "succeeded"), (REJECT, "canceled")])
    def test_somebody_decides_once(
        self, world: World, psp: NotifyingPsp, decision: dict[str, str], then: str
    ) -> None:
        payment_id = start(world, PLAN)
        about(psp, payment_id, alarm=ALARM)
        notify(world)
        answer = Operator(world, "reviews").ask("POST", f"/{payment_id}", decision)
        assert (answer.status, answer.json["status"]) == (200, then)
        assert check(world)["active"] is (then == "succeeded")
        decided = everything(world)["payments"]
        world.pass_time(seconds=5)
        notify(world)  # the same words again
        assert status_of(world, payment_id) == then
        assert everything(world)["payments"] == decided


class TestPaidElsewhere:
    """Money that the PSP took for a payment under a reference that is not the one we know."""

    @pytest.fixture
    def payment_id(self, world: World, psp: NotifyingPsp) -> str:
        payment_id = start(world, PLAN)
        self.told_of(psp, payment_id)
        return payment_id

    @staticmethod
    def told_of(psp: NotifyingPsp, payment_id: str, **changed: Any) -> None:
        about(psp, payment_id, psp_reference="ref_other")
        money = next(o.money for o in psp.opened.values() if o.payment_id == payment_id)
        other = Outcome(SUCCEEDED, "ref_other", payment_id, money, livemode=False)
        psp.others["ref_other"] = replace(other, **changed)

    def test_is_for_a_human(
        self,
        world: World,
        psp: NotifyingPsp,
        payment_id: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "needs_review"
        assert alerts(capsys.readouterr().out) == ["paid_elsewhere"]
        assert (check(world)["active"], books(world)) == (False, {})

    def test_is_heard_though_somebody_asked_just_now(
        self, world: World, psp: NotifyingPsp, payment_id: str
    ) -> None:
        world.call("payments/return", method="GET", path=f"/{payment_id}")
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "needs_review"

    def test_says_where_the_money_is(
        self, world: World, psp: NotifyingPsp, payment_id: str
    ) -> None:
        notify(world)
        ((review,),) = world.rows("SELECT review FROM payments")
        assert review["psp_reference"] == "ref_other"

    def test_accepted_it_is_paid(self, world: World, psp: NotifyingPsp, payment_id: str) -> None:
        notify(world)
        answer = Operator(world, "reviews").ask("POST", f"/{payment_id}", ACCEPT)
        assert (answer.status, answer.json["amount_captured"]) == (200, 150_000)
        assert check(world)["active"] is True
        assert books(world) == {"psp": 150_000, "app": -150_000}

    @pytest.mark.parametrize(("decision", "then"), [(ACCEPT, "succeeded"), (REJECT, "canceled")])
    def test_the_same_words_change_nothing_after_a_decision(
        self,
        world: World,
        psp: NotifyingPsp,
        payment_id: str,
        decision: dict[str, str],
        then: str,
    ) -> None:
        notify(world)
        Operator(world, "reviews").ask("POST", f"/{payment_id}", decision)
        decided = everything(world)["payments"]
        world.pass_time(seconds=5)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == then
        assert everything(world)["payments"] == decided

    def test_of_what_was_paid_before_can_only_be_accepted(
        self, world: World, psp: NotifyingPsp, payment_id: str
    ) -> None:
        psp.status = SUCCEEDED
        notify(world)
        assert status_of(world, payment_id) == "needs_review"  # it was paid twice
        reviews = Operator(world, "reviews")
        assert reviews.ask("POST", f"/{payment_id}", REJECT).status == 409
        assert reviews.ask("POST", f"/{payment_id}", ACCEPT).json["status"] == "succeeded"
        assert books(world) == {"psp": 150_000, "app": -150_000}
        assert check(world)["active"] is True
        world.pass_time(seconds=5)
        notify(world)
        assert status_of(world, payment_id) == "succeeded"

    @pytest.mark.parametrize(
        "changed",
        [
            {"status": PaymentStatus.REQUIRES_ACTION},
            {"status": PaymentStatus.FAILED},
            {"status": PaymentStatus.PENDING},
            {"reference": "pay_another"},
            {"reference": None},
        ],
    )
    def test_what_is_unpaid_or_anothers_is_not(
        self, world: World, psp: NotifyingPsp, payment_id: str, changed: dict[str, Any]
    ) -> None:
        self.told_of(psp, payment_id, **changed)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "requires_action"

    def test_a_psp_that_cannot_tell_is_told_to_come_again(
        self, world: World, psp: NotifyingPsp, payment_id: str
    ) -> None:
        def down_for_this(reference: str) -> Outcome:
            if reference == "ref_other":
                raise PspUnavailable
            return ScriptedPsp.fetch(psp, reference)

        with pytest.MonkeyPatch.context() as broken:
            broken.setattr(psp, "fetch", down_for_this)
            assert notify(world).status == 503
        world.pass_time(seconds=1)
        assert notify(world).status == 200
        assert status_of(world, payment_id) == "needs_review"
