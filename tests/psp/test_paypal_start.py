"""Opening a payment: what PayPal is asked, and what each of its answers means."""

import traceback

import httpx
import pytest

from local.paypal.specification import ORDERS as ORDERS_DOCUMENT
from local.paypal.specification import problems
from tests.psp.paypal_values import (
    ORDER,
    ORDER_ID,
    ORDERS,
    PAGE,
    SECRET,
    VAULT,
    Json,
    adapter,
    asked,
    body_of,
    capture,
    captured,
    created,
    issue,
    order,
    order_of,
    paypal_says,
    sent,
    settings_of,
    start,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable, TollgateError
from tollgate.domain.money import Money
from tollgate.domain.order import SavedMethod
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Failure, PaymentStatus
from tollgate.psp.paypal.adapter import PayPal


def test_asks_for_an_order_to_be_captured_after_approval() -> None:
    assert asked() == {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": "pay_1",
                "custom_id": "pay_1",
                "invoice_id": "pay_1",
                "amount": {"currency_code": "USD", "value": "10.00"},
                "description": "Gold <plan> & more",
            }
        ],
        "payment_source": {
            "paypal": {
                "experience_context": {
                    "return_url": "https://functions.example/payments/return/pay_1",
                    "cancel_url": "https://functions.example/payments/return/pay_1?left=1",
                    "user_action": "PAY_NOW",
                    "shipping_preference": "NO_SHIPPING",
                }
            }
        },
    }


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"save_method": True},
        {"saved_method": SavedMethod("", "8kk8451t")},
        {"description": "é" * 200},
        {"description": ""},
        {"money": Money(500, "JPY")},
    ],
    ids=repr,
)
def test_asks_as_paypal_publishes_and_nothing_else(more: Json) -> None:
    assert problems(ORDERS_DOCUMENT, "order_request", asked(**more)) == []


def test_a_field_that_paypal_does_not_publish_would_be_seen() -> None:
    body = asked()
    body["purchase_units"][0]["customid"] = "pay_1"
    assert problems(ORDERS_DOCUMENT, "order_request", body) != []


def test_sends_our_key_a_token_and_asks_for_all_of_the_answer() -> None:
    with paypal_says(creates=created()) as router:
        adapter().start(order_of())
    (request,) = sent(router, ORDERS)
    assert request.headers["PayPal-Request-Id"] == "tollgate-pay_1"
    assert request.headers["Prefer"] == "return=representation"
    assert request.headers["Authorization"] == "Bearer A21AA-of-the-suite"
    assert request.headers["Content-Type"] == "application/json"


def test_tells_paypal_nothing_of_the_customer() -> None:
    body = str(asked())
    assert "ann@example.com" not in body
    assert "254700000001" not in body


@pytest.mark.parametrize("rel", ["payer-action", "approve"])
def test_the_page_is_behind_either_link(rel: str) -> None:
    body = order("CREATED")
    body["links"][1]["rel"] = rel
    outcome = start(created(body))
    assert outcome.next_action == {"type": "redirect", "url": PAGE}


@pytest.mark.parametrize("status", [200, 201])
def test_an_order_that_waits_for_its_client(status: int) -> None:
    outcome = start(created(status=status))
    assert outcome == Outcome(
        PaymentStatus.REQUIRES_ACTION,
        psp_reference=ORDER_ID,
        reference="pay_1",
        money=Money(1000, "USD"),
        livemode=False,
        method="paypal",
        next_action={"type": "redirect", "url": PAGE},
    )


def test_a_short_answer_is_completed_by_a_read() -> None:
    short = {name: order()[name] for name in ("id", "status", "links")}
    with paypal_says(creates=created(short), shows=order()) as router:
        outcome = adapter().start(order_of())
    assert outcome.reference == "pay_1"
    assert len(sent(router, ORDER)) == 1


def test_a_short_answer_that_can_not_be_completed_is_unknown() -> None:
    short = {name: order()[name] for name in ("id", "status", "links")}
    for shows in (httpx.Response(500), httpx.ReadTimeout("slow"), issue(404, "X")):
        with paypal_says(creates=created(short), shows=shows):
            assert adapter().start(order_of()) is UNKNOWN


def test_an_order_without_a_page_is_unknown() -> None:
    assert start(created(order() | {"links": []})) is UNKNOWN


def test_asks_to_keep_what_is_paid_with() -> None:
    wallet = asked(save_method=True)["payment_source"]["paypal"]
    assert wallet["attributes"]["vault"] == {
        "store_in_vault": "ON_SUCCESS",
        "usage_type": "MERCHANT",
        "customer_type": "CONSUMER",
    }
    assert "experience_context" in wallet


def test_a_saved_method_is_charged_at_once() -> None:
    saved = SavedMethod("cust1234", "8kk8451t")
    with paypal_says(creates=created(captured())) as router:
        outcome = adapter(**VAULT).start(order_of(saved_method=saved))
    assert outcome.status is PaymentStatus.SUCCEEDED
    assert outcome.money == Money(1000, "USD")
    (request,) = sent(router, ORDERS)
    assert body_of(request)["payment_source"] == {"paypal": {"vault_id": "8kk8451t"}}


def test_the_answer_to_a_charge_may_tell_the_amount_only_in_its_capture() -> None:
    body = captured()
    del body["purchase_units"][0]["amount"], body["purchase_units"][0]["custom_id"]
    outcome = start(created(body))
    assert (outcome.money, outcome.reference) == (Money(1000, "USD"), "pay_1")


