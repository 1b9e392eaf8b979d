"""Settle: one fact takes effect once, however often and in whatever order it is told."""

import contextlib
import itertools
import json
import random
import threading
from dataclasses import replace
from typing import Any

import pytest
import redis

from tests.world import Answer, World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus
from tollgate.operations.context import Context


def create(world: World, client_id: str = "client-1", key: str = "k-1") -> str:
    answer = world.call(
        "payments/create",
        body={"client_id": client_id, "plan": "monthly", "return_url": "https://shop.example/back"},
        headers={"idempotency-key": key},
    )
    payment_id: str = answer.json["id"]
    return payment_id


def deliver(world: World, payment_id: str | None, event_id: str = "evt_1", **more: Any) -> Answer:
    event = {
        "event_id": event_id,
        "type": "checkout.session.completed",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": f"ref_{payment_id}",
        **more,
    }
    return world.call(
        "webhook/receive", path="/stripe", body=event, headers={"signature": "signed"}
    )


def effects(world: World, payment_id: str) -> dict[str, Any]:
    """All that a settled payment left behind."""
    return {
        "status": world.rows("SELECT status FROM payments WHERE id = %s", payment_id),
        "periods": world.rows("SELECT payment_id, starts_at, ends_at FROM subscription_periods"),
        "subscriptions": world.rows("SELECT id, paid_through FROM subscriptions"),
        "events": world.rows("SELECT type, aggregate_id, sequence FROM outbox ORDER BY id"),
        "audit": world.rows("SELECT action, object_id FROM audit_log ORDER BY id"),
    }


def test_a_paid_plan_gives_its_period(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    assert deliver(world, payment_id).status == 200
    after = effects(world, payment_id)
    assert after["status"] == [("succeeded",)]
    [(paid_by, starts_at, ends_at)] = after["periods"]
    assert (paid_by, str(starts_at), str(ends_at)) == (
        payment_id,
        "2026-01-31 09:00:00+00:00",
        "2026-02-28 09:00:00+00:00",
    )
    assert sorted((kind, sequence) for kind, _, sequence in after["events"]) == [
        ("payment.requires_action", 1),
        ("payment.succeeded", 2),
        ("subscription.activated", 1),
    ]


def test_a_webhook_that_is_repeated_reordered_or_replayed_changes_nothing(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id)
    before = effects(world, payment_id)
    shuffled = random.Random(7)
    stories = [PaymentStatus.SUCCEEDED, PaymentStatus.REQUIRES_ACTION, PaymentStatus.EXPIRED]
    for number in range(30):
        world.psp.status = shuffled.choice(stories)
        event_id = shuffled.choice(["evt_1", f"evt_{number}"])
        assert deliver(world, payment_id, event_id).status == 200
        world.call("payments/return", method="GET", path=f"/{payment_id}")
        world.call("payments/get", method="GET", path=f"/{payment_id}")
        world.pass_time(seconds=30)
    assert effects(world, payment_id) == before


def test_an_event_that_was_worked_on_asks_the_psp_no_more(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id)
    asked = len(world.psp.fetches)
    for _ in range(5):
        assert deliver(world, payment_id).status == 200
    assert len(world.psp.fetches) == asked


def test_webhooks_at_once_have_one_effect(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    together = threading.Barrier(8)
    world.psp.on_fetch = lambda reference: (together.wait(timeout=10), None)[1]

    def one(number: int) -> None:
        context = world.new_context()
        deliver_with(world, context, payment_id, f"evt_{number}")
        context.database.close()
        context.cache.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = effects(world, payment_id)
    assert len(after["periods"]) == 1
    assert [kind for kind, _, _ in after["events"]].count("payment.succeeded") == 1
    assert world.rows("SELECT count(*) FROM inbox WHERE processed_at IS NOT NULL") == [(8,)]


def deliver_with(world: World, context: Any, payment_id: str, event_id: str) -> None:
    event = {
        "event_id": event_id,
        "type": "t",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": None,
    }
    world.call(
        "webhook/receive",
        path="/stripe",
        body=event,
        headers={"signature": "signed"},
        context=context,
    )


def test_a_lost_create_is_settled_by_the_webhook(world: World) -> None:
    world.psp.alter = lambda outcome: UNKNOWN
    payment_id = create(world)
    world.psp.alter = lambda outcome: outcome
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id)
    assert effects(world, payment_id)["status"] == [("succeeded",)]
    assert world.rows("SELECT psp_reference FROM payments") == [(f"ref_{payment_id}",)]


def test_an_event_whose_settling_failed_is_worked_on_when_it_comes_again(world: World) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED

    def fail(_: str) -> None:
        raise PspUnavailable

    world.psp.on_fetch = fail
    assert deliver(world, payment_id).status == 503
    assert world.rows("SELECT processed_at FROM inbox") == [(None,)]
    world.psp.on_fetch = lambda reference: None
    assert deliver(world, payment_id).status == 200
    assert effects(world, payment_id)["status"] == [("succeeded",)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"money": Money(1, "KES")}, "amount_mismatch"),
        ({"money": Money(150_000, "UGX")}, "currency_mismatch"),
        ({"reference": None}, "reference_mismatch"),
        ({"livemode": True}, "livemode_mismatch"),
    ],
)
def test_what_does_not_match_gives_no_access(
    world: World, wrong: dict[str, Any], code: str
) -> None:
    payment_id = create(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    world.psp.alter = lambda outcome: replace(outcome, **wrong)
    deliver(world, payment_id)
    after = effects(world, payment_id)
    assert after["status"] == [("needs_review",)]
    assert after["periods"] == []
    [(failure,)] = world.rows("SELECT failure FROM payments")
    assert failure["code"] == code


def test_paid_periods_follow_each_other_in_any_order_of_webhooks(world: World) -> None:
    for order in itertools.permutations(range(3)):
        client = f"client-{''.join(map(str, order))}"
        ids = [create(world, client, key=f"{client}-{number}") for number in range(3)]
        world.psp.status = PaymentStatus.SUCCEEDED
        for number in order:
            deliver(world, ids[number], event_id=f"{client}-{number}")
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        periods = world.rows(
            "SELECT starts_at::date::text, ends_at::date::text FROM subscription_periods p"
            " JOIN subscriptions s ON s.id = p.subscription_id WHERE s.client_id = %s"
            " ORDER BY starts_at",
            client,
        )
        assert periods == [
            ("2026-01-31", "2026-02-28"),
            ("2026-02-28", "2026-03-31"),
            ("2026-03-31", "2026-04-30"),
        ]


def test_a_payment_without_a_plan_gives_no_subscription(world: World) -> None:
    answer = world.call(
        "payments/create",
        body={"client_id": "client-1", "amount": 500, "currency": "KES"},
        headers={"idempotency-key": "k-1"},
    )
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, answer.json["id"])
    assert effects(world, answer.json["id"])["status"] == [("succeeded",)]
    assert world.rows("SELECT count(*) FROM subscriptions") == [(0,)]


