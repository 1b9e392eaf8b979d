"""The adapter and PayPal's stand-in: a payment from its page to its end."""

from dataclasses import replace

import pytest

from tests.local.paypal.bench import (
    Bench,
    until,
)
from tests.psp import paypal_standing
from tests.psp.kept_tokens import KeptTokens
from tests.psp.outcomes import facts
from tests.psp.paypal_standing import heard, opened, paid, refund_order, settings_for
from tests.psp.paypal_values import order_of
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, PspUnavailable, SignatureRefused
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.paypal.adapter import PayPal

KEY = "tollgate-pay_1-capture-2"
paypal_bench = paypal_standing.paypal_bench
paypal_ports = paypal_standing.paypal_ports
paypal = paypal_standing.paypal
tokens = paypal_standing.tokens


def test_a_payment_from_its_page_to_success(paypal_bench: Bench, paypal: PayPal) -> None:
    order = order_of()
    outcome = paypal.start(order)
    assert facts(outcome) == (PaymentStatus.REQUIRES_ACTION, "pay_1", order.money, False)
    assert outcome.next_action is not None
    assert outcome.psp_reference is not None
    page = paypal_bench.browser.get(outcome.next_action["url"])
    assert "Gold &lt;plan&gt; &amp; more" in page.text
    assert paypal.fetch(outcome.psp_reference) == outcome

    sent_on = paypal_bench.press(outcome.psp_reference, "pay")
    assert sent_on.headers["location"].startswith(order.return_url)
    assert paypal.fetch(outcome.psp_reference).status is PaymentStatus.AUTHORIZED
    assert paypal_bench.ledger()["payments"][0]["captured"] == 0

    assert paypal.capture(outcome.psp_reference, order.money, KEY) is None
    now = paypal.fetch(outcome.psp_reference)
    assert facts(now) == (PaymentStatus.SUCCEEDED, "pay_1", order.money, False)
    assert (now.method, now.fee, now.next_action) == ("paypal", Money(39, "USD"), None)


@pytest.mark.parametrize(
    "money", [Money(50_000, "HUF"), Money(500, "JPY"), Money(100_000, "TWD"), Money(1, "EUR")]
)
def test_money_comes_back_as_it_went(paypal_bench: Bench, paypal: PayPal, money: Money) -> None:
    order = order_of(money=money)
    reference = opened(paypal, order)
    assert paypal.fetch(reference).money == money
    paypal_bench.press(reference, "pay")
    assert paypal.capture(reference, money, KEY) is None
    assert facts(paypal.fetch(reference)) == (PaymentStatus.SUCCEEDED, "pay_1", money, False)


def test_the_same_order_opens_one_order(paypal_bench: Bench, paypal: PayPal) -> None:
    assert paypal.start(order_of()) == paypal.start(order_of())
    assert opened(paypal, order_of(payment_id="pay_2")) != opened(paypal)
    assert len(paypal_bench.ledger()["payments"]) == 2


