"""A payment on the app's own page: a PaymentIntent, and how it is read back."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from tests.psp.conftest import with_values
from tests.psp.stripe_values import charge, dispute, intent, listed, own_intent, refund
from tollgate.domain.dispute import DisputeStatus
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order, SavedMethod
from tollgate.domain.outcome import UNKNOWN, DisputeOutcome, Outcome
from tollgate.domain.payment import Capture, Failure, Method, PaymentPage, PaymentStatus
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

API = "https://api.stripe.com/v1"
INTENTS = f"{API}/payment_intents"
PAY = {
    "type": "client_secret",
    "value": "pi_1_secret_2",
    "publishable_key": "pk_test_of_the_suite",
}


@pytest.fixture
def embedded(order: Order) -> Order:
    return replace(order, page=PaymentPage.EMBEDDED)


def sent(settings: Settings, order: Order) -> Sequence[tuple[str, str, dict[str, str]]]:
    """The requests that open this payment: path, idempotency key, fields."""
    with respx.mock(assert_all_called=False) as stripe:
        stripe.post(f"{API}/customers").respond(json={"id": "cus_1", "object": "customer"})
        stripe.post(INTENTS).respond(json=own_intent())
        Stripe(settings).start(order)
        requests = [call.request for call in stripe.calls]
    return [
        (
            request.url.path,
            request.headers["idempotency-key"],
            dict(parse_qsl(request.content.decode(), strict_parsing=True)),
        )
        for request in requests
    ]


FORM = {
    "amount": "150000",
    "currency": "kes",
    "description": "Gold <plan> & more",
    "metadata[payment_id]": "pay_1",
}


def test_sends_the_order_and_nothing_else(settings: Settings, embedded: Order) -> None:
    automatic = FORM | {"automatic_payment_methods[enabled]": "true"}
    assert sent(settings, embedded) == [("/v1/payment_intents", "tollgate-pay_1", automatic)]
    assert sent(settings, replace(embedded, customer=Customer())) == sent(settings, embedded)


def test_a_method_is_asked_for_by_its_name_alone(settings: Settings, embedded: Order) -> None:
    ((_, _, form),) = sent(settings, replace(embedded, method=Method.CARD))
    assert form == FORM | {"allowed_payment_method_types[0]": "card"}


def test_asks_for_a_hold_only_where_the_order_does(settings: Settings, embedded: Order) -> None:
    ((_, _, automatic),) = sent(settings, embedded)
    ((_, _, manual),) = sent(settings, replace(embedded, capture=Capture.MANUAL))
    assert manual == automatic | {"capture_method": "manual"}


def test_sends_amounts_as_stripe_counts_them(settings: Settings, embedded: Order) -> None:
    ((_, _, form),) = sent(settings, replace(embedded, money=Money(5_000, "UGX")))
    assert (form["amount"], form["currency"]) == ("500000", "ugx")


def test_a_method_is_saved_for_a_customer_without_a_name(
    settings: Settings, embedded: Order
) -> None:
    customer, opened = sent(settings, replace(embedded, save_method=True))
    assert customer == (
        "/v1/customers",
        "tollgate-pay_1-customer",
        {"metadata[payment_id]": "pay_1"},
    )
    ((_, _, unsaved),) = sent(settings, embedded)
    form = unsaved | {"customer": "cus_1", "setup_future_usage": "off_session"}
    assert opened == ("/v1/payment_intents", "tollgate-pay_1", form)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (httpx.Response(500), UNKNOWN),
        (httpx.Response(409, json={"error": {"type": "idempotency_error"}}), UNKNOWN),
        (httpx.ReadTimeout("slow"), UNKNOWN),
        (httpx.Response(200, json={}), UNKNOWN),
        (httpx.Response(200, json={"id": "cus\n1"}), UNKNOWN),
        (httpx.Response(200, json=[]), UNKNOWN),
        (httpx.Response(200, text="<html>"), UNKNOWN),
        (
            httpx.Response(400, json={"error": {"type": "invalid_request_error", "code": "x"}}),
            Outcome(
                PaymentStatus.FAILED, failure=Failure("x", "Stripe refused to open this payment.")
            ),
        ),
    ],
    ids=repr,
)
def test_without_a_customer_nothing_is_opened(
    settings: Settings,
    embedded: Order,
    answer: httpx.Response | Exception,
    outcome: Outcome,
) -> None:
    with respx.mock:
        respx.post(f"{API}/customers").mock(side_effect=[answer])
        assert Stripe(settings).start(replace(embedded, save_method=True)) == outcome


def test_an_intent_that_is_open_waits_for_the_client(settings: Settings, embedded: Order) -> None:
    with respx.mock:
        respx.post(INTENTS).respond(json=own_intent())
        assert Stripe(settings).start(embedded) == Outcome(
            PaymentStatus.REQUIRES_ACTION,
            psp_reference="pi_1",
            reference="pay_1",
            money=Money(150_000, "KES"),
            livemode=False,
            next_action=PAY,
            references=("pi_1",),
        )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json=own_intent(client_secret=None)),
        httpx.Response(200, json=own_intent(amount="150000")),
        httpx.Response(200, json={"object": "payment_intent", "status": "succeeded"}),
        httpx.Response(200, json=own_intent(status="a_new_word")),
        httpx.Response(500),
        httpx.ReadTimeout("slow"),
    ],
    ids=repr,
)
def test_what_may_have_happened_is_unknown(
    settings: Settings, embedded: Order, answer: httpx.Response | Exception
) -> None:
    with respx.mock:
        respx.post(INTENTS).mock(side_effect=[answer])
        assert Stripe(settings).start(embedded) == UNKNOWN


def test_an_apps_own_page_needs_the_publishable_key(settings: Settings, embedded: Order) -> None:
    without = Stripe(with_values(settings, STRIPE_PUBLISHABLE_KEY="none"))
    with pytest.raises(Misconfigured, match="STRIPE_PUBLISHABLE_KEY"):
        without.check(embedded)
    without.check(replace(embedded, page=PaymentPage.HOSTED))
    without.check(replace(embedded, saved_method=SavedMethod("cus_1", "pm_1")))
    Stripe(settings).check(embedded)


def fetch(settings: Settings, body: Any, *disputes: dict[str, Any]) -> Outcome:
    with respx.mock(assert_all_called=False) as stripe:
        stripe.get(url__startswith=f"{INTENTS}/pi_1").respond(json=body)
        stripe.get(path="/v1/disputes").respond(json=listed(*disputes))
        return Stripe(settings).fetch("pi_1")


DECLINED = {"code": "card_declined", "decline_code": "insufficient_funds"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (own_intent("requires_payment_method"), PaymentStatus.REQUIRES_ACTION),
        (
            own_intent("requires_payment_method", last_payment_error=DECLINED),
            PaymentStatus.REQUIRES_ACTION,
        ),
        (own_intent("requires_confirmation"), PaymentStatus.REQUIRES_ACTION),
        (own_intent("requires_action"), PaymentStatus.REQUIRES_ACTION),
        (own_intent("processing"), PaymentStatus.PROCESSING),
        (own_intent("requires_capture"), PaymentStatus.AUTHORIZED),
        (own_intent("succeeded"), PaymentStatus.SUCCEEDED),
        (own_intent("canceled", cancellation_reason="automatic"), PaymentStatus.EXPIRED),
        (own_intent("canceled", cancellation_reason="expired"), PaymentStatus.EXPIRED),
        *(
            (own_intent("canceled", cancellation_reason=reason), PaymentStatus.CANCELED)
            for reason in ("abandoned", "duplicate", "requested_by_customer", "a_new_word", None)
        ),
        *(
            (own_intent(word), PaymentStatus.PENDING)
            for word in ("a_new_word", "SUCCEEDED", "", "paid")
        ),
    ],
    ids=lambda one: one if isinstance(one, str) else one.get("status"),
)
def test_every_word_of_an_intent(
    settings: Settings, body: dict[str, Any], status: PaymentStatus
) -> None:
    outcome = fetch(settings, body)
    assert outcome.status is status
    assert outcome.failure is None
    assert outcome.next_action == (PAY if status is PaymentStatus.REQUIRES_ACTION else None)
    if status is PaymentStatus.PENDING:
        assert outcome == UNKNOWN
    else:
        facts = (outcome.psp_reference, outcome.reference, outcome.money, outcome.livemode)
        assert facts == ("pi_1", "pay_1", Money(150_000, "KES"), False)


def test_a_word_that_is_missing_is_unknown(settings: Settings) -> None:
    body = own_intent("succeeded")
    del body["status"]
    assert fetch(settings, body) == UNKNOWN


def test_a_paid_intent_is_told_with_all_that_became_of_it(settings: Settings) -> None:
    paid = charge(refunds=listed(refund()), disputed=True)
    outcome = fetch(settings, intent(latest_charge=paid), dispute())
    assert (outcome.status, outcome.method) == (PaymentStatus.SUCCEEDED, "card")
    assert (outcome.fee, outcome.references) == (Money(64, "USD"), ("pi_1", "ch_1"))
    assert [one.refund_id for one in outcome.refunds] == ["ref_1"]
    assert outcome.disputes == (DisputeOutcome("dp_1", Money(150_000, "KES"), DisputeStatus.OPEN),)


def test_asks_for_the_intent_with_its_charge(settings: Settings) -> None:
    with respx.mock:
        route = respx.get(url__startswith=f"{INTENTS}/pi_1").respond(json=own_intent())
        Stripe(settings).fetch("pi_1")
        url = route.calls.last.request.url
    assert list(url.params.multi_items()) == [
        ("expand[]", "latest_charge.balance_transaction"),
        ("expand[]", "latest_charge.refunds"),
    ]


@pytest.mark.parametrize(
    ("received", "money"),
    [
        ({"amount_received": 149_999}, Money(149_999, "KES")),
        ({"currency": "usd"}, Money(150_000, "USD")),
        ({"currency": "new"}, None),
    ],
)
def test_money_is_what_was_received_not_what_was_asked(
    settings: Settings, received: dict[str, Any], money: Money | None
) -> None:
    assert fetch(settings, intent(**received)).money == money


@pytest.mark.parametrize("metadata", [{}, None, {"payment_id": "pay\n1"}, {"payment_id": 5}])
def test_an_intent_of_nobody_here_has_no_reference(settings: Settings, metadata: object) -> None:
    assert fetch(settings, intent(metadata=metadata)).reference is None


def test_without_the_publishable_key_a_payment_is_read_all_the_same(settings: Settings) -> None:
    without = with_values(settings, STRIPE_PUBLISHABLE_KEY="none")
    outcome = fetch(without, own_intent())
    assert (outcome.status, outcome.next_action) == (PaymentStatus.REQUIRES_ACTION, None)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"object": "payment_intent", "status": "succeeded"},
        own_intent(client_secret="pi_1\nsecret"),
        own_intent(id=None),
        own_intent(amount=1.5),
        own_intent(currency=None),
        intent(amount_received="150000"),
        intent(latest_charge={"id": 5}),
        own_intent("requires_payment_method", metadata={"client_away": "true"}, id=5),
    ],
    ids=lambda body: repr(body)[:60],
)
def test_an_answer_that_is_no_intent_is_an_error(settings: Settings, body: object) -> None:
    with pytest.raises(PspUnavailable) as raised:
        fetch(settings, body)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert "secret" not in told
