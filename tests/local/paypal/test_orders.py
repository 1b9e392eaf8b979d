"""Orders at the stand-in: made, approved, captured, lapsed, as PayPal would."""

from collections.abc import Callable

import pytest

from tests.local.paypal.bench import (
    Bench,
    Json,
    order_request,
    usd,
    vault_request,
)

HOUR = 3600


def issues(answer: Json) -> list[str]:
    return [detail["issue"] for detail in answer["details"]]


def test_an_order_waits_for_its_client(bench: Bench) -> None:
    order = bench.order(bench.create())
    assert order["status"] == "PAYER_ACTION_REQUIRED"
    assert order["purchase_units"] == [
        {
            "reference_id": "default",
            "custom_id": "pay_1",
            "amount": usd("10.00"),
            "description": "Gold <plan>",
        }
    ]
    rels = {link["rel"]: link["href"] for link in order["links"]}
    assert rels["payer-action"] == f"{bench.url}/checkoutnow?token={order['id']}"


def test_a_short_answer_unless_all_of_it_is_asked_for(bench: Bench) -> None:
    answer = bench.post("/v2/checkout/orders", order_request(), "key-1", Prefer="return=minimal")
    assert set(answer.json()) == {"id", "status", "links"}


def test_approved_is_not_paid(bench: Bench) -> None:
    order_id = bench.create()
    bench.happen(f"payments/{order_id}/pay")
    order = bench.order(order_id)
    assert order["status"] == "APPROVED"
    assert "payments" not in order["purchase_units"][0]
    assert bench.ledger()["payments"][0]["status"] == "open"
    bench.told("CHECKOUT.ORDER.APPROVED")


def test_a_capture_pays(bench: Bench) -> None:
    order_id, capture_id = bench.pay()
    order = bench.order(order_id)
    (capture,) = order["purchase_units"][0]["payments"]["captures"]
    assert (order["status"], capture["status"]) == ("COMPLETED", "COMPLETED")
    assert capture["seller_receivable_breakdown"] == {
        "gross_amount": usd("10.00"),
        "paypal_fee": usd("0.39"),
        "net_amount": usd("9.61"),
    }
    shown = bench.get(f"/v2/payments/captures/{capture_id}")
    assert shown["supplementary_data"]["related_ids"]["order_id"] == order_id
    assert bench.ledger()["payments"] == [
        {
            "psp_reference": order_id,
            "reference": "pay_1",
            "amount": 1000,
            "currency": "USD",
            "status": "paid",
            "captured": 1000,
            "refunded": 0,
        }
    ]
    _, told = bench.told("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED")
    assert told["resource"]["id"] == capture_id


@pytest.mark.parametrize("approved", [False, True])
def test_only_what_is_approved_and_not_captured_can_be_captured(
    bench: Bench, approved: bool
) -> None:
    order_id = bench.pay()[0] if approved else bench.create()
    answer = bench.capture(order_id, "another")
    issue = "ORDER_ALREADY_CAPTURED" if approved else "ORDER_NOT_APPROVED"
    assert (answer.status_code, issues(answer.json())) == (422, [issue])


def test_an_order_lapses_when_nobody_approves_it(bench: Bench) -> None:
    order_id = bench.create()
    bench.clock.advance(3 * HOUR + 1)
    answer = bench.call("GET", f"/v2/checkout/orders/{order_id}", headers=fresh(bench))
    assert (answer.status_code, issues(answer.json())) == (404, ["INVALID_RESOURCE_ID"])
    assert bench.ledger()["payments"][0]["status"] == "expired"


def test_an_approval_lapses_when_nobody_captures_it(bench: Bench) -> None:
    order_id = bench.create()
    bench.clock.advance(2 * HOUR)
    bench.happen(f"payments/{order_id}/pay")
    bench.clock.advance(2 * HOUR)
    assert bench.order(order_id)["status"] == "APPROVED"
    bench.clock.advance(2 * HOUR)
    _, told = bench.told("CHECKOUT.ORDER.APPROVED", "CHECKOUT.PAYMENT-APPROVAL.REVERSED")
    assert told["resource"]["order_id"] == order_id
    assert bench.ledger()["payments"][0]["status"] == "expired"


def fresh(bench: Bench) -> dict[str, str]:
    return {"Authorization": f"Bearer {bench.fetch_token().json()['access_token']}"}


def test_what_is_paid_does_not_lapse(bench: Bench) -> None:
    order_id, _ = bench.pay()
    bench.clock.advance(7 * HOUR)
    assert bench.order(order_id)["status"] == "COMPLETED"
    assert bench.browser.post(f"/_standin/payments/{order_id}/expire").status_code == 422


# The page


def test_the_page_says_what_is_paid_for(bench: Bench) -> None:
    order_id = bench.create()
    page = bench.browser.get(f"/checkoutnow?token={order_id}")
    assert page.status_code == 200
    assert "USD 10.00" in page.text
    assert "Gold &lt;plan&gt;" in page.text
    assert page.headers["cache-control"] == "no-store"


def test_approving_leads_back_to_the_shop(bench: Bench) -> None:
    order_id = bench.create()
    sent_on = bench.press(order_id, "pay")
    expected = f"https://shop.test/ok?from=paypal&token={order_id}&PayerID=YTENGYR8PAF9A"
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, expected)
    assert bench.order(order_id)["status"] == "APPROVED"


