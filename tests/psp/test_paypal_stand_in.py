"""The adapter and PayPal's stand-in: a payment from its page to its end."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.local.paypal.bench import (
    CLIENT_ID,
    CLIENT_SECRET,
    WEBHOOK_ID,
    Bench,
    Ports,
    served,
    standing,
    until,
)
from tests.psp.paypal_values import KeptTokens, order_of, settings_of
from tollgate.domain.callback import Callback
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import Misconfigured, PspUnavailable, SignatureRefused
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder
from tollgate.domain.outcome import UNKNOWN, Hint, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.domain.refund import RefundStatus
from tollgate.psp.paypal import PayPal
from tollgate.settings import Settings

KEY = "tollgate-pay_1-capture-2"


@pytest.fixture(scope="module")
def paypal_ports() -> Iterator[Ports]:
    with served() as ports:
        yield ports


@pytest.fixture
def paypal_bench(paypal_ports: Ports) -> Iterator[Bench]:
    with standing(paypal_ports) as bench:
        yield bench


def settings_for(bench: Bench, **values: str) -> Settings:
    given = {
        "PAYPAL_CLIENT_ID": CLIENT_ID,
        "PAYPAL_CLIENT_SECRET": CLIENT_SECRET,
        "PAYPAL_WEBHOOK_ID": WEBHOOK_ID,
        "PAYPAL_API_URL": bench.url,
        "PAYPAL_CA_PEM": bench.standin.ca_pem,
        "PAYPAL_VAULT": "on",
    }
    return settings_of(False, **given | values)


@pytest.fixture
def tokens() -> KeptTokens:
    return KeptTokens()


@pytest.fixture
def paypal(paypal_bench: Bench, tokens: KeptTokens) -> PayPal:
    """The adapter, speaking with the stand-in."""
    return PayPal(settings_for(paypal_bench), tokens)


def opened(paypal: PayPal, order: Order | None = None) -> str:
    """The reference of a payment that waits for its client."""
    outcome = paypal.start(order or order_of())
    assert outcome.status is PaymentStatus.REQUIRES_ACTION
    assert outcome.psp_reference is not None
    return outcome.psp_reference


def paid(bench: Bench, paypal: PayPal, order: Order | None = None) -> str:
    """The reference of a payment that its client approved and we captured."""
    order = order or order_of()
    reference = opened(paypal, order)
    bench.press(reference, "pay")
    assert paypal.capture(reference, order.money, f"{order.idempotency_key}-capture") is None
    return reference


def facts(outcome: Outcome) -> tuple[object, ...]:
    return outcome.status, outcome.reference, outcome.money, outcome.livemode


def heard(bench: Bench, paypal: PayPal, count: int) -> list[Hint]:
    """What the adapter reads of the webhooks that came."""
    until(lambda: len(bench.receiver.events) >= count)
    calls = zip(bench.receiver.headers, bench.receiver.bodies, strict=True)
    now = bench.clock.now()
    return [paypal.read_event(Callback(headers=h, body=b), now) for h, b in calls]


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


# What goes back


def refund_order(reference: str, minor: int = 400, refund_id: str = "ref_1") -> RefundOrder:
    return RefundOrder(refund_id, reference, Money(minor, "USD"), "requested_by_customer")


def test_a_refund_comes_back_under_our_name(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    for _ in range(3):
        assert paypal.refund(refund_order(reference)) is None
    (told,) = paypal.fetch(reference).refunds
    assert (told.refund_id, told.money, told.status) == (
        "ref_1",
        Money(400, "USD"),
        RefundStatus.SUCCEEDED,
    )
    assert paypal_bench.ledger()["payments"][0]["refunded"] == 400


def test_a_refund_that_is_refused(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    refusal = paypal.refund(refund_order(reference, 1001))
    assert refusal == Failure("refund_amount_exceeded", "PayPal refused this refund.")
    assert paypal.refund(refund_order(reference, 1000)) is None
    refusal = paypal.refund(refund_order(reference, 1, "ref_2"))
    assert refusal is not None
    assert refusal.code == "capture_fully_refunded"


def test_a_refund_may_end_otherwise_than_it_began(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(pending_refunds=True)
    assert paypal.refund(refund_order(reference)) is None
    (told,) = paypal.fetch(reference).refunds
    assert told.status is RefundStatus.PENDING
    paypal_bench.happen(f"refunds/{told.psp_reference}/fail")
    (told,) = paypal.fetch(reference).refunds
    assert told.status is RefundStatus.FAILED


def test_what_others_give_back_is_told_too(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.happen(f"payments/{reference}/refund", amount=250)
    paypal_bench.happen(f"payments/{reference}/reverse")
    by_hand, reversal = paypal.fetch(reference).refunds
    assert (by_hand.refund_id, by_hand.money) == (None, Money(250, "USD"))
    assert (reversal.refund_id, reversal.money) == (None, Money(750, "USD"))


def test_a_dispute_from_its_start_to_its_end(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal)
    dispute_id = paypal_bench.happen(f"payments/{reference}/dispute", amount=300)["dispute_id"]
    (told,) = paypal.fetch(reference).disputes
    assert (told.psp_reference, told.money, told.status) == (
        dispute_id,
        Money(300, "USD"),
        DisputeStatus.OPEN,
    )
    for outcome, status in (
        ("RESOLVED_SELLER_FAVOUR", DisputeStatus.WON),
        ("RESOLVED_BUYER_FAVOUR", DisputeStatus.LOST),
    ):
        paypal_bench.happen(f"disputes/{dispute_id}/resolve", outcome=outcome)
        assert [one.status for one in paypal.fetch(reference).disputes] == [status]


def test_disputes_that_we_may_not_read_are_a_setting_to_mend(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = paid(paypal_bench, paypal)
    paypal_bench.fault(no_disputes_feature=True)
    with pytest.raises(Misconfigured, match="customer disputes"):
        paypal.fetch(reference)


# What clients let us keep


def test_what_was_kept_is_charged_without_the_client(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    assert saved is not None
    renewal = order_of(payment_id="pay_2", saved_method=saved)
    paypal_bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert paypal.start(renewal) is UNKNOWN
    outcome = paypal.start(renewal)
    assert facts(outcome) == (PaymentStatus.SUCCEEDED, "pay_2", renewal.money, False)
    assert [one["captured"] for one in paypal_bench.ledger()["payments"]] == [1000, 1000]


def test_a_renewal_is_charged_once_though_its_key_is_forgotten(
    paypal_bench: Bench, paypal: PayPal
) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    renewal = order_of(payment_id="pay_2", saved_method=saved)
    assert paypal.start(renewal).status is PaymentStatus.SUCCEEDED
    paypal_bench.clock.advance(7 * 3600)
    assert paypal.start(renewal) is UNKNOWN
    assert [one["captured"] for one in paypal_bench.ledger()["payments"]] == [1000, 1000]


def test_a_renewal_that_is_declined_has_failed(paypal_bench: Bench, paypal: PayPal) -> None:
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    saved = paypal.fetch(reference).saved_method
    paypal_bench.fault(instrument_declined=True)
    outcome = paypal.start(order_of(payment_id="pay_2", saved_method=saved))
    assert outcome.failure is not None
    assert outcome.failure.code == "instrument_declined"
    paypal_bench.fault(capture_as="DECLINED")
    outcome = paypal.start(order_of(payment_id="pay_3", saved_method=saved))
    assert outcome.status is PaymentStatus.FAILED


def test_what_is_kept_later_is_told_by_a_webhook(paypal_bench: Bench, paypal: PayPal) -> None:
    paypal_bench.fault(pending_vault=True)
    reference = paid(paypal_bench, paypal, order_of(save_method=True))
    assert paypal.fetch(reference).saved_method is None
    paypal_bench.happen(f"payments/{reference}/vault")
    hint = heard(paypal_bench, paypal, 3)[2]
    assert (hint.type, hint.psp_reference) == ("VAULT.PAYMENT-TOKEN.CREATED", reference)
    assert paypal.fetch(reference).saved_method is not None


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
