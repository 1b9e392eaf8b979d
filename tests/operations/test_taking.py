"""Where a PSP waits for us to take the money: taken once, as soon as the client agreed, and nothing
but what was asked, of what nobody has ended."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.operations.paying import (
    AMOUNT,
    PLAN,
    books,
    cancel,
    create,
    down,
    moved,
    read,
    reconcile,
    status_of,
    tell,
    told,
    up,
)
from tests.operations.test_access import check
from tests.world import World
from tollgate.domain.money import Money
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import Failure, PaymentStatus

AUTHORIZED = PaymentStatus.AUTHORIZED
REFUSED = Failure("instrument_declined", "The account was declined.")


@pytest.fixture
def taken(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Money]:
    """What the PSP was asked to take, each time."""
    asked: list[Money] = []
    capture = world.psp.capture

    def noted(psp_reference: str, money: Money, key: str) -> Failure | None:
        asked.append(money)
        return capture(psp_reference, money, key)

    monkeypatch.setattr(world.psp, "capture", noted)
    return asked


def agreed(world: World, body: Any = AMOUNT) -> str:
    """A payment that the client agreed to, and nobody has heard of; its id."""
    payment_id: str = create(world, body).json["id"]
    world.psp.status = AUTHORIZED
    return payment_id


def come_back(world: World, payment_id: str) -> None:
    world.call("payments/return", method="GET", path=f"/{payment_id}")


def wait(world: World, _: str) -> None:
    world.pass_time(minutes=2)
    reconcile(world)


def look(world: World, payment_id: str) -> None:
    read(world, payment_id)


WAYS = pytest.mark.parametrize(
    "way", [tell, come_back, look, wait], ids=["webhook", "return", "reading", "reconcile"]
)
Way = Callable[[World, str], Any]


class TestTaken:
    @WAYS
    def test_once_by_whoever_looks_first(self, world: World, taken: list[Money], way: Way) -> None:
        payment_id = agreed(world, PLAN)
        way(world, payment_id)
        assert status_of(world, payment_id) == "succeeded"
        assert taken == [Money(150_000, "KES")]
        assert check(world)["active"] is True
        assert books(world) == {"psp": 150_000, "app": -150_000}
        for again in (tell, come_back, look, wait):
            again(world, payment_id)
        assert len(taken) == 1
        assert told(world, "payment").count("payment.succeeded") == 1

    def test_is_what_the_app_sees_at_once(self, world: World, taken: list[Money]) -> None:
        payment_id = agreed(world)
        tell(world, payment_id)
        shown = read(world, payment_id)
        assert (shown["status"], shown["amount_captured"]) == ("succeeded", 10_000)
        assert "payment.authorized" not in told(world)

    def test_where_the_answer_to_the_create_says_so(self, world: World, taken: list[Money]) -> None:
        world.psp.status = AUTHORIZED
        world.psp.alter = lambda said: replace(said, status=world.psp.status, next_action=None)
        payment_id = create(world).json["id"]
        wait(world, payment_id)
        assert (status_of(world, payment_id), len(taken)) == ("succeeded", 1)


class TestNotTaken:
    @WAYS
    def test_where_the_app_does_it_itself(self, world: World, taken: list[Money], way: Way) -> None:
        payment_id = agreed(world, AMOUNT | {"capture": "manual"})
        way(world, payment_id)
        assert (status_of(world, payment_id), taken) == ("authorized", [])

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"money": Money(9_999, "KES")}, "amount_mismatch"),
            ({"money": Money(10_000, "UGX")}, "currency_mismatch"),
            ({"money": None}, "amount_mismatch"),
            ({"reference": "pay_another"}, "reference_mismatch"),
            ({"reference": None}, "reference_mismatch"),
            ({"livemode": True}, "livemode_mismatch"),
        ],
    )
    @WAYS
    def test_what_is_not_what_was_asked(
        self, world: World, taken: list[Money], way: Way, wrong: dict[str, Any], code: str
    ) -> None:
        payment_id = agreed(world)
        world.psp.alter = lambda said: replace(said, **wrong)
        way(world, payment_id)
        assert (status_of(world, payment_id), taken) == ("needs_review", [])
        assert read(world, payment_id)["failure"]["code"] == code

    @pytest.mark.parametrize(
        "status", [PaymentStatus.FAILED, PaymentStatus.EXPIRED, PaymentStatus.CANCELED]
    )
    def test_what_is_over_here(
        self, world: World, taken: list[Money], status: PaymentStatus
    ) -> None:
        payment_id = moved(world, status)
        world.psp.status = AUTHORIZED
        tell(world, payment_id)
        come_back(world, payment_id)
        assert (status_of(world, payment_id), taken) == (status, [])

    def test_what_the_app_wants_to_end(self, world: World, taken: list[Money]) -> None:
        payment_id = create(world).json["id"]
        world.psp.on_ask = down
        cancel(world, payment_id)
        world.psp.status = AUTHORIZED
        tell(world, payment_id)
        world.psp.on_ask = up
        wait(world, payment_id)
        assert (status_of(world, payment_id), taken) == ("canceled", [])

    def test_what_the_psp_refuses(self, world: World, taken: list[Money]) -> None:
        payment_id = agreed(world, PLAN)
        world.psp.refusal = REFUSED
        tell(world, payment_id)
        assert read(world, payment_id)["failure"]["code"] == "instrument_declined"
        assert (status_of(world, payment_id), books(world)) == ("failed", {})
        assert check(world)["active"] is False


class TestLost:
    """An answer that does not come is neither paid nor failed."""

    def test_what_was_taken_all_the_same_is_heard_at_the_next_look(
        self, world: World, taken: list[Money]
    ) -> None:
        payment_id = agreed(world)

        def take_and_fall_silent(_: str) -> None:
            world.psp.on_fetch = down

        world.psp.on_ask = take_and_fall_silent
        assert tell(world, payment_id).status == 503
        assert status_of(world, payment_id) == "requires_action"
        world.psp.on_fetch = up
        wait(world, payment_id)
        assert (status_of(world, payment_id), len(taken)) == ("succeeded", 1)

    def test_what_was_not_taken_is_taken_at_the_next_look(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        payment_id = agreed(world)
        with monkeypatch.context() as lost:
            lost.setattr(world.psp, "capture", lambda *_: None)
            tell(world, payment_id)
            assert status_of(world, payment_id) == "authorized"
        wait(world, payment_id)
        assert (status_of(world, payment_id), len(world.psp.captures)) == ("succeeded", 1)

    def test_a_psp_that_cannot_be_reached_takes_nothing(self, world: World) -> None:
        payment_id = agreed(world)
        world.psp.on_ask = down
        assert tell(world, payment_id).status == 503
        world.psp.on_ask = up
        assert tell(world, payment_id).status == 200
        assert status_of(world, payment_id) == "succeeded"

    def test_a_refusal_that_the_psp_takes_back_is_none(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It says that it was taken before: then it was."""
        payment_id = agreed(world)

        def was_taken(*_: object) -> Failure:
            world.psp.status = PaymentStatus.SUCCEEDED
            return Failure("order_already_captured", "It was taken before.")

        monkeypatch.setattr(world.psp, "capture", was_taken)
        tell(world, payment_id)
        assert status_of(world, payment_id) == "succeeded"

    def test_another_word_in_between_is_applied_as_it_is(
        self, world: World, taken: list[Money]
    ) -> None:
        """What was taken is another amount than was asked: for a human."""
        payment_id = agreed(world)

        def less(said: Outcome) -> Outcome:
            is_paid = said.status is PaymentStatus.SUCCEEDED
            return replace(said, money=Money(9_000, "KES")) if is_paid else said

        world.psp.alter = less
        tell(world, payment_id)
        assert (status_of(world, payment_id), len(taken)) == ("needs_review", 1)
