"""Reading a payment back from Stripe: only the known word for paid is a success."""

import json
import traceback
from datetime import UTC, datetime
from itertools import product
from typing import Any

import httpx
import pytest
import respx

from tests.psp.conftest import with_values
from tests.psp.stripe_values import intent, paid_session, session
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.stripe.adapter import API_VERSION, Stripe
from tollgate.settings import Settings

URL = "https://api.stripe.com/v1/checkout/sessions/cs_test_1"

SESSION_STATUSES = ("open", "complete", "expired", "new_word", "OPEN", "", None)
PAYMENT_STATUSES = ("paid", "unpaid", "no_payment_required", "new_word", "PAID", "", None)
INTENT_STATUSES = (
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "succeeded",
    "canceled",
    "new_word",
    None,  # there is no PaymentIntent yet
)
UNPAID_BY_INTENT = {
    "requires_payment_method": PaymentStatus.FAILED,
    "requires_capture": PaymentStatus.AUTHORIZED,
    "succeeded": PaymentStatus.SUCCEEDED,
    "canceled": PaymentStatus.CANCELED,
}


def fetch(settings: Settings, answer: httpx.Response | Exception) -> Outcome:
    with respx.mock:
        respx.get(url__startswith=URL).mock(side_effect=[answer])
        return Stripe(settings).fetch("cs_test_1")


def says(settings: Settings, body: Any) -> Outcome:
    return fetch(settings, httpx.Response(200, json=body))


def expected(status: str | None, payment_status: str | None, intent_status: str | None) -> object:
    if status == "open":
        return PaymentStatus.REQUIRES_ACTION
    if status == "expired":
        return PaymentStatus.EXPIRED
    if (status, payment_status) == ("complete", "paid"):
        held = intent_status == "requires_capture"
        return PaymentStatus.AUTHORIZED if held else PaymentStatus.SUCCEEDED
    if (status, payment_status) == ("complete", "unpaid"):
        return UNPAID_BY_INTENT.get(intent_status or "", PaymentStatus.PROCESSING)
    return PaymentStatus.PENDING


@pytest.mark.parametrize("status", SESSION_STATUSES)
def test_every_combination_of_words(settings: Settings, status: str | None) -> None:
    for payment_status, intent_status in product(PAYMENT_STATUSES, INTENT_STATUSES):
        body = session(
            status=status,
            payment_status=payment_status,
            payment_intent=intent(intent_status) if intent_status else None,
        )
        outcome = says(settings, body)
        assert outcome.status is expected(status, payment_status, intent_status), body
        assert (outcome == UNKNOWN) is (outcome.status is PaymentStatus.PENDING)


def test_words_that_are_missing_are_unknown(settings: Settings) -> None:
    for name in ("status", "payment_status"):
        body = paid_session()
        del body[name]
        assert says(settings, body) is UNKNOWN


def test_asks_for_the_session_with_its_payment_intent(settings: Settings) -> None:
    with respx.mock:
        route = respx.get(url__startswith=URL).respond(json=session())
        Stripe(settings).fetch("cs_test_1")
        request = route.calls.last.request
    assert request.url.path == "/v1/checkout/sessions/cs_test_1"
    assert list(request.url.params.multi_items()) == [
        ("expand[]", "payment_intent.latest_charge.balance_transaction"),
        ("expand[]", "payment_intent.latest_charge.refunds"),
    ]
    assert request.headers["authorization"] == "Bearer sk_test_of_the_suite"
    assert request.headers["stripe-version"] == API_VERSION


def test_a_paid_session_says_what_was_received(settings: Settings) -> None:
    assert says(settings, paid_session()) == Outcome(
        PaymentStatus.SUCCEEDED,
        psp_reference="cs_test_1",
        reference="pay_1",
        money=Money(150_000, "KES"),
        livemode=False,
        method="card",
        expires_at=datetime.fromtimestamp(1_790_086_400, UTC),
        fee=Money(64, "USD"),
        references=("pi_1", "ch_1"),
    )


@pytest.mark.parametrize(
    ("received", "money"),
    [
        ({"amount_received": 149_999}, Money(149_999, "KES")),
        ({"amount_received": 0}, Money(0, "KES")),
        ({"currency": "usd"}, Money(150_000, "USD")),
        ({"currency": "ugx"}, Money(1_500, "UGX")),
        ({"currency": "ugx", "amount_received": 150_001}, None),
        ({"currency": "new"}, None),
    ],
)
def test_money_is_what_was_received_not_what_was_asked(
    settings: Settings, received: dict[str, Any], money: Money | None
) -> None:
    body = paid_session(payment_intent=intent(**received))
    assert says(settings, body).money == money


