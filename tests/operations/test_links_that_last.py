"""What was given to a client stays good: a bill, its link, a way to pay it."""

import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from tests.operations.paying import PLAN, paid
from tests.operations.subscribing import (
    PHONE,
    add_plan,
    bills,
    days,
    keep_card,
    pay_link,
    put,
    renew,
    set_plan,
    subscribe,
    subscription,
)
from tests.operations.test_access import check
from tests.operations.test_pay_page import post, show
from tests.world import Answer, World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.errors import PspUnavailable, UnsupportedAmount
from tollgate.domain.order import Order
from tollgate.domain.payment import Method, PaymentStatus
from tollgate.operations import bills as bills_of
from tollgate.operations import renewals


def test_the_timer_leaves_the_bill_of_a_change_alone(world: World) -> None:
    add_plan(world, "gold", 450_000)
    paid(world, PLAN)
    sub = subscription(world)["id"]
    world.pass_time(days=24, hours=23)  # the next bill opens in an hour
    renew(world)
    assert bills(world) == []
    changed = put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    assert changed.status == 200, changed.body
    link = pay_link(changed.json["pay_url"])
    world.pass_time(hours=2)
    renew(world)
    post(world, link, method="card")
    assert world.rows("SELECT count(*) FROM payments") == [(2,)], show(world, link).body[-400:]


def test_a_trial_in_a_currency_without_a_price_is_refused(world: World) -> None:
    add_plan(world, "video", product="video", trial_days=14)
    made = subscribe(world, plan="video", currency="JPY")
    assert made.status == 422, made.status


def test_a_running_subscription_is_not_moved_to_a_currency_without_a_price(world: World) -> None:
    keep_card(world)
    asked = subscribe(world, currency="JPY")
    assert asked.status == 422, asked.status


def test_another_plan_without_a_price_is_refused_by_create(world: World) -> None:
    keep_card(world)
    add_plan(world, "gold", prices=[{"amount": 1000, "currency": "USD"}])
    asked = subscribe(world, plan="gold")
    assert asked.status == 422, asked.status


@pytest.mark.parametrize("reader", ["check", "get"])
def test_no_url_is_told_that_leads_nowhere(world: World, reader: str) -> None:
    paid(world, PLAN)
    days(world, 30)
    world.pass_time(days=7)  # the timer is dead
    told = check(world) if reader == "check" else subscription(world)
    if told["pay_url"] is not None:
        assert show(world, pay_link(told["pay_url"])).status == 200


def test_who_comes_back_from_the_psp_after_the_bill_closed_sees_a_receipt(world: World) -> None:
    paid(world, PLAN)
    days(world, 30)
    (closes_at,) = world.rows("SELECT closes_at FROM bills")[0]
    link = pay_link(subscription(world)["pay_url"])
    world.now = closes_at - timedelta(minutes=5)
    assert post(world, link, method="card").status == 303
    world.pass_time(minutes=10)
    renew(world)
    world.psp.status = PaymentStatus.SUCCEEDED
    (payment_id,) = world.rows("SELECT id FROM payments ORDER BY id DESC LIMIT 1")[0]
    back = world.call("payments/return", method="GET", path=f"/{payment_id}", key="none")
    assert back.status == 303
    page = back.headers["location"].partition("payments/pay/")[2].partition("?")[0]
    assert check(world)["active"]
    assert show(world, page).status == 200


def test_who_comes_back_is_asked_for_a_whole_period(world: World) -> None:
    set_plan(world, grace_days=0)
    add_plan(world, "gold", 450_000)
    paid(world, PLAN)
    sub = subscription(world)["id"]
    world.pass_time(days=27, hours=12)
    changed = put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    assert changed.status == 200, changed.body
    world.pass_time(hours=13)
    assert not check(world)["active"]
    subscribe(world, plan="gold")
    assert [amount for status, _, amount in bills(world) if status == "open"] == [450_000]


def test_a_bill_that_was_opened_anew_is_not_given_up(world: World) -> None:
    paid(world, PLAN)
    days(world, 27)
    (closes_at,) = world.rows("SELECT closes_at FROM bills")[0]
    world.now = closes_at + timedelta(minutes=1)
    urls: list[str] = []

    def comes_back() -> None:
        listen(CrashPoint.RENEW_CLAIMED, lambda: None)
        context = world.new_context()
        body = PLAN | {"currency": "USD"}
        made = world.call("subscriptions/create", body=body, context=context)
        urls.append(made.json["pay_url"])
        context.database.close()
        context.cache.close()

    listen(CrashPoint.RENEW_CLAIMED, comes_back)
    try:
        renew(world)
    finally:
        listen(CrashPoint.RENEW_CLAIMED, lambda: None)
    assert "nothing to pay" not in show(world, pay_link(urls[0])).body


