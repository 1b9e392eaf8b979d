"""What the client let the app keep is charged once, and only for what was agreed."""

from dataclasses import replace

import pytest

from tests.operations.paying import (
    PLAN,
    Killed,
    create,
    die,
    down,
    paid,
    reconcile,
    status_of,
    tell,
    up,
)
from tests.operations.subscribing import (
    CARD,
    DECLINED,
    PHONE,
    PROMPTS,
    Bank,
    add_plan,
    days,
    keep_card,
    pay_link,
    periods,
    put,
    renew,
    subscribe,
    subscription,
    told_of,
)
from tests.operations.test_access import check
from tests.operations.test_pay_page import post
from tests.world import World
from tollgate.crash_points import CrashPoint, listen
from tollgate.domain.money import Money
from tollgate.domain.payment import PaymentStatus, RetryAdvice


def die_before_the_charge(world: World) -> None:
    """The day on which the card is charged comes; the timer dies before it asks the PSP."""
    world.pass_time(days=27, minutes=5)
    listen(CrashPoint.BILL_CLAIMED, die)
    try:
        with pytest.raises(Killed):
            renew(world)
    finally:
        listen(CrashPoint.BILL_CLAIMED, lambda: None)


@pytest.mark.parametrize("way", ["pause", "credit", "none_after"])
def test_a_charge_on_its_way_keeps_the_next_bill_from_being_charged(world: World, way: str) -> None:
    bank = keep_card(world)
    add_plan(world, "gold", 450_000)
    bank.charged = PaymentStatus.PROCESSING
    bank.status = PaymentStatus.PROCESSING
    world.pass_time(days=27, minutes=5)
    renew(world)
    assert bank.charges == 1
    sub = subscription(world)["id"]
    if way == "pause":
        assert put(world, "pause", sub).status == 200
        world.pass_time(minutes=10)
        assert put(world, "resume", sub).status == 200
    elif way == "credit":
        assert put(world, "change", sub, {"plan": "gold", "proration": "credit"}).status == 200
    else:
        assert put(world, "change", sub, {"plan": "gold", "proration": "none"}).status == 200
    world.pass_time(minutes=5)
    renew(world)
    days(world, 1)
    assert bank.charges == 1


def test_a_payment_of_the_apps_being_confirmed_keeps_the_card_from_being_charged(
    world: World,
) -> None:
    bank = keep_card(world)
    world.pass_time(days=26, hours=23)
    renew(world)
    bank.status = PaymentStatus.PROCESSING
    made = create(world, PLAN, "k-2")
    assert made.status == 201
    tell(world, made.json["id"])
    assert status_of(world, made.json["id"]) == "processing"
    world.pass_time(hours=2)
    renew(world)
    assert bank.charges == 0


@pytest.mark.parametrize("at", ["now", "period_end"])
def test_who_left_is_not_charged_by_reconcile(world: World, at: str) -> None:
    bank = keep_card(world)
    die_before_the_charge(world)
    assert bank.charges == 0
    sub = subscription(world)["id"]
    assert put(world, "cancel", sub, {"at": at}).status == 200
    world.pass_time(hours=5)
    reconcile(world)
    assert bank.charges == 0


def test_the_end_of_a_trial_is_the_clients_to_pay(world: World) -> None:
    bank = keep_card(world)
    add_plan(world, "video", product="video", trial_days=14)
    made = subscribe(world, plan="video")
    assert made.status == 201 and made.json["status"] == "trialing", made.body
    for _ in range(20):
        world.pass_time(days=1)
        renew(world)
    assert bank.charges == 0, [(o.money, o.description) for o in bank.starts]


def test_clients_of_a_deleted_app_are_not_charged(world: World) -> None:
    bank = keep_card(world)
    gone = world.call(
        "admin/apps", method="DELETE", path=f"/{world.app.id}", key=world.seed.admin_key
    )
    assert gone.status == 200, gone.body
    days(world, 40)
    assert bank.charges == 0