def test_a_paid_session_without_an_intent_states_no_money(settings: Settings) -> None:
    outcome = says(settings, paid_session(payment_intent=None))
    assert (outcome.status, outcome.money) == (PaymentStatus.SUCCEEDED, None)


@pytest.mark.parametrize(
    ("name", "said", "field"),
    [
        ("client_reference_id", "pay_2", "reference"),
        ("client_reference_id", None, "reference"),
        ("livemode", True, "livemode"),
        ("livemode", None, "livemode"),
    ],
)
def test_passes_on_whose_payment_it_is(
    settings: Settings, name: str, said: object, field: str
) -> None:
    assert getattr(says(settings, paid_session(**{name: said})), field) == said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"code": "expired_card", "decline_code": None}, "expired_card"),
        ({}, "payment_failed"),
        (None, "payment_failed"),
    ],
)
def test_a_failure_has_the_code_of_the_decline(
    settings: Settings, error: dict[str, Any] | None, code: str
) -> None:
    failed = intent("requires_payment_method", last_payment_error=error)
    outcome = says(settings, session(status="complete", payment_intent=failed))
    assert outcome.failure == Failure(code, "The payment did not go through.")


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("automatic", PaymentStatus.EXPIRED),
        ("expired", PaymentStatus.EXPIRED),
        ("requested_by_customer", PaymentStatus.CANCELED),
        ("a_new_word", PaymentStatus.CANCELED),
        (None, PaymentStatus.CANCELED),
    ],
)
def test_a_hold_that_ran_out_was_not_canceled(
    settings: Settings, reason: str | None, status: PaymentStatus
) -> None:
    canceled = intent("canceled", cancellation_reason=reason)
    outcome = says(settings, session(status="complete", payment_intent=canceled))
    assert (outcome.status, outcome.money) == (status, Money(150_000, "KES"))


def test_a_hold_is_over_what_was_asked(settings: Settings) -> None:
    held = intent("requires_capture", amount_capturable=150_000)
    outcome = says(settings, session(status="complete", payment_intent=held))
    assert (outcome.status, outcome.money) == (PaymentStatus.AUTHORIZED, Money(150_000, "KES"))
    assert (outcome.fee, outcome.refunds) == (None, ())


CAN_NOT_BE_READ = [
    *(httpx.Response(status, json={"error": {}}) for status in (400, 401, 403, 404, 409, 429)),
    *(httpx.Response(status, json=paid_session()) for status in (302, 500, 502, 503)),
    httpx.Response(200, text=""),
    httpx.Response(200, text="<html>paid</html>"),
    httpx.Response(200, content=b"\xff\xfe\xfd"),
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("cut"),
    httpx.DecodingError("not gzip"),
]


@pytest.mark.parametrize("answer", CAN_NOT_BE_READ, ids=repr)
def test_an_answer_that_can_not_be_read_is_an_error(
    settings: Settings, answer: httpx.Response | Exception
) -> None:
    with pytest.raises(PspUnavailable) as raised:
        fetch(settings, answer)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert "sk_test_of_the_suite" not in told


NO_SESSIONS = [
    b"[]",
    b'"paid"',
    b"null",
    b"5",
    b"[" * 100_000,
    b'{"status": "open"}',
    b'{"status": "complete", "payment_status": "paid"}',
    b'{"status": "complete", "payment_status": "paid", "payment_intent": {}, "id": "cs_1"}',
    json.dumps(paid_session(payment_intent="pi_1")).encode(),
    b'{"status": "open", "id": "cs_1", "expires_at": 1e400, "amount_total": 1, "currency": "kes"}',
    b'{"status": "open", "id": "cs_1", "expires_at": "x", "amount_total": 1, "currency": "kes"}',
    b'{"status": "open", "id": "cs_1", "expires_at": 1, "amount_total": 1, "currency": null}',
    b'{"status": "open", "id": "cs_1", "expires_at": 1, "amount_total": 1.5, "currency": "kes"}',
    b'{"status": "open", "id": "cs_1", "expires_at": 1, "amount_total": "1", "currency": "kes"}',
]


@pytest.mark.parametrize("body", NO_SESSIONS, ids=lambda body: repr(body[:60]))
def test_an_answer_that_is_no_session_is_an_error(settings: Settings, body: bytes) -> None:
    with pytest.raises(PspUnavailable):
        fetch(settings, httpx.Response(200, content=body))


@pytest.mark.parametrize("secret_key", ["none", ""])
def test_without_a_secret_key_nobody_is_asked(settings: Settings, secret_key: str) -> None:
    with respx.mock, pytest.raises(Misconfigured, match="STRIPE_SECRET_KEY"):
        Stripe(with_values(settings, STRIPE_SECRET_KEY=secret_key)).fetch("cs_test_1")
