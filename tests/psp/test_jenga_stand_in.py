"""The adapter and Jenga's stand-in: payments from their form or prompt to their end."""

import pytest

from tests.local.jenga.conftest import Bench
from tests.psp.jenga_serving import (
    by_mpesa,
    hints,
    jenga,
    jenga_bench,
    jenga_ports,
    post_form,
    start_jenga,
)
from tests.psp.jenga_values import (
    ASKED,
    CHECKOUT,
    CREATED_AT,
    PAYMENT_ID,
    PUSHED,
    order_of,
)
from tests.psp.outcomes import facts
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.payment import PaymentStatus as S
from tollgate.psp.jenga.adapter import Jenga

__all__ = ["by_mpesa", "jenga", "jenga_bench", "jenga_ports", "start_jenga"]


def test_a_checkout_from_its_form_to_success(jenga_bench: Bench, jenga: Jenga) -> None:
    order = order_of()
    outcome = jenga.start(order)
    assert facts(outcome) == (S.REQUIRES_ACTION, PAYMENT_ID, ASKED, False)
    assert jenga_bench.ledger()["payments"] == []
    assert facts(jenga.fetch(CHECKOUT)) == (S.REQUIRES_ACTION, PAYMENT_ID, None, False)
    assert jenga.find(PAYMENT_ID, CREATED_AT) is None

    page = post_form(jenga_bench, outcome)
    assert jenga.fetch(CHECKOUT).status is S.REQUIRES_ACTION
    back = jenga_bench.browser.post(f"{page}/card").headers["Location"]
    assert back.startswith(f"{order.return_url}?transactionStatus=SUCCESS&")
    assert facts(jenga.fetch(CHECKOUT)) == (S.SUCCEEDED, PAYMENT_ID, ASKED, False)
    assert jenga.find(PAYMENT_ID, CREATED_AT) == jenga.fetch(CHECKOUT)
    (hint,) = hints(jenga_bench, jenga, 1)
    assert (hint.type, hint.payment_id, hint.psp_reference) == (
        "ipn.success",
        PAYMENT_ID,
        CHECKOUT,
    )


def test_a_push_from_the_prompt_to_success(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order
) -> None:
    jenga.check(by_mpesa)
    outcome = jenga.start(by_mpesa)
    assert facts(outcome) == (S.REQUIRES_ACTION, PAYMENT_ID, ASKED, False)
    assert facts(jenga.fetch(PUSHED)) == facts(outcome)
    jenga_bench.post(f"/phone/{PUSHED}/accept")
    paid = jenga.fetch(PUSHED)
    assert facts(paid) == (S.SUCCEEDED, PAYMENT_ID, ASKED, False)
    assert paid.references == (jenga_bench.payment(PUSHED)["receipt"],)
    assert {(one.payment_id, one.psp_reference) for one in hints(jenga_bench, jenga, 2)} == {
        (PAYMENT_ID, PUSHED)
    }
    assert sorted(one.type for one in hints(jenga_bench, jenga, 2)) == ["ipn.success", "push.3"]


@pytest.mark.parametrize("money", [Money(1, "KES"), Money(123_456_789, "KES"), Money(1_005, "USD")])
def test_money_comes_back_as_it_went(jenga_bench: Bench, jenga: Jenga, money: Money) -> None:
    post_form(jenga_bench, jenga.start(order_of(money=money)))
    jenga_bench.happen("pay", CHECKOUT)
    assert facts(jenga.fetch(CHECKOUT)) == (S.SUCCEEDED, PAYMENT_ID, money, False)


ENDS = [("decline", (S.CANCELED, "push.6")), ("expire", (S.EXPIRED, "push.5"))]


@pytest.mark.parametrize(("end", "told"), ENDS)
def test_a_push_that_is_not_paid(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order, end: str, told: tuple[S, str]
) -> None:
    jenga.start(by_mpesa)
    jenga_bench.happen(end, PUSHED)
    status, event = told
    assert facts(jenga.fetch(PUSHED)) == (status, PAYMENT_ID, ASKED, False)
    assert [hint.type for hint in hints(jenga_bench, jenga, 1)] == [event]


def test_a_prompt_that_is_ignored_expires(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order
) -> None:
    jenga.start(by_mpesa)
    jenga_bench.clock.advance(301)
    assert jenga.fetch(PUSHED).status is S.EXPIRED


def test_a_checkout_that_is_declined(jenga_bench: Bench, jenga: Jenga) -> None:
    post_form(jenga_bench, jenga.start(order_of()))
    jenga_bench.happen("decline", CHECKOUT)
    outcome = jenga.fetch(CHECKOUT)
    assert outcome.status is S.FAILED
    assert outcome.failure is not None
    assert outcome.failure.code == "jenga_400105"


def test_mpesa_on_the_page_waits_for_the_phone(jenga_bench: Bench, jenga: Jenga) -> None:
    page = post_form(jenga_bench, jenga.start(order_of()))
    jenga_bench.browser.post(f"{page}/mpesa")
    assert facts(jenga.fetch(CHECKOUT)) == (S.REQUIRES_ACTION, PAYMENT_ID, ASKED, False)
    jenga_bench.post(f"/phone/{CHECKOUT}/accept")
    assert facts(jenga.fetch(CHECKOUT)) == (S.SUCCEEDED, PAYMENT_ID, ASKED, False)


def test_what_jenga_cannot_do(jenga_bench: Bench, jenga: Jenga) -> None:
    asked = RefundOrder("ref_1", CHECKOUT, ASKED)
    assert jenga.refund(asked).code == "not_supported"
    assert jenga.capture(CHECKOUT, ASKED, "key").code == "not_supported"
    assert list(jenga.list_movements(CREATED_AT, CREATED_AT)) == []
    jenga.cancel(CHECKOUT, "key")
    assert jenga_bench.ledger()["token_requests"] == 0