def test_leaving_changes_nothing(bench: Bench) -> None:
    order_id = bench.create()
    sent_on = bench.press(order_id, "leave")
    assert sent_on.headers["location"] == f"https://shop.test/back?token={order_id}"
    assert bench.order(order_id)["status"] == "PAYER_ACTION_REQUIRED"
    assert bench.receiver.events == []


def test_a_client_may_approve_again_with_something_else(bench: Bench) -> None:
    order_id = bench.create()
    bench.press(order_id, "decline")
    answer = bench.capture(order_id)
    assert (answer.status_code, issues(answer.json())) == (422, ["INSTRUMENT_DECLINED"])
    assert "Choose another" in bench.browser.get(f"/checkoutnow?token={order_id}").text
    bench.press(order_id, "pay")
    assert bench.capture(order_id).status_code == 201
    assert bench.ledger()["payments"][0]["status"] == "paid"


def test_a_paid_page_sends_on_and_pays_no_second_time(bench: Bench) -> None:
    order_id, _ = bench.pay()
    assert "Already done" in bench.browser.get(f"/checkoutnow?token={order_id}").text
    assert bench.press(order_id, "pay").headers["location"].startswith("https://shop.test/ok")
    assert bench.ledger()["payments"][0]["captured"] == 1000


def test_there_is_no_page_of_no_order(bench: Bench) -> None:
    assert bench.browser.get("/checkoutnow?token=NONE").status_code == 404
    assert bench.browser.get("/checkoutnow").status_code == 404
    for button in ("pay", "decline", "leave"):
        assert bench.press("NONE", button).headers["location"] == "/paypal/checkoutnow?token=NONE"


# What is refused


def changed(change: Callable[[Json], object]) -> Json:
    body = order_request()
    change(body)
    return body


def wallet(body: Json) -> Json:
    inner: Json = body["payment_source"]["paypal"]
    return inner


REFUSED = [
    (changed(lambda body: body.pop("intent")), 400, "MISSING_REQUIRED_PARAMETER"),
    (changed(lambda body: body.update(intent="SELL")), 400, "INVALID_PARAMETER_VALUE"),
    (changed(lambda body: body.update(intent="AUTHORIZE")), 422, "UNSUPPORTED_INTENT"),
    (changed(lambda body: body.update(metadata={})), 400, "INVALID_PARAMETER_SYNTAX"),
    (order_request(customid="pay_1"), 400, "INVALID_PARAMETER_SYNTAX"),
    (order_request(custom_id="x" * 128), 400, "INVALID_STRING_LENGTH"),
    (order_request(description="x" * 128), 400, "INVALID_STRING_LENGTH"),
    (order_request(amount={"value": "1.00"}), 400, "MISSING_REQUIRED_PARAMETER"),
    (order_request(amount={"currency_code": "USD", "value": 10}), 400, "INVALID_PARAMETER_SYNTAX"),
    (order_request(amount=usd("ten")), 400, "INVALID_PARAMETER_SYNTAX"),
    (order_request(amount=usd("10.00") | {"cents": 1}), 400, "INVALID_PARAMETER_SYNTAX"),
    (order_request(amount=usd("0.00")), 422, "CANNOT_BE_ZERO_OR_NEGATIVE"),
    (order_request(amount=usd("10.001")), 422, "DECIMAL_PRECISION"),
    (order_request(amount={"currency_code": "KES", "value": "1"}), 422, "INVALID_CURRENCY_CODE"),
    (order_request(amount={"currency_code": "HUF", "value": "1.5"}), 422, "DECIMALS_NOT_SUPPORTED"),
    (changed(lambda body: body.pop("payment_source")), 422, "NOT_SUPPORTED"),
    (changed(lambda body: wallet(body).pop("experience_context")), 422, "RETURN_URL_REQUIRED"),
    (vault_request("none-such"), 422, "PAYMENT_SOURCE_INFO_CANNOT_BE_VERIFIED"),
]


@pytest.mark.parametrize(("body", "status", "issue"), REFUSED, ids=range(len(REFUSED)))
def test_refuses_as_paypal_does(bench: Bench, body: Json, status: int, issue: str) -> None:
    answer = bench.post("/v2/checkout/orders", body, "key-1")
    assert (answer.status_code, issues(answer.json())) == (status, [issue])
    assert bench.ledger()["payments"] == []


def test_a_payment_source_needs_a_request_id(bench: Bench) -> None:
    answer = bench.post("/v2/checkout/orders", order_request())
    assert issues(answer.json()) == ["PAYPAL_REQUEST_ID_REQUIRED"]


def test_refuses_what_is_no_json(bench: Bench) -> None:
    for path in ("/v2/checkout/orders", f"/v2/checkout/orders/{bench.create()}/capture"):
        headers = {"Content-Type": "application/json", "PayPal-Request-Id": "key-2"}
        answer = bench.call("POST", path, content=b"", headers=headers)
        assert issues(answer.json()) == ["MALFORMED_REQUEST_JSON"]
        answer = bench.call("POST", path, content=b"{}", headers={"Content-Type": "text/plain"})
        assert answer.status_code == 415


def test_there_is_no_other_route(bench: Bench) -> None:
    assert bench.call("PATCH", f"/v2/checkout/orders/{bench.create()}").status_code in (404, 405)
    assert bench.call("GET", "/v2/checkout/other").status_code == 404
