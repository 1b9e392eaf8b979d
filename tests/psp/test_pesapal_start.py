"""Opening a payment at Pesapal: what is sent, and what each answer means."""

import json
from typing import Any

import httpx
import pytest
import respx

from tests.psp.kept_tokens import KeptTokens
from tests.psp.pesapal_values import (
    NO_ERROR,
    PAGE,
    PAYMENT_ID,
    REFERENCE,
    SUBMIT,
    TRACKING_ID,
    VALUES,
    Answers,
    adapter,
    order_of,
    pesapal_answers,
    refused,
    settings_of,
)
from tollgate.domain.capabilities import check_supported
from tollgate.domain.errors import (
    CustomerIncomplete,
    Misconfigured,
    PspUnavailable,
    UnsupportedAmount,
    UnsupportedByPsp,
    UnsupportedCurrency,
    UnsupportedMethod,
)
from tollgate.domain.money import Money
from tollgate.domain.order import Customer
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Capture, Failure, Method, PaymentStatus
from tollgate.psp import open_psp
from tollgate.psp.pesapal.adapter import Pesapal


def opened(**more: Any) -> httpx.Response:
    body = {
        "order_tracking_id": TRACKING_ID,
        "merchant_reference": REFERENCE,
        "redirect_url": PAGE,
        "error": None,
        "status": "200",
    }
    return httpx.Response(200, json=body | more)


def start(*answers: Answers) -> Outcome:
    with pesapal_answers("POST", SUBMIT, *answers):
        return adapter().start(order_of())


def body_of(**more: Any) -> dict[str, Any]:
    with pesapal_answers("POST", SUBMIT, opened()) as route:
        adapter().start(order_of(**more))
    body: dict[str, Any] = json.loads(route.calls.last.request.content)
    return body


def test_sends_the_order_and_nothing_else() -> None:
    assert body_of() == {
        "id": REFERENCE,
        "currency": "KES",
        "amount": 1500,
        "description": "Gold, March",
        "callback_url": f"https://functions.example/payments/return/{PAYMENT_ID}",
        "cancellation_url": f"https://functions.example/payments/return/{PAYMENT_ID}?left=1",
        "notification_id": VALUES["PESAPAL_IPN_ID"],
        "billing_address": {
            "email_address": "buyer@example.com",
            "phone_number": "0712345678",
            "country_code": "KE",
            "first_name": "Jane",
            "last_name": "Doe",
        },
    }


def test_says_who_asks() -> None:
    with pesapal_answers("POST", SUBMIT, opened()) as route:
        adapter().start(order_of())
    assert route.calls.last.request.headers["authorization"] == "Bearer eyJ.of.suite"


@pytest.mark.parametrize(
    ("phone", "sent"),
    [
        ("+256772123456", ("0772123456", "UG")),
        ("+255712123456", ("0712123456", "TZ")),
        ("+250788123456", ("0788123456", "RW")),
        ("+265991234567", ("0991234567", "MW")),
        ("+260971234567", ("0971234567", "ZM")),
        ("+4915112345678", ("+4915112345678", None)),
    ],
)
def test_a_phone_is_sent_as_it_is_dialled_in_its_country(
    phone: str, sent: tuple[str, str | None]
) -> None:
    address = body_of(customer=Customer(phone=phone))["billing_address"]
    assert (address["phone_number"], address.get("country_code")) == sent
    assert set(address) <= {"phone_number", "country_code"}


def test_one_name_is_a_first_name() -> None:
    address = body_of(customer=Customer(email="a@example.com", name="Wanjiku"))["billing_address"]
    assert address == {"email_address": "a@example.com", "first_name": "Wanjiku"}


def test_a_description_has_at_most_a_hundred_characters() -> None:
    assert body_of(description="x" * 101)["description"] == "x" * 100


def test_each_try_has_a_reference_of_its_own_that_pesapal_takes() -> None:
    payment_id = "pay_" + "0123456789abcdef" * 2
    sent = body_of(payment_id=payment_id, attempt="zz00zz00")["id"]
    assert sent == f"{payment_id}.zz00zz00"
    assert len(sent) <= 50
    assert body_of(attempt="zz00zz01")["id"] != body_of(attempt="zz00zz02")["id"]


def test_an_order_waits_for_its_client() -> None:
    assert start(opened()) == Outcome(
        PaymentStatus.REQUIRES_ACTION,
        psp_reference=TRACKING_ID,
        reference=PAYMENT_ID,
        money=Money(150_000, "KES"),
        livemode=False,
        next_action={"type": "redirect", "url": PAGE},
    )