def test_a_renewal_method_can_be_taken_back(world: World) -> None:
    subscribe(world, **PHONE)
    asked = subscribe(world, renewal={"method": None})
    assert asked.json["renewal"]["method"] is None


def test_every_bill_that_is_void_has_an_audit_row(world: World) -> None:
    add_plan(world, "gold", 450_000)
    subscribe(world)
    world.pass_time(hours=1)
    subscribe(world, plan="gold")
    (void,) = world.rows("SELECT id FROM bills WHERE status = 'void'")[0]
    assert world.rows("SELECT 1 FROM audit_log WHERE action='bill.void' AND object_id=%s", void)


def test_a_change_bill_can_be_paid_where_whole_shillings_only_can(world: World) -> None:
    add_plan(world, "gold", 450_000)
    paid(world, PLAN)
    world.pass_time(days=5, hours=1)
    sub = subscription(world)["id"]
    changed = put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    (amount,) = [amount for status, _, amount in bills(world) if status == "open"]

    def check_amount(order: Order) -> None:
        if order.method is Method.MPESA and order.money.amount_minor % 100:
            raise UnsupportedAmount("whole shillings")

    world.psp.check = check_amount  # type: ignore[method-assign]
    link = pay_link(changed.json["pay_url"])
    page = show(world, link)
    offered = 'value="mpesa"' in page.body
    answer = post(world, link, method="mpesa", phone="0712345678")
    assert not offered or answer.status == 303, (amount, answer.status)


def test_a_link_that_was_given_while_the_timer_was_late_lives_on(world: World) -> None:
    paid(world, PLAN)
    world.pass_time(days=29)  # the timer is dead
    link = pay_link(subscribe(world).json["pay_url"])
    world.pass_time(minutes=1)
    renew(world)
    assert "nothing to pay" not in show(world, link).body


def test_a_card_of_who_pays_by_phone_is_not_kept_without_the_word(world: World) -> None:
    link = pay_link(subscribe(world).json["pay_url"])
    post(world, link, method="paypal", save="yes")
    assert not world.psp.starts[-1].save_method, "no such box was shown for PayPal"


def test_a_page_that_can_not_be_ended_is_not_asked_for_each_two_minutes(world: World) -> None:
    bank = keep_card(world)
    world.pass_time(days=25)
    renew(world)
    link = pay_link(subscription(world)["pay_url"])
    assert post(world, link, method="card").status == 303
    world.pass_time(days=2, hours=1)
    asked: list[str] = []

    def down(what: str) -> None:
        asked.append(what)
        raise PspUnavailable

    bank.on_ask = down
    for _ in range(60):
        renew(world)
        world.pass_time(minutes=1)
    assert len(asked) <= 2


def test_a_create_beside_a_late_timer_hurts_neither(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid(world, PLAN)
    paid(world, PLAN | {"client_id": "client-2"}, "k-2")
    world.pass_time(days=29)  # the timer was dead
    real = bills_of.new_bill
    answers: list[Answer] = []
    threads: list[threading.Thread] = []

    def comes_back() -> None:
        context = world.new_context()
        answers.append(world.call("subscriptions/create", body=PLAN, context=context))
        context.database.close()
        context.cache.close()

    def slow(*given: object, **named: object) -> object:
        if not threads:
            threads.append(threading.Thread(target=comes_back))
            threads[0].start()
            time.sleep(0.5)
        return real(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(renewals, "new_bill", slow)
    report = world.run_timer("subscriptions/renew")["renew_subscriptions"]
    threads[0].join()
    assert "error" not in report and answers[0].status == 200


def test_a_change_given_up_beside_a_cancellation_hurts_neither(world: World) -> None:
    add_plan(world, "gold", 450_000)
    paid(world, PLAN)
    sub = subscription(world)["id"]
    world.pass_time(days=5)
    put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    world.pass_time(days=1)
    with psycopg.connect(world.stores.owner_url) as app:  # what cancel does, in its order
        app.execute("UPDATE subscriptions SET renew_hour = 8 WHERE id = %s", (sub,))
        done: list[dict[str, Any]] = []
        context = world.new_context()
        timer = threading.Thread(
            target=lambda: done.append(world.run_timer("subscriptions/renew", context))
        )
        timer.start()
        time.sleep(0.5)
        app.execute(
            "UPDATE bills SET status = 'void', next_step_at = NULL WHERE subscription_id = %s",
            (sub,),
        )
    timer.join()
    context.database.close()
    context.cache.close()
    assert done[0]["renew_subscriptions"]["troubled"] == []
