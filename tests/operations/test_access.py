"""The paid-check: never active after the end, never inactive after a payment was committed."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from tests.callers import id_of, revoke
from tests.operations.test_settlement import create, deliver
from tests.world import World
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus
from tollgate.domain.principal import Tenant
from tollgate.storage import access_cache, admissions, payments, subscriptions

NO_REDIS = "redis://127.0.0.1:1/0"


def check(world: World, client_id: str = "client-1", **more: Any) -> dict[str, Any]:
    answer = world.call("subscriptions/check", method="GET", path=f"/{client_id}", **more)
    assert answer.status == 200, answer.body
    return answer.json


def pay(world: World, key: str = "k-1") -> str:
    payment_id = create(world, key=key)
    world.psp.status = PaymentStatus.SUCCEEDED
    deliver(world, payment_id, event_id=f"evt_{key}")
    return payment_id


def test_a_client_nobody_has_heard_of(world: World) -> None:
    answer = check(world)
    assert (answer["active"], answer["reason"]) == (False, "never_subscribed")
    assert (answer["status"], answer["source"]) == (None, "database")


@pytest.mark.needs_redis
def test_a_paid_client_is_answered_from_the_cache(world: World) -> None:
    pay(world)
    answer = check(world)
    assert (answer["active"], answer["reason"], answer["source"]) == (True, "paid", "cache")
    assert answer["paid_through"] == "2026-02-28T09:00:00Z"
    assert answer["product"] == "pro"


@pytest.mark.parametrize("redis_url", [None, NO_REDIS])
def test_access_ends_though_nothing_ran(world: World, redis_url: str | None) -> None:
    pay(world)
    context = world.new_context(redis_url=redis_url) if redis_url else world.context
    world.pass_time(days=28, seconds=-1)
    assert check(world, context=context)["active"] is True
    world.pass_time(seconds=1)
    answer = check(world, context=context)
    assert (answer["active"], answer["reason"]) == (False, "expired")
    assert answer["source"] == "database"
    context.database.close()


def test_no_is_never_answered_from_the_cache(world: World) -> None:
    check(world)
    context = world.new_context(redis_url=NO_REDIS)
    payment_id = create(world, key="k-2")
    world.psp.status = PaymentStatus.SUCCEEDED
    event = {
        "event_id": "evt_9",
        "type": "t",
        "livemode": False,
        "payment_id": payment_id,
        "psp_reference": None,
    }
    # the payment is committed by a container that can't reach Redis
    headers = {"signature": "signed"}
    world.call("webhook/receive", path="/stripe", body=event, headers=headers, context=context)
    answer = check(world)
    assert (answer["active"], answer["source"]) == (True, "database")
    context.database.close()


def test_a_slow_reader_cannot_put_old_dates_over_newer_ones(world: World) -> None:
    pay(world)
    app_id = world.app.id
    of_app = world.context.within(Tenant(app_id))
    old = subscriptions.read_access(of_app.database, app_id, "client-1")
    world.pass_time(days=1)
    pay(world, key="k-2")
    access_cache.put_dates(world.context.cache, app_id, "client-1", old)
    assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"


@pytest.mark.parametrize(
    "nonsense", [b"", b"1", b"\x00" * 40, b"x" * 100_000, "sealed by another", "of another client"]
)
def test_what_is_wrong_in_redis_changes_no_answer(world: World, nonsense: bytes | str) -> None:
    import redis

    pay(world)
    client = redis.Redis.from_url(world.stores.redis_url)
    name = f"access:{world.app.id}:client-2"
    value: Any = nonsense
    if nonsense == "sealed by another":
        thief = world.new_context(cache_secret=b"other")
        of_app = world.context.within(Tenant(world.app.id))
        stolen = subscriptions.read_access(of_app.database, world.app.id, "client-1")
        access_cache.put_dates(thief.cache, world.app.id, "client-2", stolen)
        thief.cache.close()
    elif nonsense == "of another client":
        value = client.hget(f"access:{world.app.id}:client-1", "value")
    if isinstance(value, bytes):
        client.hset(name, mapping={"value": value, "version": "x"})
    client.close()
    assert check(world, "client-2")["active"] is False


@pytest.mark.needs_redis
@pytest.mark.parametrize("change", ["one more", "one less", "another kind"])
def test_a_value_of_another_release_is_a_miss(world: World, change: str) -> None:
    pay(world)
    name = f"access:{world.app.id}:client-1"
    value = world.context.cache.get(name)
    assert value is not None
    fields = value["dates"][0]
    if change == "one more":
        fields["field_of_tomorrow"] = 1
    elif change == "one less":
        del fields["trial_end"]
    else:
        fields["paid_through"] = "in a while"
    world.context.cache.put(name, value, read_at=time.time(), version=99)
    answer = check(world)
    assert (answer["active"], answer["source"]) == (True, "database")


def test_redis_of_the_wrong_type_is_a_miss(world: World) -> None:
    import redis

    pay(world)
    client = redis.Redis.from_url(world.stores.redis_url)
    client.delete(f"access:{world.app.id}:client-1")
    client.rpush(f"access:{world.app.id}:client-1", "a list")
    client.close()
    assert check(world)["active"] is True


def test_without_redis_the_answers_are_the_same(world: World) -> None:
    pay(world)
    context = world.new_context(redis_url=NO_REDIS)
    with_redis, without = check(world), check(world, context=context)
    assert without["source"] == "database"
    assert {**without, "source": None} == {**with_redis, "source": None}
    context.database.close()


class TestChargeUnderWay:
    """Before a client is turned away, the PSP is asked about the charge that is under way."""

    def test_the_psp_is_asked_once_and_its_word_counts(self, world: World) -> None:
        create(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        answer = check(world)
        assert (answer["active"], answer["reason"], answer["source"]) == (True, "paid", "psp")
        assert len(world.psp.fetches) == 1

    def test_a_pending_payment_is_the_reason_and_can_be_paid(self, world: World) -> None:
        payment_id = create(world)
        answer = check(world)
        assert (answer["active"], answer["reason"]) == (False, "payment_pending")
        assert answer["pay_url"] == f"https://psp.example/{payment_id}"

    def test_many_readers_ask_the_psp_once_in_a_while(self, world: World) -> None:
        create(world)
        for _ in range(10):
            check(world)
        assert len(world.psp.fetches) == 1
        world.pass_time(seconds=11)
        check(world)
        assert len(world.psp.fetches) == 2

    def test_of_two_pages_the_older_may_be_the_one_that_was_paid(self, world: World) -> None:
        older = create(world, key="k-1")
        world.pass_time(minutes=1)
        newer = create(world, key="k-2")
        paid = world.psp.opened[f"tollgate-{older}"]
        world.psp.alter = lambda outcome: (
            replace(outcome, status=PaymentStatus.SUCCEEDED, next_action=None)
            if outcome.reference == paid.payment_id
            else outcome
        )
        first = check(world)
        assert (first["active"], first["pay_url"]) == (False, f"https://psp.example/{newer}")
        assert check(world)["active"] is True
        assert len(world.psp.fetches) == 2

    def test_payments_the_psp_never_heard_of_do_not_hide_one_that_was_paid(
        self, world: World
    ) -> None:
        paid = create(world, key="known")
        check(world)
        world.psp.alter = lambda outcome: UNKNOWN
        for number in range(21):
            create(world, key=f"unknown-{number}")
        world.psp.alter = lambda outcome: outcome
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(minutes=1)
        assert check(world)["active"] is True
        assert world.psp.fetches == [f"ref_{paid}"] * 2

    def test_a_payment_that_another_settled_meanwhile_counts(self, world: World) -> None:
        payment_id = create(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        ask = payments.get_payment

        def settled_just_before(*arguments: Any) -> Any:
            with patch.object(payments, "get_payment", ask):
                other = world.new_context()
                world.call("payments/get", method="GET", path=f"/{payment_id}", context=other)
                other.database.close()
                other.cache.close()
            return ask(*arguments)

        with patch.object(payments, "get_payment", settled_just_before):
            answer = check(world)
        assert (answer["active"], answer["reason"]) == (True, "paid")

    def test_a_page_whose_time_is_over_is_not_offered(self, world: World) -> None:
        create(world)
        world.pass_time(hours=23, minutes=30)
        answer = check(world)
        assert (answer["reason"], answer["pay_url"]) == ("payment_pending", None)

    def test_a_payment_that_somebody_is_changing_holds_nobody_up(self, world: World) -> None:
        payment_id = create(world)
        with psycopg.connect(world.stores.owner_url) as holder:
            holder.execute("SELECT FROM payments WHERE id = %s FOR UPDATE", (payment_id,))
            assert check(world)["reason"] == "payment_pending"
        assert world.psp.fetches == []

    def test_a_question_from_the_future_bars_nobody(self, world: World) -> None:
        create(world)
        world.rows("UPDATE payments SET asked_at = %s RETURNING 1", world.now + timedelta(hours=1))
        world.psp.status = PaymentStatus.SUCCEEDED
        assert check(world)["active"] is True

    def test_news_that_is_no_end_is_told_as_it_stands(self, world: World) -> None:
        create(world)
        world.psp.status = PaymentStatus.PROCESSING
        answer = check(world)
        assert (answer["reason"], answer["source"]) == ("payment_pending", "psp")
        assert answer["pay_url"] is None

    def test_a_psp_without_settings_does_not_fail_the_check(self, world: World) -> None:
        create(world)

        def fail(_: str) -> None:
            raise Misconfigured

        world.psp.on_fetch = fail
        assert check(world)["reason"] == "payment_pending"

    def test_a_psp_that_is_down_does_not_fail_the_check(self, world: World) -> None:
        create(world)

        def fail(_: str) -> None:
            raise PspUnavailable

        world.psp.on_fetch = fail
        assert check(world)["reason"] == "payment_pending"

    def test_a_payment_the_psp_never_heard_of_is_waited_for_a_day(self, world: World) -> None:
        world.psp.alter = lambda outcome: UNKNOWN
        create(world)
        assert check(world)["reason"] == "payment_pending"
        world.pass_time(hours=23)
        assert check(world)["reason"] == "never_subscribed"

    def test_an_expired_payment_is_no_reason_to_wait(self, world: World) -> None:
        create(world)
        world.psp.status = PaymentStatus.EXPIRED
        answer = check(world)
        assert (answer["reason"], answer["pay_url"]) == ("never_subscribed", None)


def test_the_product_asked_for_is_the_one_answered(world: World) -> None:
    pay(world)
    assert check(world, query="product=pro")["active"] is True
    other = check(world, query="product=other")
    assert (other["active"], other["product"]) == (False, "other")


def test_an_app_sees_its_own_clients_only(world: World) -> None:
    pay(world)
    assert check(world, key=world.other_app.key)["active"] is False


@pytest.mark.parametrize(
    "client_id", ["../../etc/passwd", "%00", "a" * 10_000, "%F0%9F%98%80", "a%20b", "<script>"]
)
def test_a_hostile_client_id_is_refused_by_name(world: World, client_id: str) -> None:
    answer = world.call("subscriptions/check", method="GET", path=f"/{client_id}")
    assert answer.status == 422
    assert answer.json["errors"][0]["path"] == "client_id"


def test_a_misspelt_query_field_is_refused(world: World) -> None:
    answer = world.call("subscriptions/check", method="GET", path="/c", query="prodct=pro")
    assert (answer.status, answer.json["code"]) == (422, "invalid_fields")


def test_a_revoked_key_is_refused_within_a_minute(world: World) -> None:
    check(world)
    revoke(world, world.app.key)
    admissions.forget()  # another container, whose memory is empty
    world.context.cache._ask("DEL", f"key:{id_of(world.app.key)}")  # a minute later
    answer = world.call("subscriptions/check", method="GET", path="/c")
    assert (answer.status, answer.json["code"]) == (401, "credentials_refused")
