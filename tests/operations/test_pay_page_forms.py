"""The pay page's forms: which amount they are for, which ways they offer, and what was typed."""

from dataclasses import replace

import pytest

from tests.operations.paying import PLAN, paid, status_of
from tests.operations.subscribing import add_plan, days, put, renew, subscription
from tests.operations.test_pay_page import (
    PHONE,
    payment_ids,
    post,
    read_page,
    show,
    subscribe,
)
from tests.world import Answer, World
from tollgate.domain.errors import (
    CustomerIncomplete,
    FieldError,
    Misconfigured,
    UnsupportedAmount,
)
from tollgate.domain.order import Order
from tollgate.domain.payment import Method, PaymentStatus

PROMPTS = frozenset({Method.MPESA})


def field(answer: Answer, name: str) -> dict[str, str | None]:
    """The one field of this name on a page that is whole."""
    page = read_page(answer)
    (found,) = (a for tag, a in page.attributes if tag == "input" and a.get("name") == name)
    return found


class TestAmount:
    def test_on_the_page_is_the_one_that_is_paid(self, world: World) -> None:
        """The bill is made anew, under the same link, while its page is open."""
        add_plan(world, "gold", 450_000)
        paid(world, PLAN)
        days(world, 26)
        told = subscription(world)
        link = str(told["pay_url"]).rpartition("/")[2]
        seen = show(world, link)
        assert "KES 1,500.00" in seen.body and 'name="amount" value="150000 KES"' in seen.body
        put(world, "change", told["id"], {"plan": "gold", "proration": "none"})
        answer = post(world, link, method="card", amount="150000 KES")
        assert answer.status == 409
        read_page(answer)
        assert "The amount has changed" in answer.body and "Nothing was charged" in answer.body
        assert "KES 4,500.00" in answer.body and 'value="450000 KES"' in answer.body
        assert len(payment_ids(world)) == 1  # that of the period before
        assert post(world, link, method="card", amount="450000 KES").status == 303
        assert world.psp.starts[-1].money.amount_minor == 450_000

    def test_is_that_of_the_payment_once_one_is_under_way(self, world: World) -> None:
        """The bill is made anew while its client is on the PSP's page, or has just paid there."""
        add_plan(world, "gold", 4_500_000, interval={"unit": "year"})
        paid(world, PLAN)
        days(world, 26)
        told = subscription(world)
        link = str(told["pay_url"]).rpartition("/")[2]
        world.psp.status = PaymentStatus.REQUIRES_ACTION
        post(world, link, method="card")
        put(world, "change", told["id"], {"plan": "gold", "proration": "none"})
        waiting = show(world, link)
        assert "Continue to pay" in waiting.body
        assert "KES 1,500.00" in waiting.body and "pro, 1 month" in waiting.body
        chosen_anew = show(world, link, "other=1").body
        assert "KES 45,000.00" in chosen_anew and "pro, 1 year" in chosen_anew
        world.psp.status = PaymentStatus.SUCCEEDED
        world.pass_time(seconds=5)
        receipt = show(world, link)
        assert "Thank you, it is paid" in receipt.body
        assert "KES 1,500.00" in receipt.body and "pro, 1 month" in receipt.body

    @pytest.mark.parametrize("amount", ["150000 USD", "150000", "1500.00 KES", "x" * 5_000])
    def test_that_was_never_shown(self, world: World, amount: str) -> None:
        answer = post(world, subscribe(world), method="card", amount=amount)
        assert answer.status == 409
        read_page(answer)
        assert payment_ids(world) == []

    def test_is_in_every_form_that_pays(self, world: World) -> None:
        answer = post(world, subscribe(world), method="card", amount="")
        assert answer.status == 422
        read_page(answer)
        assert "Please choose how to pay" in answer.body
        assert payment_ids(world) == []


