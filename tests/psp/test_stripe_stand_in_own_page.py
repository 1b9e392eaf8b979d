"""The adapter and Stripe's stand-in: an app's own page, and what is saved to be charged later."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.local.stripe.conftest import SECRET_KEY, Bench, until
from tests.psp.conftest import with_values
from tests.psp.outcomes import opened
from tests.psp.stripe_specification import wrong_with_request
from tollgate.domain.callback import Callback
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Order, RefundOrder, SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Capture, PaymentPage, PaymentStatus
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


@pytest.fixture
def embedded(order: Order) -> Order:
    return replace(order, page=PaymentPage.EMBEDDED)


def paid(bench: Bench, stripe: Stripe, order: Order) -> Outcome:
    """A payment that its client has made, or agreed to."""
    reference = opened(stripe, order)
    bench.happen(f"payments/{reference}/pay")
    return stripe.fetch(reference)


def test_a_payment_on_the_apps_own_page(bench: Bench, stripe: Stripe, embedded: Order) -> None:
    outcome = stripe.start(embedded)
    assert outcome.psp_reference is not None
    assert outcome.next_action is not None
    assert outcome.next_action["type"] == "client_secret"
    assert outcome.next_action["publishable_key"] == "pk_test_of_the_suite"
    assert stripe.fetch(outcome.psp_reference) == outcome
    address = f"/c/intent/{outcome.next_action['value']}"
    for button in ("decline", "authenticate"):
        bench.browser.post(f"{address}/{button}")
        now = stripe.fetch(outcome.psp_reference)
        assert (now.status, now.next_action) == (outcome.status, outcome.next_action)
    bench.browser.post(f"{address}/pay")
    done = stripe.fetch(outcome.psp_reference)
    facts = (done.status, done.reference, done.money, done.livemode, done.method)
    assert facts == (PaymentStatus.SUCCEEDED, "pay_1", embedded.money, False, "card")
    assert done.fee == Money(150_000 * 29 // 1000 + 30, "KES")


def test_the_same_order_opens_one_intent(bench: Bench, stripe: Stripe, embedded: Order) -> None:
    for order in (embedded, replace(embedded, payment_id="pay_2", save_method=True)):
        assert stripe.start(order) == stripe.start(order)
    assert len(bench.ledger()["payments"]) == 2
    assert stripe.start(replace(embedded, money=Money(1, "USD"))) is UNKNOWN


def test_a_hold_is_captured_in_part_and_given_back(
    bench: Bench, stripe: Stripe, embedded: Order
) -> None:
    held = paid(bench, stripe, replace(embedded, capture=Capture.MANUAL))
    assert held.status is PaymentStatus.AUTHORIZED
    reference = held.psp_reference or ""
    for key in ("take-1", "take-1", "take-2"):
        assert stripe.capture(reference, Money(100_000, "KES"), key) is None
    for _ in range(2):
        assert stripe.refund(RefundOrder("ref_1", reference, Money(40_000, "KES"))) is None
    outcome = stripe.fetch(reference)
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, Money(100_000, "KES"))
    assert [(one.refund_id, one.money) for one in outcome.refunds] == [
        ("ref_1", Money(40_000, "KES"))
    ]
    now = bench.clock.now()
    moved = stripe.list_movements(now - timedelta(hours=1), now + timedelta(seconds=2))
    assert {one.payment_id for one in moved} == {"pay_1"}


@pytest.mark.parametrize("capture", list(Capture))
def test_an_unpaid_intent_and_a_hold_are_let_go(
    bench: Bench, stripe: Stripe, embedded: Order, capture: Capture
) -> None:
    order = replace(embedded, capture=capture)
    reference = opened(stripe, order)
    if capture is Capture.MANUAL:
        bench.happen(f"payments/{reference}/pay")
    for key in ("cancel-1", "cancel-1", "cancel-2"):
        assert stripe.cancel(reference, key) is None
    assert stripe.fetch(reference).status is PaymentStatus.CANCELED
    bench.happen(f"payments/{reference}/pay")
    assert stripe.fetch(reference).status is PaymentStatus.CANCELED


def test_a_hold_that_nobody_captures_expires(bench: Bench, stripe: Stripe, embedded: Order) -> None:
    held = paid(bench, stripe, replace(embedded, capture=Capture.MANUAL))
    bench.happen(f"payments/{held.psp_reference}/expire")
    assert stripe.fetch(held.psp_reference or "").status is PaymentStatus.EXPIRED


def test_a_payment_is_found_by_our_reference(
    bench: Bench, stripe: Stripe, order: Order, embedded: Order
) -> None:
    created_at = bench.clock.now()
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.start(embedded) is UNKNOWN
    hosted = opened(stripe, replace(order, payment_id="pay_2"))
    bench.happen(f"payments/{hosted}/pay")
    found = stripe.find("pay_1", created_at)
    assert found == stripe.start(embedded)
    other = stripe.find("pay_2", created_at)
    assert other is not None
    assert other.psp_reference == hosted
    assert stripe.find("pay_3", created_at) is None


def test_a_customer_whose_making_got_lost_is_made_once(
    bench: Bench, stripe: Stripe, embedded: Order
) -> None:
    saving = replace(embedded, save_method=True)
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.start(saving) is UNKNOWN
    assert stripe.find("pay_1", bench.clock.now()) is None
    saved = paid(bench, stripe, saving).saved_method
    assert saved is not None
    made = [line for line in bench.log if "POST /v1/customers: 200" in line]
    assert len(made) == 2  # the second is the first one's answer again
    assert bench.client.v1.customers.retrieve(saved.customer_reference).metadata is not None


def test_a_state_that_nobody_documented_is_unknown(
    bench: Bench, stripe: Stripe, order: Order, embedded: Order
) -> None:
    for one in (order, replace(embedded, payment_id="pay_2")):
        reference = opened(stripe, one)
        bench.happen(f"payments/{reference}/say", state="paid")
        assert stripe.fetch(reference) == UNKNOWN
        bench.happen(f"payments/{reference}/say")
        assert stripe.fetch(reference).status is PaymentStatus.REQUIRES_ACTION


@pytest.fixture(params=[PaymentPage.HOSTED, PaymentPage.EMBEDDED])
def renewal(request: pytest.FixtureRequest, bench: Bench, stripe: Stripe, order: Order) -> Order:
    """A payment with what the client let us keep of an earlier one, on either page."""
    first = replace(order, payment_id="pay_0", page=request.param, save_method=True)
    saved = paid(bench, stripe, first).saved_method
    assert saved is not None
    return replace(order, saved_method=saved)


def test_what_was_saved_is_charged(bench: Bench, stripe: Stripe, renewal: Order) -> None:
    outcome = stripe.start(renewal)
    facts = (outcome.status, outcome.reference, outcome.money, outcome.saved_method)
    assert facts == (PaymentStatus.SUCCEEDED, "pay_1", renewal.money, None)
    assert stripe.start(renewal) == outcome
    assert len(bench.ledger()["charges"]) == 2
    read = stripe.fetch(outcome.psp_reference or "")
    assert (read.status, read.references) == (outcome.status, outcome.references)
    assert (read.method, read.fee is None) == ("card", False)


@pytest.mark.parametrize(
    ("said", "code"),
    [("declined", "generic_decline"), ("authentication_required", "authentication_required")],
)
def test_a_decline_is_final_and_the_same_however_it_is_learned(
    bench: Bench, stripe: Stripe, renewal: Order, said: str, code: str
) -> None:
    bench.fault(off_session=said, next={"off_session": 1})
    outcome = stripe.start(renewal)
    assert outcome.failure is not None
    assert (outcome.status, outcome.failure.code) == (PaymentStatus.FAILED, code)
    assert (outcome.reference, outcome.money) == ("pay_1", renewal.money)
    assert stripe.start(renewal) == outcome
    read = replace(outcome, method="card")
    assert stripe.fetch(outcome.psp_reference or "") == read
    assert stripe.find("pay_1", bench.clock.now()) == read
    assert stripe.start(replace(renewal, payment_id="pay_2")).status is PaymentStatus.SUCCEEDED


def test_a_lost_answer_to_a_renewal_charges_once(
    bench: Bench, stripe: Stripe, renewal: Order
) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert stripe.start(renewal) is UNKNOWN
    found = stripe.find("pay_1", bench.clock.now())
    assert found is not None
    assert found.status is PaymentStatus.SUCCEEDED
    assert stripe.start(renewal).psp_reference == found.psp_reference
    assert len(bench.ledger()["charges"]) == 2


def test_a_renewal_that_takes_its_time_is_processing(
    bench: Bench, stripe: Stripe, renewal: Order
) -> None:
    bench.fault(async_payment="succeeds", async_seconds=60)
    outcome = stripe.start(renewal)
    assert outcome.status is PaymentStatus.PROCESSING
    bench.clock.advance(61)
    assert stripe.fetch(outcome.psp_reference or "").status is PaymentStatus.SUCCEEDED


def test_what_is_saved_nowhere_is_a_refusal(stripe: Stripe, order: Order) -> None:
    outcome = stripe.start(replace(order, saved_method=SavedMethod("cus_none", "pm_none")))
    assert outcome.failure is not None
    assert (outcome.status, outcome.failure.code) == (PaymentStatus.FAILED, "resource_missing")
    assert outcome.psp_reference is None


def test_its_webhooks_are_hints_at_the_payment(
    bench: Bench, stripe: Stripe, embedded: Order
) -> None:
    outcome = paid(bench, stripe, embedded)
    bench.happen(f"payments/{outcome.psp_reference}/refund", amount=100)
    bench.happen(f"payments/{outcome.psp_reference}/dispute")
    until(lambda: "charge.dispute.funds_withdrawn" in bench.receiver.types())
    for signature, body in zip(bench.receiver.signatures, bench.receiver.bodies, strict=True):
        callback = Callback(headers={"stripe-signature": signature}, body=body)
        hint = stripe.read_event(callback, bench.clock.now())
        assert hint.psp_reference is None
        assert hint.payment_id in ("pay_1", None)
        assert not set(outcome.references).isdisjoint(hint.references)


def test_all_that_is_sent_is_as_specified(
    settings: Settings,
    bench: Bench,
    embedded: Order,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A whole life, with what Stripe's published specification says of each request in it."""
    sent: list[httpx.Request] = []
    send = httpx.Client.send

    def record(self: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        sent.append(request)
        return send(self, request, **options)

    stripe = Stripe(with_values(settings, STRIPE_API_URL=bench.url, STRIPE_SECRET_KEY=SECRET_KEY))
    monkeypatch.setattr(httpx.Client, "send", record)
    outcome = paid(bench, stripe, replace(embedded, save_method=True, capture=Capture.MANUAL))
    reference = outcome.psp_reference or ""
    stripe.capture(reference, embedded.money, "take-1")
    stripe.refund(RefundOrder("ref_1", reference, Money(1, "KES"), "duplicate"))
    bench.happen(f"payments/{reference}/dispute")
    stripe.fetch(reference)
    stripe.start(replace(embedded, payment_id="pay_2", saved_method=outcome.saved_method))
    stripe.cancel(opened(stripe, replace(embedded, payment_id="pay_3")), "cancel-1")
    asked = [request for request in sent if request.url.path.startswith("/v1/")]
    assert len(asked) > 10
    assert [wrong_with_request(request) for request in asked] == [[]] * len(asked)


def test_nothing_is_known_while_stripe_can_not_be_read(
    bench: Bench, stripe: Stripe, embedded: Order
) -> None:
    reference = opened(stripe, embedded)
    bench.fault(garbage=True)
    assert stripe.start(replace(embedded, payment_id="pay_2", save_method=True)) is UNKNOWN
    for ask in (
        lambda: stripe.fetch(reference),
        lambda: stripe.find("pay_1", bench.clock.now()),
        lambda: stripe.cancel(reference, "cancel-1"),
        lambda: stripe.capture(reference, embedded.money, "take-1"),
        lambda: stripe.refund(RefundOrder("ref_1", reference, embedded.money)),
    ):
        with pytest.raises(PspUnavailable):
            ask()