@pytest.mark.parametrize("more", [{"status": 200}, {"error": NO_ERROR}])
def test_good_news_is_written_in_several_ways(more: dict[str, Any]) -> None:
    assert start(opened(**more)).status is PaymentStatus.REQUIRES_ACTION


@pytest.mark.parametrize("status", ["500", 500])
@pytest.mark.parametrize(
    "code", ["maximum_amount_limit_exceeded", "invalid_api_request_parameters", "missing_id"]
)
def test_a_refusal_inside_http_200_is_a_failure(code: str, status: Any) -> None:
    outcome = start(refused(code, status=status))
    assert outcome == Outcome(
        PaymentStatus.FAILED, failure=Failure(code, "Pesapal refused to open this payment.")
    )


def test_a_duplicate_is_unknown_because_the_next_try_has_another_reference() -> None:
    assert start(refused("duplicate_order_id")) is UNKNOWN


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(500),
        httpx.Response(502, html="<h1>Bad gateway</h1>"),
        refused("internal", http_status=500),
        httpx.Response(200, html="<h1>One moment</h1>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"status": "500", "message": "Something"}),
        httpx.Response(302, headers={"location": "https://elsewhere.example"}),
        refused(None),
        refused("what a client typed"),
        opened(order_tracking_id=None),
        opened(redirect_url="javascript:alert(1)"),
        opened(redirect_url=None),
        opened(status="300"),
        opened(merchant_reference=None, status=None),
    ],
)
def test_what_says_nothing_for_certain_is_unknown(answer: Answers) -> None:
    assert start(answer) is UNKNOWN


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.Response(429)]
)
def test_where_nothing_was_done_it_says_so(answer: Answers) -> None:
    with pytest.raises(PspUnavailable):
        start(answer)


def test_another_reference_than_ours_is_told_as_none() -> None:
    assert start(opened(merchant_reference="SUB-1")).reference is None


def test_nobody_can_pay_an_order_whose_address_was_lost() -> None:
    order = order_of()
    assert adapter().find(order.payment_id, order.expires_at) is None


class TestCheck:
    def test_takes_an_order(self) -> None:
        adapter().check(order_of())
        adapter().check(order_of(customer=Customer(email="a@example.com")))
        adapter().check(order_of(customer=Customer(phone="+254712345678")))

    def test_wants_to_know_how_to_reach_the_client(self) -> None:
        with pytest.raises(CustomerIncomplete) as refusal:
            adapter().check(order_of(customer=Customer(name="Jane")))
        assert [error.path for error in refusal.value.errors] == [
            "customer.email",
            "customer.phone",
        ]

    def test_takes_shillings_of_tanzania_whole(self) -> None:
        adapter().check(order_of(money=Money(150_000, "TZS")))
        with pytest.raises(UnsupportedAmount):
            adapter().check(order_of(money=Money(150_050, "TZS")))

    @pytest.mark.parametrize(
        "name", ["PESAPAL_CONSUMER_KEY", "PESAPAL_CONSUMER_SECRET", "PESAPAL_IPN_ID"]
    )
    def test_names_the_setting_that_lacks(self, name: str) -> None:
        with pytest.raises(Misconfigured, match=name):
            adapter(**{name: "none"}).check(order_of())

    @pytest.mark.parametrize("method", [None, Method.CARD, Method.MPESA, Method.AIRTEL])
    def test_its_page_offers_what_can_be_wished_for(self, method: Method | None) -> None:
        check_supported("pesapal", Pesapal.capabilities, order_of(method=method))

    @pytest.mark.parametrize(
        ("wish", "refusal"),
        [
            ({"method": Method.PAYPAL}, UnsupportedMethod),
            ({"money": Money(100, "EUR")}, UnsupportedCurrency),
            ({"capture": Capture.MANUAL}, UnsupportedByPsp),
            ({"save_method": True}, UnsupportedByPsp),
        ],
    )
    def test_can_do_nothing_else(self, wish: dict[str, Any], refusal: type[Exception]) -> None:
        with pytest.raises(refusal):
            check_supported("pesapal", Pesapal.capabilities, order_of(**wish))


@pytest.mark.parametrize(
    ("livemode", "host"),
    [(True, "https://pay.pesapal.com/v3"), (False, "https://cybqa.pesapal.com/pesapalv3")],
)
def test_the_mode_chooses_the_address(livemode: bool, host: str) -> None:
    pesapal = open_psp("pesapal", settings_of(livemode=livemode), KeptTokens())
    with respx.mock:
        respx.post(f"{host}/api/Auth/RequestToken").respond(json={"token": "t", "status": "200"})
        respx.post(f"{host}/api/Transactions/SubmitOrderRequest").mock(return_value=opened())
        assert pesapal.start(order_of()).livemode is livemode