def test_the_page_of_a_deleted_app_takes_no_money(world: World) -> None:
    link = pay_link(subscribe(world).json["pay_url"])
    world.call("admin/apps", method="DELETE", path=f"/{world.app.id}", key=world.seed.admin_key)
    post(world, link, method="card")
    assert world.rows("SELECT count(*) FROM payments") == [(0,)]


def test_a_charge_in_review_is_not_followed_by_a_prompt(world: World) -> None:
    bank = keep_card(world)
    bank.capabilities = replace(bank.capabilities, prompts=PROMPTS)
    assert subscribe(world, **PHONE).status == 200
    keep = bank.alter
    bank.alter = lambda outcome: replace(keep(outcome), money=Money(160_000, "KES"))
    world.pass_time(days=27, hours=12)
    bank.starts.clear()
    renew(world)
    assert bank.charges == 1
    assert world.rows("SELECT count(*) FROM payments WHERE status='needs_review'") == [(1,)]
    assert len(bank.starts) == 1, "the phone was prompted too"


@pytest.mark.parametrize("unit", ["day"])
def test_a_plan_of_a_day_is_not_charged_again_within_minutes(world: World, unit: str) -> None:
    add_plan(world, "daily", 5_000, product="daily", interval={"unit": unit})
    bank = Bank()
    bank.alter = lambda o: (
        replace(o, saved_method=CARD) if o.status is PaymentStatus.SUCCEEDED else o
    )
    world.psp = bank
    paid(world, {"client_id": "client-1", "plan": "daily", "save_method": True})
    world.pass_time(minutes=1)
    renew(world)
    assert bank.charges == 0


def test_a_card_that_must_not_be_charged_is_not_after_a_bill_was_opened_anew(
    world: World,
) -> None:
    bank = keep_card(world)
    bank.capabilities = replace(bank.capabilities, prompts=PROMPTS)
    assert subscribe(world, **PHONE).status == 200
    bank.verdict = replace(DECLINED, advice=RetryAdvice.NEVER)
    world.pass_time(days=27, hours=12)
    renew(world)
    assert bank.charges == 1
    sub = subscription(world)["id"]
    assert put(world, "cancel", sub).status == 200
    assert put(world, "cancel", sub, {"at": "never"}).status == 200
    world.pass_time(hours=2)
    renew(world)
    world.pass_time(hours=2)
    renew(world)
    days(world, 4)
    assert bank.charges == 1


def test_a_change_in_review_asked_for_again_is_not_charged_again(world: World) -> None:
    bank = keep_card(world)
    add_plan(world, "gold", 450_000)
    sub = subscription(world)["id"]
    world.pass_time(days=5)
    keep = bank.alter
    bank.alter = lambda outcome: replace(keep(outcome), money=Money(460_000, "KES"))
    for _ in range(2):
        put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    assert bank.charges == 1


def test_a_change_is_not_charged_while_the_renewal_is_on_its_way(world: World) -> None:
    bank = keep_card(world)
    add_plan(world, "gold", 450_000)
    bank.charged = PaymentStatus.PROCESSING
    bank.status = PaymentStatus.PROCESSING
    world.pass_time(days=27, minutes=5)
    renew(world)
    sub = subscription(world)["id"]
    put(world, "change", sub, {"plan": "gold", "proration": "charge_now"})
    assert bank.charges == 1


def test_an_off_session_charge_that_wants_the_client_is_not_repeated_each_hour(
    world: World,
) -> None:
    """PayPal: PAYER_ACTION_REQUIRED."""
    bank = keep_card(world)
    bank.capabilities = replace(bank.capabilities, prompts=PROMPTS)
    assert subscribe(world, **PHONE).status == 200
    bank.charged = PaymentStatus.REQUIRES_ACTION
    world.pass_time(days=27, hours=12)
    for _ in range(24 * 6):
        bank.status = PaymentStatus.REQUIRES_ACTION
        renew(world)
        world.pass_time(minutes=10)
    told = told_of(world, subscription(world)["id"])
    assert bank.charges <= 2 and told.count("renewal_due") <= 3


