"""Opening a payment at Stripe: what is sent, and what each answer means."""

import traceback
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest
import respx

from tests.psp.conftest import with_values
from tests.psp.stripe_requests import DID_NOT_HAPPEN, refused
from tests.psp.stripe_values import session
from tollgate.domain.errors import Misconfigured, TollgateError, UnsupportedAmount
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Capture, Failure, Method, PaymentStatus
from tollgate.psp.stripe import adapter
from tollgate.psp.stripe.adapter import Stripe
from tollgate.settings import Settings

# The SDK hands its form to httpx in a way that httpx has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

SESSIONS = "https://api.stripe.com/v1/checkout/sessions"


def start(settings: Settings, order: Order, answer: httpx.Response | Exception) -> Outcome:
    with respx.mock:
        respx.post(SESSIONS).mock(side_effect=[answer])
        return Stripe(settings).start(order)


def request_of(settings: Settings, order: Order) -> httpx.Request:
    with respx.mock:
        route = respx.post(SESSIONS).respond(json=session())
        Stripe(settings).start(order)
        request: httpx.Request = route.calls.last.request
        return request


def form_of(request: httpx.Request) -> dict[str, str]:
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    fields = parse_qsl(request.content.decode(), keep_blank_values=True, strict_parsing=True)
    assert len(fields) == len(dict(fields))
    return dict(fields)


def test_sends_the_order_and_nothing_else(settings: Settings, order: Order) -> None:
    assert form_of(request_of(settings, order)) == {
        "mode": "payment",
        "client_reference_id": "pay_1",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "kes",
        "line_items[0][price_data][unit_amount]": "150000",
        "line_items[0][price_data][product_data][name]": "Gold <plan> & more",
        "success_url": "https://functions.example/payments/return/pay_1",
        "cancel_url": "https://functions.example/payments/return/pay_1?left=1",
        "expires_at": str(int(order.expires_at.timestamp())),
        "metadata[payment_id]": "pay_1",
        "payment_intent_data[metadata][payment_id]": "pay_1",
        "customer_email": "ann@example.com",
    }


def test_without_an_address_none_is_sent(settings: Settings, order: Order) -> None:
    form = form_of(request_of(settings, replace(order, customer=Customer())))
    assert "customer_email" not in form


def test_asks_for_a_hold_only_where_the_order_does(settings: Settings, order: Order) -> None:
    form = form_of(request_of(settings, replace(order, capture=Capture.MANUAL)))
    automatic = form_of(request_of(settings, order))
    assert form == automatic | {"payment_intent_data[capture_method]": "manual"}


def test_a_method_is_asked_for_by_its_name(settings: Settings, order: Order) -> None:
    form = form_of(request_of(settings, replace(order, method=Method.CARD)))
    unnamed = form_of(request_of(settings, order))
    assert form == unnamed | {"allowed_payment_method_types[0]": "card"}


def test_sends_amounts_as_stripe_counts_them(settings: Settings, order: Order) -> None:
    for money, amount in ((Money(5_000, "UGX"), "500000"), (Money(500, "JPY"), "500")):
        form = form_of(request_of(settings, replace(order, money=money)))
        assert form["line_items[0][price_data][unit_amount]"] == amount
        assert form["line_items[0][price_data][currency]"] == money.currency.lower()


def test_sends_our_key_our_version_and_the_secret_key(settings: Settings, order: Order) -> None:
    headers = request_of(settings, order).headers
    assert headers["idempotency-key"] == order.idempotency_key
    assert headers["stripe-version"] == adapter.API_VERSION == "2026-10-28.endive"
    assert headers["authorization"] == "Bearer sk_test_of_the_suite"
    assert "x-stripe-client-telemetry" not in headers


def test_the_version_is_ours_and_not_the_sdks(
    settings: Settings, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "API_VERSION", "2020-01-31.ours")
    assert request_of(settings, order).headers["stripe-version"] == "2020-01-31.ours"


def test_the_same_order_is_sent_under_the_same_key(settings: Settings, order: Order) -> None:
    first, again = request_of(settings, order), request_of(settings, order)
    assert (first.headers["idempotency-key"], first.content) == (
        again.headers["idempotency-key"],
        again.content,
    )