class TestWays:
    def test_whose_psp_refuses_the_amount_are_not_offered(self, world: World) -> None:
        def whole_shillings(order: Order) -> None:
            if order.method is Method.MPESA:
                raise UnsupportedAmount
            if order.method is Method.PAYPAL:
                raise Misconfigured

        world.psp.on_check = whole_shillings
        link = subscribe(world)
        page = show(world, link).body
        assert 'value="card"' in page
        assert 'value="mpesa"' not in page and 'value="paypal"' not in page
        assert post(world, link, method="mpesa").status == 422
        assert payment_ids(world) == []

    def test_that_want_to_know_more_of_the_client_are(self, world: World) -> None:
        def who(order: Order) -> None:
            if order.customer.email is None:
                raise CustomerIncomplete(errors=(FieldError("customer.email", "is missing"),))

        world.psp.on_check = who
        link = subscribe(world)
        assert 'value="card"' in show(world, link).body
        asked = post(world, link, method="card")
        assert asked.status == 422
        assert field(asked, "email")["aria-invalid"] == "true"
        assert post(world, link, method="card", email="ann@example.com").status == 303

    def test_that_want_to_know_either_of_two_say_so(self, world: World) -> None:
        """Whoever has a phone and no email must not be told that an email is wrong."""

        def contact(order: Order) -> None:
            if not (order.customer.email or order.customer.phone):
                fields = ("customer.email", "customer.phone")
                raise CustomerIncomplete(errors=tuple(FieldError(at, "either") for at in fields))

        world.psp.on_check = contact
        link = subscribe(world)
        asked = post(world, link, method="card")
        assert asked.status == 422
        assert "Please write your phone number or your email address." in asked.body
        for name in ("phone", "email"):
            told = field(asked, name)
            assert told["aria-invalid"] == "true"
            assert "alert" in str(told["aria-describedby"]).split()
        assert post(world, link, method="card", phone=PHONE).status == 303


class TestWhatWasTyped:
    def test_is_kept_when_it_is_wrong(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
        answer = post(world, subscribe(world), method="mpesa", phone='0712 "><b>34')
        phone = field(answer, "phone")
        assert phone["value"] == '0712 "><b>34' and "<b>" not in answer.body
        assert phone["aria-invalid"] == "true"
        (alert,) = (a for _, a in read_page(answer).attributes if a.get("role") == "alert")
        assert alert["id"] in str(phone["aria-describedby"]).split()
        assert "mpesa-phone-hint" in str(phone["aria-describedby"])

    def test_is_kept_where_something_else_is_wrong(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
        link = subscribe(world)
        answer = post(world, link, method="mpesa", phone=PHONE, email="nobody")
        phone, email = field(answer, "phone"), field(answer, "email")
        assert (phone["value"], email["value"]) == (PHONE, "nobody")
        assert email["aria-invalid"] == "true" and "aria-invalid" not in phone
        ticked = field(post(world, link, method="card", name="\0", save="yes"), "save")
        assert "checked" in ticked

    def test_is_in_its_own_form_only(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
        answer = post(world, subscribe(world), method="card", phone="12")
        page = read_page(answer)
        phones = {a["id"]: a for _, a in page.attributes if a.get("name") == "phone"}
        assert phones["card-phone"]["value"] == "12"
        assert "value" not in phones["mpesa-phone"] and "aria-invalid" not in phones["mpesa-phone"]

    @pytest.mark.parametrize("typed", ["4242 4242 4242 4242", "07\0 12", "\u202e12"])
    def test_goes_back_to_nobody_where_it_must_not(self, world: World, typed: str) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
        phone = field(post(world, subscribe(world), method="mpesa", phone=typed), "phone")
        assert "value" not in phone and phone["aria-invalid"] == "true"

    def test_makes_no_page_too_large(self, world: World) -> None:
        answer = post(world, subscribe(world), method="card", name='"' * 2_000, email="x")
        assert answer.status == 422
        read_page(answer)


class TestTries:
    def test_of_the_timer_are_not_the_clients(self, world: World) -> None:
        world.psp.capabilities = replace(world.psp.capabilities, prompts=PROMPTS)
        renewal = {"method": "mpesa", "hour": 12}
        link = subscribe(world, renewal=renewal, customer={"phone": PHONE})
        while not payment_ids(world):  # until the timer asks by itself
            world.pass_time(hours=1)
            renew(world)
        statuses = [post(world, link, method="card").status for _ in range(10)]
        assert statuses == [303] * 10
        tired = post(world, link, method="card")
        assert (tired.status, tired.headers["retry-after"]) == (429, "3600")

    @pytest.mark.parametrize(
        "fields",
        [{"method": "cash"}, {"amount": "1 KES"}, {"method": "mpesa", "phone": "12"}],
    )
    def test_that_are_refused_end_none_before(self, world: World, fields: dict[str, str]) -> None:
        link = subscribe(world)
        post(world, link, method="card")
        refused = post(world, link, **{"method": "card", **fields})
        assert refused.status in (409, 422)
        (payment_id,) = payment_ids(world)
        assert status_of(world, payment_id) == "requires_action"

    def test_that_are_too_many_leave_the_last_one_open(self, world: World) -> None:
        link = subscribe(world)
        statuses = [post(world, link, method="card").status for _ in range(11)]
        assert statuses == [303] * 10 + [429]
        assert world.rows("SELECT count(*) FROM payments WHERE status = 'requires_action'") == [
            (1,)
        ]