def test_who_pays_on_the_page_is_not_charged_too_by_a_late_timer(world: World) -> None:
    bank = keep_card(world)
    world.pass_time(days=29)  # the timer is dead
    link = pay_link(subscribe(world).json["pay_url"])
    assert post(world, link, method="card").status == 303  # the client is on the PSP's page
    world.pass_time(minutes=1)
    renew(world)
    assert bank.charges == 0


def test_a_clients_debit_that_takes_longer_than_the_dunning_buys_its_time(world: World) -> None:
    bank = keep_card(world)
    bank.charged = PaymentStatus.PROCESSING
    bank.status = PaymentStatus.PROCESSING
    world.pass_time(days=27, minutes=1)
    renew(world)
    days(world, 12)
    bank.status = PaymentStatus.SUCCEEDED
    reconcile(world)
    assert check(world)["active"] and len(periods(world)) == 2 and bank.charges == 1


def test_a_charge_of_which_nothing_was_heard_for_a_day_is_not_followed_by_another(
    world: World,
) -> None:
    """The app's own, off session: its answer was lost, and the PSP could not be asked."""
    bank = keep_card(world)
    world.pass_time(days=26, hours=23)
    renew(world)
    bank.charged, bank.on_find = PaymentStatus.PENDING, down
    assert create(world, PLAN | {"off_session": True}, "k-2").status == 202
    for _ in range(24):
        world.pass_time(hours=1)
        reconcile(world)
        renew(world)
    bank.charged, bank.on_find = PaymentStatus.SUCCEEDED, up
    renew(world)
    assert len({order.payment_id for order in bank.starts if order.saved_method}) == 1
    bank.status = PaymentStatus.SUCCEEDED
    world.pass_time(hours=1)
    reconcile(world)
    assert check(world)["active"] and len(periods(world)) == 2


@pytest.mark.parametrize("kept_again", [False, True])
def test_a_card_that_must_not_be_charged_again_is_not_for_the_next_bill_either(
    world: World, kept_again: bool
) -> None:
    bank = keep_card(world)
    bank.verdict = replace(DECLINED, advice=RetryAdvice.NEVER)
    days(world, 27)
    assert bank.charges == 1
    paid(world, PLAN | {"save_method": kept_again}, "k-2")  # by the client, on a page
    days(world, 45)
    assert bank.charges == (2 if kept_again else 1)
    due = "SELECT count(*) FROM outbox WHERE type = 'subscription.renewal_due'"
    assert world.rows(due) == [(2 + 6,)]


def test_a_charge_that_never_reached_its_psp_is_made_after_all(world: World) -> None:
    """Its caller died, its client left before reconcile came, and thought better of it."""
    bank = keep_card(world)
    die_before_the_charge(world)
    sub = subscription(world)["id"]
    assert put(world, "cancel", sub).status == 200
    world.pass_time(minutes=5)
    reconcile(world)
    assert put(world, "cancel", sub, {"at": "never"}).status == 200
    for _ in range(2):
        renew(world)
    assert bank.charges == 1
    assert check(world)["paid_through"] == "2026-03-31T09:00:00Z"


def test_a_charge_that_was_not_sent_before_its_client_chose_another_plan_is_not_sent_after(
    world: World,
) -> None:
    bank = keep_card(world)
    add_plan(world, "gold", 450_000)
    die_before_the_charge(world)
    sub = subscription(world)["id"]
    assert put(world, "change", sub, {"plan": "gold", "proration": "none"}).status == 200
    world.pass_time(minutes=5)
    reconcile(world)
    renew(world)
    assert [order.money.amount_minor for order in bank.starts if order.saved_method] == [450_000]
    world.pass_time(days=1)
    assert check(world)["plan"] == "gold"
