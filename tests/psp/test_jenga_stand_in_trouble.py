"""The adapter and Jenga's stand-in: lost answers, wrong facts, money that went astray."""

import pytest

from tests.local.jenga.conftest import Bench
from tests.psp.jenga_serving import (
    by_mpesa,
    hints,
    jenga,
    jenga_bench,
    jenga_ports,
    post_form,
    settings_at,
    start_jenga,
)
from tests.psp.jenga_values import (
    ASKED,
    CHECKOUT,
    CREATED_AT,
    PAYMENT_ID,
    PUSHED,
    VALUES,
    order_of,
)
from tests.psp.kept_tokens import KeptTokens
from tests.psp.outcomes import facts
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus as S
from tollgate.psp.jenga.adapter import Jenga

__all__ = ["by_mpesa", "jenga", "jenga_bench", "jenga_ports", "start_jenga"]


@pytest.mark.parametrize("switch", ["timeout_after_charge", "drop_after_charge"])
def test_a_push_whose_answer_is_lost_is_never_sent_twice(
    jenga_bench: Bench,
    jenga: Jenga,
    by_mpesa: Order,
    switch: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tollgate.psp.client.SEND_SECONDS", 0.5)
    jenga_bench.fault(**{switch: True, "next": {switch: 1}})
    assert jenga.start(by_mpesa) is UNKNOWN
    found = jenga.find(PAYMENT_ID, CREATED_AT)
    assert found is not None
    assert facts(found) == (S.REQUIRES_ACTION, PAYMENT_ID, ASKED, False)
    assert facts(jenga.start(by_mpesa)) == facts(found)
    jenga_bench.happen("pay", PUSHED)
    assert facts(jenga.start(by_mpesa)) == (S.SUCCEEDED, PAYMENT_ID, ASKED, False)
    assert len(jenga_bench.ledger()["payments"]) == 1


def test_an_outage_is_unknown_when_asked_to_charge_and_an_error_when_read(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order
) -> None:
    jenga.start(order_of(payment_id="pay_2"))  # for the token
    for switch in ({"status_5xx": 503}, {"garbage": True}):
        jenga_bench.fault(**switch)
        assert jenga.start(by_mpesa) is UNKNOWN
        for reference in (PUSHED, CHECKOUT):
            with pytest.raises(PspUnavailable):
                jenga.fetch(reference)
        with pytest.raises(PspUnavailable):
            jenga.find(PAYMENT_ID, CREATED_AT)


def test_a_token_that_has_ended_is_replaced(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order
) -> None:
    jenga.start(by_mpesa)
    jenga_bench.clock.advance(16 * 60)
    assert jenga.fetch(PUSHED).status is S.EXPIRED
    assert jenga_bench.ledger()["token_requests"] == 2


@pytest.mark.parametrize("wrong", [-100, -1, 1, 100])
def test_another_amount_than_asked_is_told(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order, wrong: int
) -> None:
    jenga.start(by_mpesa)
    post_form(jenga_bench, jenga.start(order_of()))
    jenga_bench.fault(wrong_amount=wrong)
    for reference in (PUSHED, CHECKOUT):
        jenga_bench.happen("pay", reference)
        outcome = jenga.fetch(reference)
        assert outcome.status is S.SUCCEEDED
        assert outcome.money != ASKED


def test_another_currency_than_asked_is_told(jenga_bench: Bench, jenga: Jenga) -> None:
    post_form(jenga_bench, jenga.start(order_of()))
    jenga_bench.fault(wrong_currency="usd")
    jenga_bench.happen("pay", CHECKOUT)
    assert jenga.fetch(CHECKOUT).money == Money(150_000, "USD")


def test_a_currency_that_is_not_told_leaves_no_money(jenga_bench: Bench, jenga: Jenga) -> None:
    post_form(jenga_bench, jenga.start(order_of()))
    jenga_bench.fault(without_currency=True)
    jenga_bench.happen("pay", CHECKOUT)
    assert facts(jenga.fetch(CHECKOUT)) == (S.SUCCEEDED, PAYMENT_ID, None, False)


def test_money_that_went_astray(jenga_bench: Bench, jenga: Jenga, by_mpesa: Order) -> None:
    jenga.start(by_mpesa)
    jenga_bench.fault(debited_not_credited=True, single_invoice=True)
    jenga_bench.happen("pay", PUSHED)
    assert jenga.fetch(PUSHED).status is S.PROCESSING
    (hint,) = hints(jenga_bench, jenga, 1)
    assert hint.alarm is not None
    assert (hint.type, hint.alarm.code) == ("push.4", "debited_not_credited")
    jenga_bench.clock.advance(301)
    outcome = jenga.fetch(PUSHED)
    assert (outcome.status, outcome.failure) == (S.NEEDS_REVIEW, hint.alarm)


def test_a_state_that_nobody_documented_is_unknown(
    jenga_bench: Bench, jenga: Jenga, by_mpesa: Order
) -> None:
    jenga.start(by_mpesa)
    post_form(jenga_bench, jenga.start(order_of()))
    for reference in (PUSHED, CHECKOUT):
        jenga_bench.happen("say", reference, state="Teleported")
        assert jenga.fetch(reference) is UNKNOWN
        jenga_bench.happen("say", reference)
        assert jenga.fetch(reference).status is S.REQUIRES_ACTION


@pytest.mark.parametrize("name", ["JENGA_API_KEY", "JENGA_MERCHANT_CODE", "JENGA_CONSUMER_SECRET"])
def test_wrong_credentials_are_a_setting_to_mend(
    jenga_bench: Bench, by_mpesa: Order, name: str
) -> None:
    jenga = Jenga(settings_at(jenga_bench, **{name: "wrong"}), KeptTokens())
    for order in (by_mpesa, order_of()):
        with pytest.raises(Misconfigured):
            jenga.start(order)


def test_a_key_that_jenga_does_not_know_is_a_setting_to_mend(
    jenga_bench: Bench, by_mpesa: Order
) -> None:
    of_another = VALUES["JENGA_PRIVATE_KEY"]
    jenga = Jenga(settings_at(jenga_bench, JENGA_PRIVATE_KEY=of_another), KeptTokens())
    with pytest.raises(Misconfigured, match="900101"):
        jenga.start(by_mpesa)
    with pytest.raises(Misconfigured, match="900101"):
        jenga.fetch(CHECKOUT)
    assert jenga_bench.ledger()["payments"] == []
