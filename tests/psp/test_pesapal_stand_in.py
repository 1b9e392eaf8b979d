"""The adapter and Pesapal's stand-in: a payment from its page to its end."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.local.pesapal.bench import Bench, Ports, served, standing
from tests.local.standin.serving import until
from tests.psp import outcomes
from tests.psp.kept_tokens import KeptTokens
from tests.psp.outcomes import facts
from tests.psp.pesapal_values import PAYMENT_ID, VALUES, order_of, settings_of
from tollgate.domain.callback import Callback
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, RefundOrder
from tollgate.domain.outcome import UNKNOWN
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.pesapal.adapter import Pesapal

MONEY = Money(150_000, "KES")


@pytest.fixture(scope="module")
def pesapal_ports() -> Iterator[Ports]:
    with served() as ports:
        yield ports


@pytest.fixture
def bench(pesapal_ports: Ports) -> Iterator[Bench]:
    with standing(pesapal_ports) as bench:
        yield bench


def speaking_with(bench: Bench, **values: str) -> Pesapal:
    """The adapter of a container that has just started."""
    its = {"PESAPAL_API_URL": bench.url, "PESAPAL_IPN_ID": bench.ipn_id}
    return Pesapal(settings_of(values=its | values), KeptTokens())


@pytest.fixture
def pesapal(bench: Bench) -> Pesapal:
    return speaking_with(bench)


def opened(pesapal: Pesapal, **more: Any) -> str:
    """The reference of a payment that waits for its client."""
    return outcomes.opened(pesapal, order_of(**more))


def test_a_payment_from_its_page_to_success(bench: Bench, pesapal: Pesapal) -> None:
    outcome = pesapal.start(order_of())
    assert facts(outcome) == (PaymentStatus.REQUIRES_ACTION, PAYMENT_ID, MONEY, False)
    assert outcome.next_action is not None
    page = bench.browser.get(outcome.next_action["url"])
    assert "Gold, March" in page.text

    reference = outcome.psp_reference or ""
    assert pesapal.fetch(reference) == replace(outcome, next_action=None)
    sent_on = bench.press(reference, "pay-mpesa").headers["location"]
    assert sent_on.startswith(f"{order_of().return_url}?OrderTrackingId={reference}&")
    paid = pesapal.fetch(reference)
    assert facts(paid) == (PaymentStatus.SUCCEEDED, PAYMENT_ID, MONEY, False)
    assert (paid.method, paid.refunds) == ("mpesa", ())


@pytest.mark.parametrize(
    "money",
    [
        Money(1, "KES"),
        Money(150_055, "KES"),
        Money(5_000, "UGX"),
        Money(500_000, "TZS"),
        Money(29, "USD"),
        Money(7_000, "RWF"),
        Money(999_999_999_999, "ZMW"),
    ],
)
def test_money_comes_back_as_it_went(bench: Bench, pesapal: Pesapal, money: Money) -> None:
    reference = opened(pesapal, money=money)
    assert pesapal.fetch(reference).money == money
    bench.press(reference, "pay-card")
    paid = pesapal.fetch(reference)
    assert facts(paid) == (PaymentStatus.SUCCEEDED, PAYMENT_ID, money, False)
    assert bench.payment(reference)["captured"] == money.amount_minor


@pytest.mark.parametrize(
    "customer",
    [
        Customer(email="a@example.com"),
        Customer(phone="+4915112345678"),
        Customer(phone="+256772123456", name="Jane van der Doe"),
    ],
)
def test_whoever_can_be_reached_can_pay(pesapal: Pesapal, customer: Customer) -> None:
    opened(pesapal, customer=customer, description="x" * 255)


def test_a_try_that_failed_may_be_followed_by_one_that_did_not(
    bench: Bench, pesapal: Pesapal
) -> None:
    reference = opened(pesapal)
    bench.press(reference, "fail")
    failed = pesapal.fetch(reference)
    assert facts(failed) == (PaymentStatus.FAILED, PAYMENT_ID, MONEY, False)
    assert failed.failure is not None
    assert failed.failure.code == "request_terminated_by_user"
    bench.press(reference, "pay-card")
    assert pesapal.fetch(reference).status is PaymentStatus.SUCCEEDED


def test_a_lost_answer_is_unknown_and_the_next_try_opens_another(
    bench: Bench, pesapal: Pesapal
) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert pesapal.start(order_of()) is UNKNOWN
    assert pesapal.start(order_of()) is UNKNOWN  # under the same reference: a duplicate
    assert pesapal.find(PAYMENT_ID, order_of().expires_at) is None
    reference = opened(pesapal, attempt="zz000000")
    assert [one["reference"] for one in bench.ledger()["payments"]] == [
        f"{PAYMENT_ID}.k3j9x0ab",
        f"{PAYMENT_ID}.zz000000",
    ]
    bench.press(reference, "pay-card")
    assert pesapal.fetch(reference).reference == PAYMENT_ID


def test_a_stray_payment_of_an_earlier_try_is_told_as_ours(bench: Bench, pesapal: Pesapal) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    pesapal.start(order_of())
    (stray,) = bench.ledger()["payments"]
    bench.happen(stray["psp_reference"], "pay")
    (_, told), *_ = until(lambda: bench.receiver.heard)
    callback = Callback(path_token=VALUES["PESAPAL_IPN_TOKEN"], method="GET", query=told)
    hint = pesapal.read_event(callback, order_of().expires_at)
    assert (hint.payment_id, hint.psp_reference) == (PAYMENT_ID, stray["psp_reference"])
    assert pesapal.fetch(stray["psp_reference"]).status is PaymentStatus.SUCCEEDED


@pytest.mark.parametrize("fault", [{"status_5xx": 503}, {"garbage": True}])
def test_an_outage_is_no_failure(bench: Bench, pesapal: Pesapal, fault: dict[str, Any]) -> None:
    reference = opened(pesapal)
    bench.fault(**fault)
    assert pesapal.start(order_of(attempt="2")) is UNKNOWN
    with pytest.raises(PspUnavailable):
        pesapal.fetch(reference)
    with pytest.raises(PspUnavailable):
        speaking_with(bench).start(order_of(attempt="3"))
    bench.fault()
    assert len(bench.ledger()["payments"]) == 1


def test_a_sandbox_that_has_taken_enough_is_a_refusal(bench: Bench, pesapal: Pesapal) -> None:
    bench.fault(limit_exceeded=True)
    outcome = pesapal.start(order_of())
    assert outcome.failure is not None
    assert (outcome.status, outcome.failure.code) == (
        PaymentStatus.FAILED,
        "maximum_amount_limit_exceeded",
    )


def test_an_address_that_is_not_registered_is_a_refusal(bench: Bench) -> None:
    outcome = speaking_with(bench, PESAPAL_IPN_ID="another").start(order_of())
    assert outcome.failure is not None
    assert outcome.failure.code == "invalid_notification_id"


def test_one_token_for_five_minutes_and_another_after_that(bench: Bench, pesapal: Pesapal) -> None:
    reference = opened(pesapal)
    pesapal.fetch(reference)
    assert bench.ledger()["token_requests"] == 1
    bench.clock.advance(301)
    assert pesapal.fetch(reference).status is PaymentStatus.REQUIRES_ACTION
    assert bench.ledger()["token_requests"] == 2


@pytest.mark.parametrize("in_body", [True, False])
def test_a_token_that_ends_early_is_replaced(bench: Bench, pesapal: Pesapal, in_body: bool) -> None:
    opened(pesapal)
    bench.fault(refuse_token=True, refuse_token_in_body=in_body, next={"refuse_token": 1})
    opened(pesapal, attempt="2")
    assert bench.ledger()["token_requests"] == 2
    bench.fault(refuse_token=True)
    with pytest.raises(PspUnavailable):
        pesapal.start(order_of(attempt="3"))


def test_wrong_keys_are_a_setting_to_mend(bench: Bench) -> None:
    for name in ("PESAPAL_CONSUMER_KEY", "PESAPAL_CONSUMER_SECRET"):
        with pytest.raises(Misconfigured):
            speaking_with(bench, **{name: "wrong"}).start(order_of())


def test_an_unpaid_order_may_be_told_of_in_few_words(bench: Bench, pesapal: Pesapal) -> None:
    reference = opened(pesapal)
    bench.fault(silent_unpaid=True)
    assert facts(pesapal.fetch(reference)) == (PaymentStatus.REQUIRES_ACTION, None, None, False)


def test_another_amount_or_currency_than_asked_is_told(bench: Bench, pesapal: Pesapal) -> None:
    bench.fault(wrong_amount=-1)
    first = opened(pesapal)
    bench.press(first, "pay-card")
    assert pesapal.fetch(first).money == Money(149_999, "KES")
    bench.fault(wrong_currency="eur")
    second = opened(pesapal, attempt="2")
    bench.press(second, "pay-card")
    assert pesapal.fetch(second).money == Money(150_000, "EUR")


def test_a_state_that_is_not_documented_is_unknown(bench: Bench, pesapal: Pesapal) -> None:
    reference = opened(pesapal)
    bench.happen(reference, "say", state="COMPLETED")
    assert pesapal.fetch(reference) is UNKNOWN
    bench.happen(reference, "say")
    assert pesapal.fetch(reference).status is PaymentStatus.REQUIRES_ACTION


def test_an_order_that_nobody_submitted_can_t_be_read(pesapal: Pesapal) -> None:
    with pytest.raises(PspUnavailable):
        pesapal.fetch("84740ab4-3cd9-47da-8a4f-dd1db53494b5")


class TestCancel:
    def test_ends_an_order_at_pesapal_which_goes_on_to_call_it_unpaid(
        self, bench: Bench, pesapal: Pesapal
    ) -> None:
        reference = opened(pesapal)
        assert pesapal.cancel(reference, "key") is None
        assert bench.payment(reference)["status"] == "canceled"
        assert pesapal.fetch(reference).status is PaymentStatus.REQUIRES_ACTION

    def test_is_refused_for_what_was_paid_and_the_second_time(
        self, bench: Bench, pesapal: Pesapal
    ) -> None:
        paid, canceled = opened(pesapal), opened(pesapal, attempt="2")
        bench.press(paid, "pay-card")
        pesapal.cancel(canceled, "key")
        for reference in (paid, canceled):
            failure = pesapal.cancel(reference, "key")
            assert failure is not None
            assert failure.code == "not_cancelable"
        assert pesapal.fetch(paid).status is PaymentStatus.SUCCEEDED

    def test_a_lost_answer_is_no_refusal(self, bench: Bench, pesapal: Pesapal) -> None:
        reference = opened(pesapal)
        bench.fault(drop_after_charge=True)
        assert pesapal.cancel(reference, "key") is None


class TestRefund:
    def paid(self, bench: Bench, pesapal: Pesapal, button: str = "pay-card") -> str:
        reference = opened(pesapal)
        bench.press(reference, button)
        return reference

    @pytest.mark.parametrize(
        ("button", "money"),
        [
            ("pay-card", MONEY),
            ("pay-card", Money(50_025, "KES")),
            ("pay-mpesa", MONEY),
            ("pay-airtel", MONEY),
        ],
    )
    def test_waits_for_somebody_to_approve_it(
        self, bench: Bench, pesapal: Pesapal, button: str, money: Money
    ) -> None:
        reference = self.paid(bench, pesapal, button)
        assert pesapal.refund(RefundOrder("ref_1", reference, money)) is None
        assert pesapal.fetch(reference).refunds == ()
        bench.happen(reference, "refund").raise_for_status()
        assert bench.payment(reference)["refunded"] == money.amount_minor
        after = pesapal.fetch(reference)
        assert (after.status, after.money) == (PaymentStatus.SUCCEEDED, MONEY)
        (reversal,) = after.refunds
        assert (reversal.refund_id, reversal.money) == (None, None)
        assert reversal.psp_reference == f"{reference}-reversed"

    def test_of_a_part_of_mobile_money_is_not_sent(self, bench: Bench, pesapal: Pesapal) -> None:
        reference = self.paid(bench, pesapal, "pay-mpesa")
        failure = pesapal.refund(RefundOrder("ref_1", reference, Money(1, "KES")))
        assert failure is not None
        assert failure.code == "partial_refund_unsupported"
        assert pesapal.refund(RefundOrder("ref_2", reference, MONEY)) is None

    def test_is_taken_once(self, bench: Bench, pesapal: Pesapal) -> None:
        reference = self.paid(bench, pesapal)
        assert pesapal.refund(RefundOrder("ref_1", reference, Money(1, "KES"))) is None
        failure = pesapal.refund(RefundOrder("ref_2", reference, Money(1, "KES")))
        assert failure is not None
        assert failure.code == "refund_rejected"
