"""What is refused, and how: keys, versions, routes, fields, values, idempotency keys."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from tests.local.stripe.conftest import Bench, session_params

INTENTS = "/v1/payment_intents"
INTENT = {"amount": "500", "currency": "kes"}


def test_a_wrong_key_is_refused_and_not_repeated(bench: Bench) -> None:
    with pytest.raises(stripe.AuthenticationError) as refusal:
        bench.sdk(api_key="sk_test_wrong").v1.payment_intents.retrieve("pi_1")
    assert refusal.value.http_status == 401
    assert refusal.value.request_id
    assert "wrong" not in str(refusal.value)
    assert bench.browser.get("/v1/events").status_code == 401


def test_only_the_pinned_version_is_known(bench: Bench) -> None:
    assert bench.post(INTENTS, INTENT, **{"Stripe-Version": stripe.api_version}).status_code == 200
    answer = bench.post(INTENTS, INTENT, **{"Stripe-Version": "2019-01-01"})
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", ["/v1/payouts", "/v1/payment_intents/pi_1/nope", "/v2/x"])
def test_other_routes_are_not_found(bench: Bench, path: str) -> None:
    answer = bench.post(path, {})
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
    assert answer.json()["error"]["message"] == f"Unrecognized request URL (POST: {path})."


@pytest.mark.parametrize(
    ("resource", "path"),
    [("payment_intent", "payment_intents"), ("checkout.session", "checkout/sessions")],
)
def test_an_unknown_object_is_not_found(bench: Bench, resource: str, path: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.raw_request("get", f"/v1/{path}/nope")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert refusal.value.user_message == f"No such {resource}: 'nope'"


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"colour": "red"}, "colour", "parameter_unknown"),
        ({"payment_method_types": ["card"]}, "payment_method_types", "parameter_unknown"),
        (
            {"payment_intent_data": {"amount": 1}},
            "payment_intent_data[amount]",
            "parameter_unknown",
        ),
        ({"mode": "pay"}, "mode", None),
        ({"mode": None}, "mode", "parameter_missing"),
        ({"success_url": None}, "success_url", "parameter_missing"),
        ({"success_url": "shop.test"}, "success_url", "url_invalid"),
        ({"line_items": None}, "line_items", "parameter_missing"),
        ({"expires_at": "soon"}, "expires_at", "parameter_invalid_integer"),
        ({"allow_promotion_codes": "yes"}, "allow_promotion_codes", None),
        ({"cancel_url": ""}, "cancel_url", "parameter_invalid_empty"),
        ({"metadata": {"k": "v" * 501}}, "metadata[k]", None),
        ({"metadata": {"k" * 41: "v"}}, "metadata", None),
        ({"metadata": {str(n): "v" for n in range(51)}}, "metadata", None),
        ({"client_reference_id": "r" * 201}, "client_reference_id", None),
        ({"expand": ["customer"]}, "expand", None),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"customer": "cus_none", "customer_email": "a@b.test"}, "customer_email", None),
        ({"mode": "subscription"}, "mode=subscription", None),
        ({"discounts": [{"coupon": "x"}]}, "discounts", None),
    ],
)
def test_a_session_is_checked(bench: Bench, change: Any, param: str, code: str | None) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.checkout.sessions.create(session_params(**change))
    assert (refusal.value.http_status, refusal.value.param) == (400, param)
    assert refusal.value.code == code
    assert bench.ledger()["sessions"] == []


@pytest.mark.parametrize(
    ("price", "param"),
    [
        ({"currency": "KES"}, "[price_data][currency]"),
        ({"currency": "zzz"}, "[price_data][currency]"),
        ({"currency": None}, "[price_data][currency]"),
        ({"unit_amount": None}, "[price_data][unit_amount]"),
        ({"unit_amount": -1}, "[price_data][unit_amount]"),
        ({"unit_amount": 15.5}, "[price_data][unit_amount]"),
        ({"product_data": {"title": "Gold"}}, "[price_data][product_data][title]"),
        ({"recurring": {"interval": "month"}}, "[price_data][recurring]"),
    ],
)
def test_a_line_is_checked_at_every_depth(bench: Bench, price: Any, param: str) -> None:
    params = session_params()
    params["line_items"][0]["price_data"] |= price
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.checkout.sessions.create(params)
    assert refusal.value.param == f"line_items[0]{param}"


def test_a_total_of_nothing_is_refused(bench: Bench) -> None:
    params = session_params()
    params["line_items"][0]["price_data"]["unit_amount"] = 0
    with pytest.raises(stripe.InvalidRequestError):
        bench.client.v1.checkout.sessions.create(params)


@pytest.mark.parametrize(("ahead", "accepted"), [(1795, False), (1805, True), (86_500, False)])
def test_expiry_is_half_an_hour_to_a_day_ahead(bench: Bench, ahead: int, accepted: bool) -> None:
    bench.clock.advance(10_000_000)
    params = session_params(expires_at=int(bench.clock.time()) + ahead)
    if accepted:
        session = bench.client.v1.checkout.sessions.create(params)
        assert session.expires_at == params["expires_at"]
        return
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        bench.client.v1.checkout.sessions.create(params)
    assert refusal.value.param == "expires_at"


@pytest.mark.parametrize(
    ("form", "param", "code"),
    [
        ({"amount": "500"}, "currency", "parameter_missing"),
        ({"currency": "kes"}, "amount", "parameter_missing"),
        (INTENT | {"amount": "0"}, "amount", "parameter_invalid_integer"),
        (INTENT | {"amount": "5.00"}, "amount", "parameter_invalid_integer"),
        (INTENT | {"amount": "100000000"}, "amount", "amount_too_large"),
        (INTENT | {"currency": "Kes"}, "currency", "invalid_currency"),
        (INTENT | {"off_session": "maybe", "confirm": "true"}, "off_session", None),
        (INTENT | {"off_session": "true"}, "off_session", None),
        (INTENT | {"confirm": "true"}, "payment_method", "parameter_missing"),
        (INTENT | {"confirm": "true", "payment_method": "pm_card_visa"}, "return_url", None),
        (
            INTENT
            | {
                "allowed_payment_method_types[0]": "card",
                "automatic_payment_methods[enabled]": "true",
            },
            "allowed_payment_method_types",
            None,
        ),
        (INTENT | {"amount[x]": "1"}, "amount[x]", None),
        (INTENT | {"metadata[a": "1"}, "metadata[a", None),
        (INTENT | {"shipping[phone]": "1"}, "shipping[address]", "parameter_missing"),
        (INTENT | {"payment_method": "pm_none"}, "payment_method", "resource_missing"),
        (INTENT | {"confirmation_token": "ct_1"}, "confirmation_token", None),
    ],
)
def test_an_intent_is_checked(bench: Bench, form: Any, param: str, code: str | None) -> None:
    answer = bench.post(INTENTS, form)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert (error["param"], error.get("code")) == (param, code)


def test_a_key_replays_the_first_answer(bench: Bench) -> None:
    headers = {"Idempotency-Key": "key-1"}
    first = bench.post(INTENTS, INTENT, **headers)
    again = bench.post(INTENTS, dict(reversed(INTENT.items())), **headers)
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Request-Id"] != first.headers["Request-Id"]
    assert again.headers["Original-Request"] == first.headers["Request-Id"]


def test_a_key_replays_a_decline(bench: Bench) -> None:
    declined = INTENT | {
        "payment_method": "pm_card_visa_chargeDeclined",
        "confirm": "true",
        "return_url": "https://shop.test/ok",
    }
    answers = [bench.post(INTENTS, declined, **{"Idempotency-Key": "k"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [402] * 3
    assert answers[0].json() == answers[2].json()
    assert len(bench.ledger()["charges"]) == 1


def test_a_key_is_bound_to_its_parameters_for_a_day(bench: Bench) -> None:
    client = bench.client.v1.payment_intents
    options: stripe.RequestOptions = {"idempotency_key": "key-2"}
    first = client.create({"amount": 500, "currency": "kes"}, options)
    with pytest.raises(stripe.IdempotencyError):
        client.create({"amount": 501, "currency": "kes"}, options)
    bench.clock.advance(23 * 3600)
    assert client.create({"amount": 500, "currency": "kes"}, options).id == first.id
    bench.clock.advance(2 * 3600)
    assert client.create({"amount": 501, "currency": "kes"}, options).id != first.id


def test_a_refused_request_leaves_its_key_free(bench: Bench) -> None:
    headers = {"Idempotency-Key": "key-3"}
    assert bench.post(INTENTS, INTENT | {"colour": "red"}, **headers).status_code == 400
    assert bench.post(INTENTS, INTENT, **headers).status_code == 200
    assert bench.post(INTENTS, INTENT, **{"Idempotency-Key": "k" * 256}).status_code == 400


def test_a_key_in_use_is_a_conflict(bench: Bench) -> None:
    bench.fault(latency_seconds=0.5)
    with ThreadPoolExecutor(3) as pool:
        answers = list(
            pool.map(lambda _: bench.post(INTENTS, INTENT, **{"Idempotency-Key": "k"}), range(3))
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    clash = next(answer for answer in answers if answer.status_code == 409)
    assert clash.json()["error"]["code"] == "idempotency_key_in_use"
    assert bench.post(INTENTS, INTENT, **{"Idempotency-Key": "k"}).status_code == 200


def test_secrets_stay_out_of_the_log(bench: Bench) -> None:
    secret = bench.post(INTENTS, INTENT).json()["client_secret"]
    bench.press(bench.open_session().id, "pay")
    log = "\n".join(bench.log)
    assert "POST /v1/payment_intents: 200" in log
    for hidden in (secret, "sk_test", "whsec"):
        assert hidden not in log