def test_a_charge_that_paypal_declines_has_failed() -> None:
    outcome = start(created(captured(capture("DECLINED"))))
    assert outcome.status is PaymentStatus.FAILED
    assert outcome.failure == Failure("capture_declined", "The payment did not go through.")


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (422, "INSTRUMENT_DECLINED", "instrument_declined"),
        (422, "NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", "not_enabled_to_vault_payment_source"),
        (400, "INVALID_PARAMETER_SYNTAX", "invalid_parameter_syntax"),
        (404, "INVALID_RESOURCE_ID", "invalid_resource_id"),
    ],
)
def test_a_refusal_is_a_failure_with_its_issue(status: int, name: str, code: str) -> None:
    outcome = start(issue(status, name))
    assert outcome.status is PaymentStatus.FAILED
    assert outcome.failure == Failure(code, "PayPal refused to open this payment.")


def test_a_refusal_without_an_issue_is_told_by_its_name() -> None:
    body = {"name": "INVALID_REQUEST", "message": "…", "debug_id": "f1", "details": []}
    outcome = start(httpx.Response(400, json=body))
    assert outcome.failure is not None
    assert outcome.failure.code == "invalid_request"


def test_a_refusal_is_logged_with_paypals_number_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start(issue(422, "INSTRUMENT_DECLINED"))
    logged = capsys.readouterr().out
    assert '"issue": "INSTRUMENT_DECLINED"' in logged
    assert '"debug_id": "f1a2b3c4d5e6f"' in logged


def test_what_is_no_number_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    start(issue(422, "INSTRUMENT_DECLINED", debug_id="ann@example.com"))
    assert "ann@example.com" not in capsys.readouterr().out


def test_money_that_was_taken_under_our_id_before_is_no_failure() -> None:
    assert start(issue(422, "DUPLICATE_INVOICE_ID")) is UNKNOWN


MAY_HAVE_HAPPENED = [
    issue(409, "PREVIOUS_REQUEST_IN_PROGRESS"),
    httpx.Response(500, json={"name": "INTERNAL_SERVER_ERROR"}),
    httpx.Response(503, text="<html>"),
    httpx.Response(200, text="<html>"),
    httpx.Response(200, text=""),
    httpx.Response(400, text="<html>"),
    httpx.Response(403, text="<html>"),
    httpx.Response(422, json={"name": "ann@example.com", "details": []}),
    httpx.Response(422, json=[]),
    httpx.Response(302, headers={"location": "https://elsewhere.example/"}),
    httpx.Response(418, json={}),
    httpx.ReadTimeout("slow"),
    httpx.WriteTimeout("slow"),
    httpx.ReadError("reset"),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("answer", MAY_HAVE_HAPPENED, ids=repr)
def test_what_may_have_happened_is_unknown(answer: httpx.Response | Exception) -> None:
    assert start(answer) is UNKNOWN


@pytest.mark.parametrize(
    "body",
    [
        [],
        "4K5112848U951142F",
        None,
        {"status": "CREATED"},
        order() | {"id": 7},
        order() | {"status": None},
        order(amount={"currency_code": "USD", "value": 10.0}),
        order(amount={"currency_code": "USD", "value": "NaN"}),
        order(amount={"currency_code": "USD", "value": "1" * 40}),
        order(amount={"currency_code": None, "value": "10.00"}),
        order() | {"purchase_units": []},
        order() | {"purchase_units": [{}, {}]},
        order("WEIRD"),
        order("COMPLETED"),
    ],
    ids=lambda body: repr(body)[-60:],
)
def test_an_answer_that_is_no_order_is_unknown(body: object) -> None:
    assert start(httpx.Response(201, json=body)) is UNKNOWN


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.ConnectError("refused"), PspUnavailable),
        (httpx.ConnectTimeout("slow"), PspUnavailable),
        (httpx.Response(429, json={"name": "RATE_LIMIT_REACHED"}), PspUnavailable),
        (httpx.Response(401, json={"error": "invalid_token"}), Misconfigured),
        (httpx.Response(403, json={"name": "NOT_AUTHORIZED"}), Misconfigured),
    ],
    ids=repr,
)
def test_what_certainly_did_not_happen_is_an_error(
    answer: httpx.Response | Exception, error: type[TollgateError]
) -> None:
    with pytest.raises(error) as raised:
        start(answer)
    told = "".join(traceback.format_exception(raised.value)) + repr(vars(raised.value))
    assert SECRET not in told
    assert "A21AA-of-the-suite" not in told


def test_is_sent_once_whatever_is_answered() -> None:
    for answer in (httpx.ReadTimeout("slow"), httpx.Response(500), issue(409, "X")):
        with paypal_says(creates=answer) as router:
            adapter().start(order_of())
        assert len(sent(router, ORDERS)) == 1


@pytest.mark.parametrize("name", ["PAYPAL_CLIENT_ID", "PAYPAL_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["", "none"])
def test_without_credentials_nothing_is_sent(name: str, value: str) -> None:
    with paypal_says() as router:
        for ask in (PayPal.check, PayPal.start):
            with pytest.raises(Misconfigured, match=name):
                ask(adapter(**{name: value}), order_of())
    assert router.requests == []


def test_the_address_follows_the_mode() -> None:
    for livemode, host in ((True, "api-m.paypal.com"), (False, "api-m.sandbox.paypal.com")):
        paypal = PayPal(settings_of(livemode), _Fixed())
        with paypal_says() as router:
            router.post(f"https://{host}/v2/checkout/orders").mock(return_value=created())
            outcome = paypal.start(order_of())
        assert outcome.livemode is livemode


class _Fixed:
    def get(self, name: str, fetch: object, refused: str | None = None) -> str:
        return "A21AA-of-the-suite"
