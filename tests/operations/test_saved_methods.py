"""What a client paid with and let the app keep, and what is charged to it while it is away."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.many_psps import ChoosyPsp, route, tell_of, with_psps
from tests.operations.paying import (
    AMOUNT,
    PLAN,
    Killed,
    books,
    create,
    die,
    everything,
    moved,
    paid,
    read,
    reconcile,
    status_of,
    up,
)
from tests.operations.test_access import check
from tests.operators import refusal
from tests.world import Answer, World
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus

KEEPING = AMOUNT | {"save_method": True}
AWAY = AMOUNT | {"off_session": True}
CARD = SavedMethod("cus_1", "pm_1")
OTHER_CARD = SavedMethod("cus_1", "pm_2")
DECLINED = Failure("card_declined", "The card was declined.")
MUST_AGREE = Failure("authentication_required", "The client must agree itself.")


def keeping(saved: SavedMethod | None) -> Callable[[Outcome], Outcome]:
    """A PSP that tells what was kept of a payment that was paid."""

    def alter(outcome: Outcome) -> Outcome:
        is_paid = outcome.status is PaymentStatus.SUCCEEDED
        return replace(outcome, saved_method=saved) if is_paid else outcome

    return alter


def kept(world: World, saved: SavedMethod = CARD, key: str = "k-1", **fields: Any) -> str:
    """A payment that was paid with this, which the client let the app keep; its id."""
    world.psp.alter = keeping(saved)
    payment_id = paid(world, KEEPING | fields, key)
    world.psp.alter = lambda outcome: outcome
    return payment_id


def charged(world: World, key: str = "away-1", **fields: Any) -> Answer:
    """A charge while the client is away."""
    return create(world, AWAY | fields, key)


def answering(world: World, status: PaymentStatus, failure: Failure | None = None) -> None:
    """What the PSP says at once to what it is asked to start."""
    world.psp.alter = lambda outcome: replace(
        outcome, status=status, failure=failure, next_action=None
    )


def saved_rows(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        """SELECT app_id, client_id, psp, customer_reference, method_reference, payment_id
           FROM saved_methods ORDER BY id"""
    )


class TestKeeping:
    def test_is_asked_of_the_psp_and_shown(self, world: World) -> None:
        answer = create(world, KEEPING)
        assert answer.json["save_method"] is True
        assert [order.save_method for order in world.psp.starts] == [True]
        assert create(world, AMOUNT, "k-2").json["save_method"] is False

    def test_is_done_once_it_is_paid(self, world: World) -> None:
        payment_id = kept(world)
        row = (world.app.id, "client-1", "stripe", "cus_1", "pm_1", payment_id)
        assert saved_rows(world) == [row]

    def test_is_done_where_it_is_paid_at_once(self, world: World) -> None:
        world.psp.alter = lambda outcome: replace(
            outcome, status=PaymentStatus.SUCCEEDED, next_action=None, saved_method=CARD
        )
        assert create(world, KEEPING).json["status"] == "succeeded"
        assert len(saved_rows(world)) == 1

    def test_is_done_once_for_a_method(self, world: World) -> None:
        kept(world)
        kept(world, key="k-2")
        assert len(saved_rows(world)) == 1

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (PaymentStatus.FAILED, KEEPING),
            (PaymentStatus.AUTHORIZED, KEEPING | {"capture": "manual"}),
            (PaymentStatus.SUCCEEDED, AMOUNT),
        ],
    )
    def test_is_not_done_of_what_is_unpaid_or_was_not_agreed_to(
        self, world: World, status: PaymentStatus, body: dict[str, Any]
    ) -> None:
        world.psp.alter = lambda outcome: replace(outcome, saved_method=CARD)
        moved(world, status, body)
        assert saved_rows(world) == []

    def test_is_not_done_where_the_psp_kept_nothing(self, world: World) -> None:
        world.psp.alter = keeping(None)
        paid(world, KEEPING)
        assert saved_rows(world) == []


class TestCharging:
    def test_takes_what_was_kept(self, world: World) -> None:
        kept(world)
        answering(world, PaymentStatus.SUCCEEDED)
        answer = charged(world)
        assert (answer.status, answer.json["status"]) == (201, "succeeded")
        assert (answer.json["off_session"], answer.json["next_action"]) == (True, None)
        assert world.psp.starts[-1].saved_method == CARD
        assert books(world) == {"psp": 20_000, "app": -20_000}

    def test_gives_its_period(self, world: World) -> None:
        kept(world)
        answering(world, PaymentStatus.SUCCEEDED)
        assert create(world, PLAN | {"off_session": True}, "away").json["status"] == "succeeded"
        assert check(world)["active"] is True

    def test_takes_the_newest(self, world: World) -> None:
        kept(world)
        world.pass_time(days=1)
        kept(world, OTHER_CARD, "k-2")
        charged(world)
        assert world.psp.starts[-1].saved_method == OTHER_CARD

    def test_tells_that_it_is_none_otherwise(self, world: World) -> None:
        assert read(world, kept(world))["off_session"] is False
        assert world.psp.starts[-1].saved_method is None

    @pytest.mark.parametrize("failure", [DECLINED, MUST_AGREE])
    def test_that_is_refused_has_failed(self, world: World, failure: Failure) -> None:
        kept(world)
        answering(world, PaymentStatus.FAILED, failure)
        answer = charged(world)
        assert (answer.status, answer.json["status"]) == (201, "failed")
        assert answer.json["failure"]["code"] == failure.code
        assert charged(world).body == answer.body
        assert len(world.psp.starts) == 2

    def test_without_an_answer_is_unknown_and_sent_again_as_it_was(self, world: World) -> None:
        kept(world)
        world.psp.alter = lambda _: UNKNOWN
        answer = charged(world)
        assert (answer.status, answer.json["status"]) == (202, "pending")
        kept(world, OTHER_CARD, "k-2")
        answering(world, PaymentStatus.SUCCEEDED)
        world.pass_time(seconds=31)
        reconcile(world)
        assert status_of(world, answer.json["id"]) == "succeeded"
        sent = [o for o in world.psp.starts if o.payment_id == answer.json["id"]]
        assert [order.saved_method for order in sent] == [CARD, CARD]

    def test_of_a_caller_who_died_is_finished_as_it_was(self, world: World) -> None:
        kept(world)
        world.psp.on_start = die
        with pytest.raises(Killed):
            charged(world)
        world.psp.on_start = up
        world.pass_time(seconds=31)
        reconcile(world)
        assert [order.saved_method for order in world.psp.starts] == [None, CARD, CARD]


class TestNothingKept:
    def test_is_told_and_leaves_no_trace(self, world: World) -> None:
        before = everything(world)
        assert refusal(charged(world)) == (422, "no_saved_method", [])
        assert (everything(world), world.psp.starts) == (before, [])

    def test_by_another_client(self, world: World) -> None:
        kept(world)
        assert refusal(charged(world, client_id="client-2")) == (422, "no_saved_method", [])

    def test_by_a_client_of_this_id_of_another_app(self, world: World) -> None:
        kept(world)
        before = everything(world)
        headers = {"idempotency-key": "away-1"}
        key = world.other_app.key
        answer = world.call("payments/create", body=AWAY, headers=headers, key=key)
        assert refusal(answer) == (422, "no_saved_method", [])
        assert everything(world) == before

    def test_at_another_psp(self, world: World) -> None:
        stripe, paypal = ChoosyPsp(), ChoosyPsp(status=PaymentStatus.SUCCEEDED)
        with_psps(world, {"stripe": stripe, "paypal": paypal})
        paypal.alter = keeping(CARD)
        payment_id = create(world, KEEPING | {"psp": "paypal"}).json["id"]
        tell_of(world, "paypal", payment_id)
        assert refusal(charged(world, psp="stripe")) == (422, "no_saved_method", [])
        assert refusal(charged(world)) == (422, "no_saved_method", [])
        route(world, {"psps": ["stripe", "paypal"]})
        assert charged(world).json["psp"] == "paypal"
        assert (stripe.starts, paypal.starts[-1].saved_method) == ([], CARD)

    def test_where_the_psp_cannot(self, world: World) -> None:
        kept(world)
        world.psp.capabilities = replace(world.psp.capabilities, off_session=False)
        before = everything(world)
        answer = charged(world)
        assert refusal(answer) == (422, "unsupported_by_psp", [])
        assert "off_session" in answer.json["detail"]
        assert everything(world) == before


@pytest.mark.parametrize(
    "fields", [{"method": "card"}, {"save_method": True}, {"page": "embedded"}]
)
def test_who_is_away_chooses_nothing(world: World, fields: dict[str, Any]) -> None:
    kept(world)
    before = everything(world)
    answer = charged(world, **fields)
    assert (answer.status, answer.json["code"]) == (422, "invalid_fields")
    assert "off_session" in answer.json["errors"][0]["message"]
    assert everything(world) == before
