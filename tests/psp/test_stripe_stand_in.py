"""The adapter and Stripe's stand-in: a payment from its page to its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.chaos.fault_proxy import FaultProxy, drip
from tests.local.stripe.conftest import SECRET_KEY, Bench, until
from tests.psp.conftest import with_values
from tests.psp.outcomes import facts, opened
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus
from tollgate.psp import client
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_a_payment_from_its_page_to_success(bench: Bench, stripe: Stripe, order: Order) -> None:
    outcome = stripe.start(order)
    assert facts(outcome) == (PaymentStatus.REQUIRES_ACTION, "pay_1", order.money, False)
    assert outcome.expires_at == order.expires_at
    assert outcome.next_action is not None
    page = bench.browser.get(outcome.next_action["url"])
    assert page.status_code == 200
    assert "Gold &lt;plan&gt; &amp; more" in page.text

    assert outcome.psp_reference is not None
    assert stripe.fetch(outcome.psp_reference) == outcome
    sent_on = bench.press(outcome.psp_reference, "pay")
    assert sent_on.headers["location"] == order.return_url
    paid = stripe.fetch(outcome.psp_reference)
    assert facts(paid) == (PaymentStatus.SUCCEEDED, "pay_1", order.money, False)
    assert (paid.method, paid.next_action) == ("card", None)


@pytest.mark.parametrize(
    "money", [Money(5_000, "UGX"), Money(500, "JPY"), Money(1_250, "KWD"), Money(2_000, "ISK")]
)
def test_money_comes_back_as_it_went(
    bench: Bench, stripe: Stripe, order: Order, money: Money
) -> None:
    reference = opened(stripe, replace(order, money=money))
    assert stripe.fetch(reference).money == money
    bench.press(reference, "pay")
    assert facts(stripe.fetch(reference)) == (PaymentStatus.SUCCEEDED, "pay_1", money, False)


def test_a_decline_leaves_the_page_open(bench: Bench, stripe: Stripe, order: Order) -> None:
    reference = opened(stripe, order)
    bench.press(reference, "decline")
    assert stripe.fetch(reference).status is PaymentStatus.REQUIRES_ACTION
    bench.press(reference, "pay")
    assert stripe.fetch(reference).status is PaymentStatus.SUCCEEDED


def test_a_payment_that_nobody_pays_expires(bench: Bench, stripe: Stripe, order: Order) -> None:
    reference = opened(stripe, order)
    bench.clock.advance(timedelta(hours=1, seconds=1).total_seconds())
    assert facts(stripe.fetch(reference)) == (PaymentStatus.EXPIRED, "pay_1", order.money, False)


def test_the_same_order_opens_one_session(bench: Bench, stripe: Stripe, order: Order) -> None:
    assert stripe.start(order) == stripe.start(order)
    assert opened(stripe, replace(order, payment_id="pay_2")) != opened(stripe, order)
    assert len(bench.ledger()["sessions"]) == 2


def test_our_key_with_another_order_is_unknown(bench: Bench, stripe: Stripe, order: Order) -> None:
    opened(stripe, order)
    assert stripe.start(replace(order, money=Money(1, "USD"))) is UNKNOWN
    assert len(bench.ledger()["sessions"]) == 1


def test_a_lost_answer_is_unknown_and_found_again(
    bench: Bench, stripe: Stripe, order: Order
) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.start(order) is UNKNOWN
    opened(stripe, order)
    assert len(bench.ledger()["sessions"]) == 1


def test_an_outage_is_unknown_when_asked_to_charge_and_an_error_when_read(
    bench: Bench, stripe: Stripe, order: Order
) -> None:
    reference = opened(stripe, order)
    bench.fault(status_5xx=503)
    assert stripe.start(replace(order, payment_id="pay_2")) is UNKNOWN
    with pytest.raises(PspUnavailable):
        stripe.fetch(reference)


def test_another_amount_than_asked_is_told(bench: Bench, stripe: Stripe, order: Order) -> None:
    reference = opened(stripe, order)
    bench.fault(wrong_amount=-1)
    bench.press(reference, "pay")
    assert stripe.fetch(reference).money == Money(149_999, "KES")


@pytest.mark.parametrize(
    ("end", "status"), [("succeeds", PaymentStatus.SUCCEEDED), ("fails", PaymentStatus.FAILED)]
)
def test_a_delayed_method_is_processing_until_it_ends(
    bench: Bench, stripe: Stripe, order: Order, end: str, status: PaymentStatus
) -> None:
    reference = opened(stripe, order)
    bench.fault(async_payment=end, async_seconds=60)
    bench.press(reference, "pay")
    assert stripe.fetch(reference).status is PaymentStatus.PROCESSING
    bench.clock.advance(61)
    assert facts(stripe.fetch(reference)) == (status, "pay_1", order.money, False)


def test_a_wrong_secret_key_is_a_setting_to_mend(
    settings: Settings, bench: Bench, order: Order
) -> None:
    wrong = with_values(settings, STRIPE_API_URL=bench.url, STRIPE_SECRET_KEY="sk_test_of_another")
    with pytest.raises(Misconfigured):
        Stripe(wrong).start(order)
    with pytest.raises(PspUnavailable):
        Stripe(wrong).fetch("cs_test_1")


def test_its_webhooks_are_hints_at_the_payment(bench: Bench, stripe: Stripe, order: Order) -> None:
    reference = opened(stripe, order)
    bench.press(reference, "pay")
    until(lambda: "checkout.session.completed" in bench.receiver.types())
    hints = {
        hint.type: hint
        for signature, body in zip(bench.receiver.signatures, bench.receiver.bodies, strict=True)
        for hint in [
            stripe.read_event(
                Callback(headers={"stripe-signature": signature}, body=body), bench.clock.now()
            )
        ]
    }
    completed = hints["checkout.session.completed"]
    assert (completed.payment_id, completed.psp_reference) == ("pay_1", reference)
    assert {hint.payment_id for hint in hints.values()} == {"pay_1"}
    assert {hint.livemode for hint in hints.values()} == {False}


def test_an_answer_that_drips_is_given_up(
    settings: Settings, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte is in time, and all of them together are not."""
    monkeypatch.setattr(client, "READ_SECONDS", 0.5)
    reference = bench.open_session().id
    with FaultProxy(bench.url) as line:
        line.switch(drip(0.002))
        address = line.through(bench.url)
        through = with_values(settings, STRIPE_API_URL=address, STRIPE_SECRET_KEY=SECRET_KEY)
        with pytest.raises(PspUnavailable):
            Stripe(through).fetch(reference)