class TestWebhook:
    """What is refused, and what is dropped."""

    @pytest.mark.needs_redis
    @pytest.mark.parametrize("signature", [None, "", "forged"])
    def test_an_unsigned_event_leaves_nothing_but_a_counter(
        self, world: World, signature: str | None
    ) -> None:
        payment_id = create(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        before = effects(world, payment_id)
        body = json.dumps({"payment_id": payment_id}).encode()
        headers = {"signature": signature} if signature is not None else {}
        answer = world.call("webhook/receive", path="/stripe", body=body, headers=headers)
        assert (answer.status, answer.json["code"]) == (400, "signature_refused")
        assert effects(world, payment_id) == before
        assert world.rows("SELECT count(*) FROM inbox") == [(0,)]
        with contextlib.closing(redis.Redis.from_url(world.stores.redis_url)) as client:
            assert client.get("webhook_refused:stripe") == b"1"

    def test_an_event_of_the_other_mode_is_refused(self, world: World) -> None:
        payment_id = create(world)
        answer = deliver(world, payment_id, livemode=True)
        assert (answer.status, answer.json["code"]) == (400, "wrong_mode")
        assert world.rows("SELECT count(*) FROM inbox") == [(0,)]

    @pytest.mark.parametrize("payment_id", [None, "pay_unknown"])
    def test_an_event_about_something_else_is_dropped_without_asking(
        self, world: World, payment_id: str | None
    ) -> None:
        assert deliver(world, payment_id).status == 200
        assert world.psp.fetches == []
        assert world.rows("SELECT count(*) FROM inbox") == [(0,)]

    def test_an_unknown_psp_is_not_found(self, world: World) -> None:
        real = Context.open(world.settings)
        answer = world.call("webhook/receive", path="/nobody", body={}, context=real)
        assert answer.status == 404


class TestReturn:
    """Where the client's browser is sent."""

    def test_settles_and_sends_the_browser_to_the_app(self, world: World) -> None:
        payment_id = create(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        answer = world.call("payments/return", method="GET", path=f"/{payment_id}")
        assert answer.status == 303
        assert answer.headers["location"] == f"https://shop.example/back?payment_id={payment_id}"
        assert effects(world, payment_id)["status"] == [("succeeded",)]

    def test_does_not_wait_for_a_psp_that_is_down(self, world: World) -> None:
        payment_id = create(world)

        def fail(_: str) -> None:
            raise PspUnavailable

        world.psp.on_fetch = fail
        answer = world.call("payments/return", method="GET", path=f"/{payment_id}")
        assert answer.status == 303

    def test_an_unknown_payment_is_not_found(self, world: World) -> None:
        assert world.call("payments/return", method="GET", path="/pay_0").status == 404


class TestNeedsReview:
    """Only an operator ends it."""

    def test_a_later_answer_that_matches_does_not_undo_it(self, world: World) -> None:
        payment_id = create(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        world.psp.alter = lambda outcome: replace(outcome, money=Money(1, "KES"))
        deliver(world, payment_id)
        world.psp.alter = lambda outcome: outcome
        deliver(world, payment_id, event_id="evt_2")
        world.call("payments/return", method="GET", path=f"/{payment_id}")
        assert effects(world, payment_id)["status"] == [("needs_review",)]
        assert effects(world, payment_id)["periods"] == []


def test_a_state_nobody_knows_is_asked_about_again(world: World) -> None:
    payment_id = create(world)
    world.psp.alter = lambda outcome: UNKNOWN
    assert deliver(world, payment_id).status == 503
    world.psp.alter = lambda outcome: outcome
    world.psp.status = PaymentStatus.SUCCEEDED
    assert deliver(world, payment_id).status == 200
    assert effects(world, payment_id)["status"] == [("succeeded",)]


def test_returning_often_asks_the_psp_once_a_second(world: World) -> None:
    payment_id = create(world)
    for _ in range(20):
        world.call("payments/return", method="GET", path=f"/{payment_id}")
    assert len(world.psp.fetches) == 1
    world.psp.status = PaymentStatus.SUCCEEDED
    world.pass_time(seconds=1)
    for _ in range(20):
        world.call("payments/return", method="GET", path=f"/{payment_id}")
        world.pass_time(seconds=2)
    assert len(world.psp.fetches) == 2
