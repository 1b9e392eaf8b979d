"""Orders: what is taken, what is refused, and what is said of them."""

from typing import Any

import pytest

from tests.local.pesapal.bench import Bench, order

LONG = "x" * 256


def code_of(answer: dict[str, Any]) -> str | None:
    code: str | None = (answer.get("error") or {}).get("code")
    return code


def test_an_order_has_a_page(bench: Bench) -> None:
    answer = bench.submit()
    tracking_id = answer["order_tracking_id"]
    assert answer == {
        "order_tracking_id": tracking_id,
        "merchant_reference": "pay_1.a",
        "redirect_url": f"{bench.url}/pesapaliframe/PesapalIframe3/Index/"
        f"?OrderTrackingId={tracking_id}",
        "error": None,
        "status": "200",
    }
    assert bench.browser.get(answer["redirect_url"]).status_code == 200
    assert bench.payment(tracking_id) == {
        "psp_reference": tracking_id,
        "reference": "pay_1.a",
        "amount": 150_000,
        "currency": "KES",
        "status": "open",
        "captured": 0,
        "refunded": 0,
    }


def test_a_reference_is_taken_once(bench: Bench) -> None:
    bench.open_order()
    assert (code_of(bench.submit()) or "").startswith("duplicate")
    bench.open_order(id="pay_1.b")
    assert len(bench.ledger()["payments"]) == 2


@pytest.mark.parametrize(
    "more",
    [
        {"id": "a:B_1-2.3"},
        {"amount": 1},
        {"amount": 1500.05},
        {"currency": "UGX", "amount": 5000},
        {"currency": "TZS", "amount": 5000.0},
        {"description": "x" * 100},
        {"redirect_mode": "PARENT_WINDOW", "branch": ""},
        {"cancellation_url": ""},
        {"billing_address": {"phone_number": "0712345678", "country_code": "KE"}},
        {"billing_address": {"email_address": "", "phone_number": "+254712345678"}},
    ],
)
def test_takes_what_is_documented(bench: Bench, more: dict[str, Any]) -> None:
    assert bench.submit(**more)["status"] == "200"


@pytest.mark.parametrize(
    "more",
    [
        {"id": "x" * 51},
        {"id": "pay 1"},
        {"id": "pay/1"},
        {"id": ""},
        {"id": 7},
        {"amount": "1500.00"},
        {"amount": 0},
        {"amount": -1},
        {"amount": True},
        {"amount": None},
        {"amount": 1500.001},
        {"currency": "UGX", "amount": 5000.5},
        {"currency": "TZS", "amount": 5000.5},
        {"currency": "kes"},
        {"description": "x" * 101},
        {"description": ""},
        {"callback_url": "shop.test/ok"},
        {"cancellation_url": "javascript:alert(1)"},
        {"redirect_mode": "POPUP"},
        {"notification_id": ""},
        {"notification_id": None},
        {"billing_address": {}},
        {"billing_address": {"first_name": "Jane"}},
        {"billing_address": {"email_address": "a@b.c", "phone": "0712345678"}},
        {"billing_address": {"phone_number": "07 12"}},
        {"account_number": "SUB-1"},
        {"idempotency_key": "x"},
    ],
)
def test_refuses_what_is_not(bench: Bench, more: dict[str, Any]) -> None:
    answer = bench.submit(**more)
    assert (code_of(answer), answer["status"]) == ("invalid_api_request_parameters", "500")
    assert bench.ledger()["payments"] == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"currency": "EUR"}, "invalid_currency"),
        ({"notification_id": "84740ab4-3cd9-47da-8a4f-dd1db53494b5"}, "invalid_notification_id"),
    ],
)
def test_refuses_what_the_account_has_not(bench: Bench, more: dict[str, Any], code: str) -> None:
    assert code_of(bench.submit(**more)) == code


@pytest.mark.parametrize(
    "field", ["id", "currency", "amount", "description", "callback_url", "notification_id"]
)
def test_refuses_an_order_without_one_of_its_fields(bench: Bench, field: str) -> None:
    content = {name: value for name, value in order(bench.ipn_id).items() if name != field}
    answer = bench.post("Transactions/SubmitOrderRequest", content)
    assert code_of(answer) == "invalid_api_request_parameters"
    assert field in answer["error"]["message"]


def test_a_sandbox_may_have_taken_enough(bench: Bench) -> None:
    bench.fault(limit_exceeded=True)
    assert code_of(bench.submit()) == "maximum_amount_limit_exceeded"


def test_an_unpaid_order_is_an_error_inside_http_200(bench: Bench) -> None:
    tracking_id = bench.open_order()
    said = bench.status(tracking_id)
    assert (said["status_code"], said["payment_status_description"]) == (0, "INVALID")
    assert (code_of(said), said["status"]) == ("payment_details_not_found", "500")
    assert (said["amount"], said["currency"]) == (1500.0, "KES")
    assert said["merchant_reference"] == "pay_1.a"
    bench.fault(silent_unpaid=True)
    assert bench.status(tracking_id).keys() == {"status_code", "error", "status"}


@pytest.mark.parametrize("names", [(), ("OrderTrackingId",), ("orderTrackingId", "id")])
def test_a_status_is_asked_for_by_one_name(bench: Bench, names: tuple[str, ...]) -> None:
    query = dict.fromkeys(names, bench.open_order())
    answer = bench.call("GET", "Transactions/GetTransactionStatus", params=query).json()
    assert code_of(answer) == "invalid_api_request_parameters"


def test_nothing_ends_by_itself(bench: Bench) -> None:
    tracking_id = bench.open_order()
    bench.clock.advance(30 * 86_400)
    assert bench.payment(tracking_id)["status"] == "open"
    refused = bench.happen(tracking_id, "expire")
    assert (refused.status_code, "error" in refused.json()) == (409, True)


def test_an_order_that_nobody_submitted(bench: Bench) -> None:
    assert code_of(bench.status("x")) == "invalid_order_tracking_id"
    for verb in ("pay", "decline", "expire", "refund", "say"):
        answer = bench.happen("x", verb)
        assert (answer.status_code, "error" in answer.json()) == (404, True)


class TestCancel:
    def cancel(self, bench: Bench, tracking_id: str) -> dict[str, Any]:
        return bench.post("Transactions/CancelOrder", {"order_tracking_id": tracking_id})

    def test_once(self, bench: Bench) -> None:
        tracking_id = bench.open_order()
        assert self.cancel(bench, tracking_id)["status"] == "200"
        assert self.cancel(bench, tracking_id)["status"] == "500"
        assert bench.payment(tracking_id)["status"] == "canceled"
        assert "cancelled" in bench.page(tracking_id).text
        assert bench.status(tracking_id)["status_code"] == 0

    def test_not_what_was_paid(self, bench: Bench) -> None:
        tracking_id = bench.open_order()
        bench.happen(tracking_id, "pay")
        assert self.cancel(bench, tracking_id)["status"] == "500"
        assert bench.status(tracking_id)["status_code"] == 1

    def test_then_nobody_can_pay(self, bench: Bench) -> None:
        tracking_id = bench.open_order()
        self.cancel(bench, tracking_id)
        bench.press(tracking_id, "pay-card")
        assert bench.happen(tracking_id, "pay").status_code == 409
        assert bench.payment(tracking_id)["captured"] == 0