def test_a_lost_answer_is_unknown_and_found_by_asking_again(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert paypal.start(order_of()) is UNKNOWN
    opened(paypal)
    assert len(paypal_bench.ledger()["payments"]) == 1


def test_a_capture_is_done_once_however_often_it_is_asked(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = opened(paypal)
    paypal_bench.press(reference, "pay")
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    for key in (KEY, KEY, "another"):
        assert paypal.capture(reference, order_of().money, key) is None
    assert paypal_bench.ledger()["payments"][0]["captured"] == 1000


def test_a_capture_under_way_is_no_refusal(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = opened(paypal)
    paypal_bench.press(reference, "pay")
    paypal_bench.fault(in_progress=True, next={"in_progress": 1})
    assert paypal.capture(reference, order_of().money, KEY) is None
    assert paypal.fetch(reference).status is PaymentStatus.AUTHORIZED


def test_a_declined_client_may_try_again_on_the_same_page(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = opened(paypal)
    paypal_bench.press(reference, "decline")
    refusal = paypal.capture(reference, order_of().money, KEY)
    assert refusal == Failure("instrument_declined", "PayPal refused to capture this payment.")
    assert paypal.fetch(reference).status is PaymentStatus.AUTHORIZED
    paypal_bench.press(reference, "pay")
    assert paypal.capture(reference, order_of().money, KEY) is None
    assert paypal.fetch(reference).status is PaymentStatus.SUCCEEDED


def test_nobody_pays_an_order_that_nobody_captures(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = opened(paypal)
    paypal_bench.press(reference, "pay")
    assert paypal.cancel(reference, "key") is None
    paypal_bench.clock.advance(4 * 3600)
    assert paypal.fetch(reference).status is PaymentStatus.EXPIRED
    refusal = paypal.capture(reference, order_of().money, KEY)
    assert refusal is not None
    assert refusal.code == "invalid_resource_id"
    assert paypal_bench.ledger()["payments"][0]["captured"] == 0


def test_what_paypal_completes_is_what_its_capture_is(paypal_bench: Bench, paypal: PayPal) -> None:
    paypal_bench.fault(capture_as="PENDING", next={"capture_as": 1})
    reference = paid(paypal_bench, paypal)
    assert paypal.fetch(reference).status is PaymentStatus.PROCESSING
    paypal_bench.happen(f"payments/{reference}/decline")
    assert paypal.fetch(reference).status is PaymentStatus.FAILED


def test_another_amount_than_asked_is_told(paypal_bench: Bench, paypal: PayPal) -> None:
    paypal_bench.fault(wrong_amount=-1)
    assert paypal.fetch(paid(paypal_bench, paypal)).money == Money(999, "USD")
    paypal_bench.fault(wrong_currency="kes")
    second = order_of(payment_id="pay_2")
    assert paypal.fetch(paid(paypal_bench, paypal, second)).money == Money(1000, "KES")


def test_a_word_that_paypal_does_not_publish_is_unknown(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    for reference in (opened(paypal), paid(paypal_bench, paypal, order_of(payment_id="pay_2"))):
        paypal_bench.happen(f"payments/{reference}/say", state="TELEPORTED")
        assert paypal.fetch(reference) is UNKNOWN
        paypal_bench.happen(f"payments/{reference}/say")
        assert paypal.fetch(reference) is not UNKNOWN


def test_an_outage_is_unknown_when_asked_to_charge_and_an_error_when_read(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = opened(paypal)
    for switches in ({"status_5xx": 503}, {"garbage": True}):
        paypal_bench.fault(**switches)
        assert paypal.start(order_of(payment_id="pay_2")) is UNKNOWN
        with pytest.raises(PspUnavailable):
            paypal.fetch(reference)
    paypal_bench.fault(rate_limited=True)
    with pytest.raises(PspUnavailable):
        paypal.start(order_of(payment_id="pay_2"))


def test_wrong_credentials_are_a_setting_to_mend(paypal_bench: Bench) -> None:
    settings = settings_for(paypal_bench, PAYPAL_CLIENT_SECRET="another")
    with pytest.raises(Misconfigured):
        PayPal(settings, KeptTokens()).start(order_of())


def test_a_token_is_asked_for_once_and_again_when_it_ends(
    paypal_bench: Bench, paypal: PayPal, tokens: KeptTokens
) -> None:
    reference = paid(paypal_bench, paypal)
    paypal.fetch(reference)
    assert paypal_bench.ledger()["token_requests"] == 1
    paypal_bench.clock.advance(32_401)
    assert paypal.fetch(reference).status is PaymentStatus.SUCCEEDED
    assert tokens.fetched == paypal_bench.ledger()["token_requests"] == 2


# Webhooks


def test_every_webhook_leads_to_its_payment(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal.refund(refund_order(reference))
    dispute_id = paypal_bench.happen(f"payments/{reference}/dispute")["dispute_id"]
    paypal_bench.happen(f"disputes/{dispute_id}/resolve")
    hints = heard(paypal_bench, paypal, 5)
    (capture_id,) = paypal.fetch(reference).references
    told = [(one.type, one.payment_id, one.psp_reference, one.references) for one in hints]
    assert told == [
        ("CHECKOUT.ORDER.APPROVED", "pay_1", reference, ()),
        ("PAYMENT.CAPTURE.COMPLETED", "pay_1", reference, (capture_id,)),
        ("PAYMENT.CAPTURE.REFUNDED", None, None, (capture_id,)),
        ("CUSTOMER.DISPUTE.CREATED", None, None, (capture_id,)),
        ("CUSTOMER.DISPUTE.RESOLVED", None, None, (capture_id,)),
    ]
    assert {one.livemode for one in hints} == {False}
    assert len({one.event_id for one in hints}) == 5


def test_an_approval_that_lapses_is_told(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = opened(paypal)
    paypal_bench.press(reference, "pay")
    paypal_bench.happen(f"payments/{reference}/expire")
    hint = heard(paypal_bench, paypal, 2)[1]
    assert (hint.payment_id, hint.psp_reference) == ("pay_1", reference)


def test_a_webhook_for_another_webhook_of_the_account_is_refused(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    paypal_bench.press(opened(paypal), "pay")
    until(lambda: paypal_bench.receiver.events)
    call = Callback(headers=paypal_bench.receiver.headers[0], body=paypal_bench.receiver.bodies[0])
    other = PayPal(settings_for(paypal_bench, PAYPAL_WEBHOOK_ID="ANOTHER"), KeptTokens())
    now = paypal_bench.clock.now()
    with pytest.raises(SignatureRefused):
        other.read_event(call, now)
    with pytest.raises(SignatureRefused):
        paypal.read_event(replace(call, body=call.body + b" "), now)
    assert paypal.read_event(call, now).payment_id == "pay_1"