def test_an_open_session_waits_for_the_client(settings: Settings, order: Order) -> None:
    assert start(settings, order, httpx.Response(200, json=session())) == Outcome(
        PaymentStatus.REQUIRES_ACTION,
        psp_reference="cs_test_1",
        reference="pay_1",
        money=Money(150_000, "KES"),
        livemode=False,
        next_action={"type": "redirect", "url": "https://checkout.stripe.com/c/pay/cs_test_1"},
        expires_at=datetime.fromtimestamp(1_790_086_400, UTC),
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(402, type="card_error", code="card_declined"), "card_declined"),
        (refused(400, type="invalid_request_error", code="amount_too_small"), "amount_too_small"),
        (refused(400, type="invalid_request_error"), "invalid_request"),
        (refused(404, type="invalid_request_error", code="resource_missing"), "resource_missing"),
    ],
)
def test_a_refusal_is_a_failed_payment(
    settings: Settings, order: Order, answer: httpx.Response, code: str
) -> None:
    assert start(settings, order, answer) == Outcome(
        PaymentStatus.FAILED, failure=Failure(code, "Stripe refused to open this payment.")
    )


MAY_HAVE_HAPPENED = [
    refused(500, type="api_error"),
    refused(502),
    refused(503),
    refused(409, type="idempotency_error", code="idempotency_key_in_use"),
    refused(409, type="invalid_request_error", code="lock_timeout"),
    refused(400, type="idempotency_error"),
    refused(418, type="invalid_request_error"),
    httpx.Response(500, text="<html>"),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, text=""),
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("answer", MAY_HAVE_HAPPENED, ids=repr)
def test_what_may_have_happened_is_unknown(
    settings: Settings, order: Order, answer: httpx.Response | Exception
) -> None:
    assert start(settings, order, answer) is UNKNOWN


@pytest.mark.parametrize("status", [301, 302, 307])
def test_is_not_sent_elsewhere(settings: Settings, order: Order, status: int) -> None:
    elsewhere = httpx.Response(status, headers={"location": "https://elsewhere.example/"})
    assert start(settings, order, elsewhere) is UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        [],
        "cs_test_1",
        None,
        {"status": "open"},
        session(expires_at="soon"),
        session(expires_at=10**400),
        session(currency=None),
        session(amount_total="150000"),
        session(amount_total=1.5),
    ],
    ids=lambda body: repr(body)[-40:],
)
def test_an_answer_that_is_no_session_is_unknown(
    settings: Settings, order: Order, body: object
) -> None:
    assert start(settings, order, httpx.Response(200, json=body)) is UNKNOWN


@pytest.mark.parametrize(("answer", "error"), DID_NOT_HAPPEN, ids=repr)
def test_what_certainly_did_not_happen_is_an_error(
    settings: Settings,
    order: Order,
    answer: httpx.Response | Exception,
    error: type[TollgateError],
) -> None:
    with pytest.raises(error) as raised:
        start(settings, order, answer)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert "sk_test_of_the_suite" not in told
    assert "whsec_of_the_suite" not in told


def test_is_sent_once_whatever_is_answered(settings: Settings, order: Order) -> None:
    for answer in (httpx.ReadTimeout("slow"), refused(500), refused(409)):
        with respx.mock:
            route = respx.post(SESSIONS).mock(
                side_effect=answer if isinstance(answer, Exception) else [answer]
            )
            Stripe(settings).start(order)
            assert route.call_count == 1


@pytest.mark.parametrize("secret_key", ["none", ""])
def test_without_a_secret_key_nothing_is_sent(
    settings: Settings, order: Order, secret_key: str
) -> None:
    with respx.mock, pytest.raises(Misconfigured, match="STRIPE_SECRET_KEY"):
        Stripe(with_values(settings, STRIPE_SECRET_KEY=secret_key)).start(order)


@pytest.mark.parametrize(
    "money",
    [Money(99_999_999, "KES"), Money(999_999, "UGX"), Money(9_999_999_900, "MGA"), Money(1, "USD")],
)
def test_takes_up_to_eight_digits(settings: Settings, order: Order, money: Money) -> None:
    Stripe(settings).check(replace(order, money=money))


@pytest.mark.parametrize(
    "money",
    [
        Money(100_000_000, "KES"),
        Money(1_000_000, "UGX"),
        Money(10_000_000_000, "MGA"),
        Money(1, "MGA"),
        Money(1_001, "KWD"),
    ],
)
def test_refuses_what_stripe_can_not_charge(settings: Settings, order: Order, money: Money) -> None:
    with pytest.raises(UnsupportedAmount):
        Stripe(settings).check(replace(order, money=money))
