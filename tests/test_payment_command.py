"""`python -m tollgate payment`: what became of payments, and the decision about one in review."""

import json
from typing import Any

import pytest

from tests.operations.paying import AMOUNT, PLAN, create, everything, paid, status_of
from tests.operations.test_reviews import doubtful
from tests.test_operator_command import made, refused, run
from tests.world import World
from tollgate.commands import payments
from tollgate.domain.money import Money
from tollgate.domain.principal import EVERY_TENANT


def listed(world: World, *words: str) -> list[dict[str, Any]]:
    result = run(world.stores, "payment", "list", *words)
    assert (result.returncode, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines() if line]


class TestList:
    def test_tells_whose_it_is_and_what_the_psp_said(self, world: World) -> None:
        payment_id = doubtful(world, money=Money(9_999, "KES"))
        world.pass_time(minutes=1)
        paid_id = paid(world, key="k-2")
        (review,) = listed(world, "--status", "needs_review")
        assert (review["id"], review["app_id"]) == (payment_id, world.app.id)
        assert (review["said"]["amount"], review["failure"]["code"]) == (9_999, "amount_mismatch")
        every = listed(world)
        assert [each["id"] for each in every] == [paid_id, payment_id]
        assert every[0]["said"] is None

    def test_of_one_app(self, world: World) -> None:
        payment_id = create(world).json["id"]
        assert [each["id"] for each in listed(world, "--app", world.app.id)] == [payment_id]
        assert listed(world, "--app", world.other_app.id) == []
        assert "--app" in refused(run(world.stores, "payment", "list", "--app", "x"), 1)

    def test_tells_all_of_them(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(payments, "MAX_LIMIT", 2)
        made = set()
        for number in range(5):
            made.add(create(world, AMOUNT, f"k-{number}").json["id"])
            world.pass_time(minutes=1)
        every = world.context.within(EVERY_TENANT)
        found = [payment.id for payment in payments._every(every, {})]
        assert (len(found), set(found)) == (5, made)


class TestResolve:
    @pytest.mark.parametrize(("word", "status"), [("accept", "succeeded"), ("reject", "canceled")])
    def test_is_audited_as_the_operators(self, world: World, word: str, status: str) -> None:
        payment_id = doubtful(world, PLAN)
        words = ("--id", payment_id, f"--{word}", "--note", "Card 4242424242424242, seen")
        assert made(world.stores, "payment", "resolve", *words) == status
        assert status_of(world, payment_id) == status
        ((actor, note),) = world.rows(
            "SELECT actor, after ->> 'note' FROM audit_log WHERE action = %s",
            f"payment.review_{word}ed",
        )
        assert (actor, note) == ("operator:amina", "Card ************4242, seen")
        periods = world.rows("SELECT payment_id FROM subscription_periods")
        assert periods == ([(payment_id,)] if word == "accept" else [])

    @pytest.mark.parametrize("note", ["", "two\nlines", "x" * 256])
    def test_with_no_reason_to_speak_of_changes_nothing(self, world: World, note: str) -> None:
        payment_id = doubtful(world)
        before = everything(world)
        words = ("payment", "resolve", "--id", payment_id, "--accept", "--note", note)
        assert "note" in refused(run(world.stores, *words), 1)
        assert everything(world) == before

    def test_of_what_is_not_in_review_says_so(self, world: World) -> None:
        payment_id = paid(world)
        words = ("payment", "resolve", "--accept", "--note", "x", "--id")
        assert "no decision" in refused(run(world.stores, *words, payment_id), 1)
        assert "nothing here" in refused(run(world.stores, *words, "pay_0"), 1)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (("--id", "pay_0", "--note", "x"), "--accept --reject"),
            (("--id", "pay_0", "--note", "x", "--accept", "--reject"), "not allowed"),
            (("--id", "pay_0", "--accept"), "--note"),
            (("--accept", "--note", "x"), "--id"),
        ],
    )
    def test_wants_all_it_needs(self, words: tuple[str, ...], says: str) -> None:
        assert says in refused(run(None, "payment", "resolve", *words), 2)
