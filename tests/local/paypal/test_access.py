"""Tokens, webhooks, switches and pages of the stand-in."""

import pytest
from cryptography import x509

from tests.local.paypal.bench import Bench, order_request
from tests.local.standin.serving import until

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_token_lives_for_nine_hours(bench: Bench) -> None:
    token = bench.fetch_token().json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 32_400)
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    path = f"/v2/checkout/orders/{bench.pay()[0]}"
    assert bench.browser.get(path, headers=headers).status_code == 200
    bench.clock.advance(32_400)
    answer = bench.browser.get(path, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert bench.ledger()["token_requests"] == 2


@pytest.mark.parametrize(
    ("authorization", "named"),
    [
        (None, {"name": "AUTHENTICATION_FAILURE"}),
        ("Bearer", {"name": "AUTHENTICATION_FAILURE"}),
        ("Basic A21AA", {"name": "AUTHENTICATION_FAILURE"}),
        ("Bearer A21AA-of-somebody", {"error": "invalid_token"}),
    ],
)
def test_nothing_without_a_token(
    bench: Bench, authorization: str | None, named: dict[str, str]
) -> None:
    headers = {"Authorization": authorization} if authorization is not None else {}
    for method, path in (
        ("GET", "/v2/checkout/orders/X"),
        ("POST", "/v2/checkout/orders"),
        ("POST", "/v2/checkout/orders/X/capture"),
        ("POST", "/v2/payments/captures/X/refund"),
        ("GET", "/v1/customer/disputes"),
        ("GET", "/v1/elsewhere"),
    ):
        answer = bench.browser.request(method, path, headers=headers)
        assert answer.status_code == 401
        assert answer.json().items() >= named.items()


def test_a_token_is_for_our_credentials_alone(bench: Bench) -> None:
    wrong = bench.fetch_token(secret="another")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert bench.browser.post("/v1/oauth2/token").status_code == 401
    broken = bench.browser.post("/v1/oauth2/token", headers={"Authorization": "Basic %%%"})
    assert broken.status_code == 401
    answer = bench.fetch_token(grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert bench.ledger()["token_requests"] == 0


def test_an_error_has_paypals_number_of_it(bench: Bench) -> None:
    answer = bench.call("GET", "/v2/checkout/orders/NONE")
    assert answer.json()["debug_id"] == answer.headers["PayPal-Debug-Id"]


def test_a_webhook_is_sent_until_it_is_taken(bench: Bench) -> None:
    bench.receiver.statuses = [500]
    order_id = bench.create()
    bench.happen(f"payments/{order_id}/pay")
    until(lambda: len(bench.receiver.events) == 2)
    first, second = bench.receiver.bodies
    assert first == second
    times = [headers["paypal-transmission-time"] for headers in bench.receiver.headers]
    assert times[0] == times[1]
    (event,) = bench.ledger()["events"]
    assert [attempt["status"] for attempt in event["attempts"]] == [500, 200]


def test_an_event_can_be_sent_again(bench: Bench) -> None:
    bench.happen(f"payments/{bench.create()}/pay")
    (event,) = bench.told("CHECKOUT.ORDER.APPROVED")
    bench.happen(f"events/{event['id']}/resend")
    assert [told["id"] for told in bench.receiver.events] == [event["id"]] * 2


def test_a_webhook_names_a_certificate_that_our_authority_vouches_for(bench: Bench) -> None:
    bench.happen(f"payments/{bench.create()}/pay")
    bench.told("CHECKOUT.ORDER.APPROVED")
    (headers,) = bench.receiver.headers
    assert headers["paypal-auth-algo"] == "SHA256withRSA"
    pem = bench.browser.get(headers["paypal-cert-url"].removeprefix(bench.url)).content
    leaf = x509.load_pem_x509_certificate(pem)
    assert leaf.not_valid_before_utc < bench.clock.now() < leaf.not_valid_after_utc


def test_token_requests_use_up_no_switch_about_answers(bench: Bench) -> None:
    bench.fault(drop_after_charge=True, next={"drop_after_charge": 1})
    assert bench.fetch_token().status_code == 200
    assert bench.browser.get("/_standin/faults").json()["drop_after_charge"] is True


@pytest.mark.parametrize(
    ("switches", "status"),
    [({"status_5xx": 503}, 503), ({"rate_limited": True}, 429), ({"garbage": True}, 200)],
)
def test_an_outage_does_nothing(bench: Bench, switches: dict[str, object], status: int) -> None:
    bench.fetch_token()
    bench.get(f"/v2/checkout/orders/{bench.create()}")
    bench.fault(**switches)
    answer = bench.post("/v2/checkout/orders", order_request(), "key-2")
    assert answer.status_code == status
    assert len(bench.ledger()["payments"]) == 1


def test_the_overview_shows_what_there_is(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    bench.happen(f"payments/{order_id}/refund", amount=100)
    dispute_id = bench.happen(f"payments/{order_id}/dispute")["dispute_id"]
    page = bench.browser.get("/").text
    for shown in (order_id, capture_id, dispute_id, "USD 10.00", "instrument_declined"):
        assert shown in page
    assert bench.standin.overview_path == "/paypal/"
    payments = bench.standin.payments()
    assert (payments.open, payments.paid) == (0, 1)


def test_a_button_of_the_overview_leads_back_to_it(bench: Bench) -> None:
    order_id, _ = bench.pay()
    pressed = bench.browser.post(f"/_standin/payments/{order_id}/refund", headers=FORM)
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/paypal/")


def test_the_log_names_no_token(bench: Bench) -> None:
    bench.pay()
    assert any("paypal POST" in line for line in bench.log)
    assert not any("A21AA" in line for line in bench.log)
