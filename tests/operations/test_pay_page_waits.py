"""The pay page of who waits for a PSP: how often it looks again, and when another way is open."""

import re
from dataclasses import replace

import pytest

from tests.operations.paying import reconcile, refund, status_of, tell
from tests.operations.test_pay_page import payment_ids, post, read_page, show, subscribe
from tests.world import World
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.order import Order
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import Method, PaymentStatus


def lose_start(world: World, *, is_known: bool = False) -> str:
    """A payment whose start was never answered; its link. `is_known`: to the PSP."""
    world.psp.alter = lambda outcome: UNKNOWN
    link = subscribe(world)
    assert post(world, link, method="card").status == 303
    world.psp.alter = lambda outcome: outcome
    if not is_known:
        world.psp.opened.clear()
    return link


class TestRefresh:
    @pytest.mark.parametrize(
        ("age", "seconds"),
        [(0, "5"), (29, "5"), (30, "15"), (119, "15"), (120, "30"), (299, "30"), (300, None)],
    )
    def test_comes_ever_less_often(self, world: World, age: int, seconds: str | None) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        world.pass_time(seconds=age)
        found = re.search(r'http-equiv="refresh" content="(\d+)"', show(world, link).body)
        assert (found and found[1]) == seconds

    def test_begins_for_a_form_once_the_client_is_back_from_it(self, world: World) -> None:
        """Who has paid there may be back before the PSP says so."""
        action = {"type": "form_post", "url": "https://psp.example/x", "fields": {}}
        world.psp.alter = lambda outcome: replace(outcome, next_action=action)
        link = subscribe(world)
        post(world, link, method="equitel")
        assert 'http-equiv="refresh"' not in show(world, link).body
        (payment_id,) = payment_ids(world)
        back = world.call("payments/return", method="GET", path=f"/{payment_id}", key="none")
        address, _, query = back.headers["location"].partition("?")
        assert address.endswith(link)
        assert 'http-equiv="refresh"' in show(world, link, query).body


class TestALostStart:
    """Nobody has the address of a page whose opening was not answered: nobody can pay there."""

    def test_is_waited_for_while_it_may_be_answered(self, world: World) -> None:
        link = lose_start(world)
        world.pass_time(seconds=29)
        assert "being confirmed" in show(world, link).body
        assert post(world, link, method="paypal").status == 303
        assert len(payment_ids(world)) == 1

    @pytest.mark.parametrize("is_reachable", [True, False])
    def test_leaves_another_way_open(self, world: World, is_reachable: bool) -> None:
        link = lose_start(world)

        def down(_payment_id: str) -> None:
            raise PspUnavailable

        if not is_reachable:
            world.psp.on_find = down
        world.pass_time(seconds=31)
        page = show(world, link)
        read_page(page)
        assert "does not answer just now. Nothing was charged" in page.body
        assert 'value="paypal"' in page.body
        sent = post(world, link, method="paypal")
        first, second = payment_ids(world)
        assert sent.headers["location"].endswith(second)
        assert status_of(world, first) == "canceled"
        world.pass_time(minutes=10)
        reconcile(world)
        assert [order.payment_id for order in world.psp.starts] == [first, second]

    def test_that_the_psp_heard_of_is_gone_on_with(self, world: World) -> None:
        link = lose_start(world, is_known=True)
        world.pass_time(seconds=31)
        (payment_id,) = payment_ids(world)
        assert f"https://psp.example/{payment_id}" in show(world, link).body

    def test_of_a_prompt_may_still_reach_the_phone(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=frozenset({Method.CARD}))
        link = lose_start(world)
        world.pass_time(minutes=10)
        assert "being confirmed" in show(world, link).body
        post(world, link, method="paypal")
        assert len(payment_ids(world)) == 1

    def test_that_the_timer_made_good_meanwhile_is_kept(self, world: World) -> None:
        link = lose_start(world)
        world.pass_time(minutes=2)

        def outrun(_payment_id: str) -> None:
            reconcile(world)  # it has the page's address now
            raise PspUnavailable

        world.psp.on_find = outrun
        assert link in post(world, link, method="paypal").headers["location"]
        (payment_id,) = payment_ids(world)
        assert status_of(world, payment_id) == "requires_action"

    def test_that_is_answered_too_late_leads_nobody_to_its_page(self, world: World) -> None:
        link = subscribe(world)

        def slow(_order: Order) -> None:
            world.psp.on_start = lambda order: None
            world.psp.on_find = lambda payment_id: world.psp.opened.clear()
            world.pass_time(seconds=31)
            assert post(world, link, method="paypal").status == 303

        world.psp.on_start = slow
        assert link in post(world, link, method="card").headers["location"]
        first, second = payment_ids(world)
        assert (status_of(world, first), status_of(world, second)) == (
            "canceled",
            "requires_action",
        )
        assert first not in show(world, link).body


class TestReceipt:
    def test_of_what_was_given_back_says_so(self, world: World) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        (payment_id,) = payment_ids(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        tell(world, payment_id)
        refund(world, payment_id)
        tell(world, payment_id)
        page = show(world, link)
        read_page(page)
        assert "it is paid" not in page.body and "Paid through" not in page.body
        assert "The money was given back" in page.body and payment_id in page.body
        assert "zimerudishwa" in show(world, link, "lang=sw").body

    def test_is_of_what_still_pays_for_it(self, world: World) -> None:
        """It was paid twice, at the same time, and one of the two was given back."""
        link = subscribe(world)
        for method in ("card", "paypal"):
            post(world, link, method=method)
            world.pass_time(seconds=1)
        first, second = payment_ids(world)
        world.psp.status = PaymentStatus.SUCCEEDED
        for payment_id in (second, first):
            tell(world, payment_id)
        refund(world, first)
        tell(world, first)
        assert status_of(world, first) == "refunded"
        page = show(world, link).body
        assert "it is paid" in page and second in page
