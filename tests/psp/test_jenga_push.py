"""M-Pesa pushed to a phone: what is sent, what it is signed over, and what the answers mean."""

import json
from typing import Any

import httpx
import pytest

from tests.psp.jenga_values import (
    ORDER,
    PAYMENT_ID,
    PUSH,
    PUSHED,
    VALUES,
    accepted,
    is_signed,
    jenga_answers,
    jenga_of,
    order_of,
    paid_invoice,
    pushed,
    refusal,
)
from tollgate.domain.errors import (
    CustomerIncomplete,
    Misconfigured,
    PspUnavailable,
    UnsupportedAmount,
)
from tollgate.domain.money import Money
from tollgate.domain.order import Customer, Order
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import Method, PaymentStatus

CALLBACK = "https://functions.example/webhook/receive/jenga/token-in-the-path-of-the-suite"


def by_mpesa(**more: Any) -> Order:
    return order_of(method=Method.MPESA, **more)


def start(*answers: httpx.Response | Exception, query: httpx.Response | None = None) -> Outcome:
    with jenga_answers() as router:
        router.post(PUSH).mock(side_effect=answers)
        router.get(f"{ORDER}/{PUSHED}").mock(return_value=query or refusal(404, 404))
        return jenga_of().start(by_mpesa())


def test_a_push_is_sent_as_documented() -> None:
    with jenga_answers() as router:
        push = router.post(PUSH).mock(return_value=accepted())
        outcome = jenga_of().start(by_mpesa())
    assert outcome == Outcome(
        PaymentStatus.REQUIRES_ACTION,
        psp_reference=PUSHED,
        reference=PAYMENT_ID,
        money=Money(150_000, "KES"),
        livemode=False,
        method="mpesa",
        next_action={"type": "await_push", "phone": "…001"},
    )
    request = push.calls.last.request
    assert request.headers["Authorization"] == "Bearer eyJ.1"
    assert json.loads(request.content) == {
        "order": {
            "orderReference": PUSHED,
            "orderAmount": 1500,
            "orderCurrency": "KES",
            "source": "APICHECKOUT",
            "countryCode": "KE",
            "description": "Gold <plan> & more",
        },
        "customer": {
            "name": "Ann B. Cee",
            "email": "ann@example.com",
            "phoneNumber": "254700000001",
            "identityNumber": "00000000",
        },
        "payment": {
            "paymentReference": f"{PUSHED}R",
            "paymentCurrency": "KES",
            "channel": "MOBILE",
            "service": "MPESA",
            "provider": "JENGA",
            "callbackUrl": CALLBACK,
            "details": {"msisdn": "254700000001", "paymentAmount": 1500},
        },
    }


@pytest.mark.parametrize("minor", [100, 150_000, 1_000_000, 25_000_000])
def test_the_amount_that_is_signed_stands_in_the_body_byte_for_byte(minor: int) -> None:
    with jenga_answers() as router:
        push = router.post(PUSH).mock(return_value=accepted())
        jenga_of().start(by_mpesa(money=Money(minor, "KES")))
    request = push.calls.last.request
    sent = json.loads(request.content, parse_int=str, parse_float=str)
    order, payment = sent["order"], sent["payment"]
    amount = payment["details"]["paymentAmount"]
    assert order["orderAmount"] == amount == str(minor // 100)
    fields = (order["orderReference"], payment["paymentCurrency"], payment["details"]["msisdn"])
    assert is_signed(request.headers["Signature"], "".join(fields) + amount)
    assert not is_signed(request.headers["Signature"], "".join(fields) + amount + ".00")


@pytest.mark.parametrize("money", [Money(150_050, "KES"), Money(1, "KES"), Money(100, "USD")])
def test_mpesa_takes_whole_shillings_only(money: Money) -> None:
    with jenga_answers() as router:
        with pytest.raises(UnsupportedAmount):
            jenga_of().check(by_mpesa(money=money))
        jenga_of().check(order_of(money=money))
        assert router.calls.call_count == 0


PHONES = [None, "", "+2547", "+25470000000", "+2547000000011", "+255700000001", "+254800000001"]


@pytest.mark.parametrize("phone", PHONES)
def test_mpesa_needs_a_kenyan_phone(phone: str | None) -> None:
    customer = Customer(phone=phone)
    with pytest.raises(CustomerIncomplete) as raised:
        jenga_of().check(by_mpesa(customer=customer))
    assert [error.path for error in raised.value.errors] == ["customer.phone"]
    jenga_of().check(order_of(customer=customer))


@pytest.mark.parametrize("phone", ["+254700000001", "254110000001"])
def test_a_kenyan_phone_will_do(phone: str) -> None:
    jenga_of().check(by_mpesa(customer=Customer(phone=phone)))


@pytest.mark.parametrize("name", [*list(VALUES)[:4], "JENGA_CALLBACK_TOKEN"])
def test_a_setting_that_lacks_is_named_before_anything_is_recorded(name: str) -> None:
    with pytest.raises(Misconfigured, match=name):
        jenga_of(**{name: "none"}).check(by_mpesa())


@pytest.mark.parametrize("code", [0, "0"])
def test_an_accepted_push_may_say_its_code_either_way(code: int | str) -> None:
    assert start(accepted(code=code)).status is PaymentStatus.REQUIRES_ACTION


UNCLEAR = [
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("cut"),
    httpx.Response(200, text="<html>One moment</html>"),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={}),
    httpx.Response(200, json={"status": True}),
    httpx.Response(502),
    *(refusal(code, 500) for code in (500100, "500101", 500200, "500401")),
    refusal(500200, 200),
    refusal(987654),
    refusal("what"),
    accepted(status=False),
    accepted(status="true"),
    accepted(code=1),
    accepted(code=-1),
    accepted(code=False),
    accepted(data={"orderReference": "Ppayanother"}),
    httpx.Response(503, json=accepted().json()),
]


@pytest.mark.parametrize("answer", UNCLEAR, ids=repr)
def test_what_is_not_certain_is_unknown(answer: httpx.Response | Exception) -> None:
    assert start(answer) is UNKNOWN


@pytest.mark.parametrize("code", [400400, "400400", 501501, "501501"])
def test_a_refusal_is_a_failure_in_our_own_words(code: int | str) -> None:
    outcome = start(refusal(code))
    assert outcome.status is PaymentStatus.FAILED
    assert outcome.failure is not None
    assert outcome.failure.code == f"jenga_{code}"
    assert "254" not in outcome.failure.message


ACCESS = [900100, "900101", 900102, "401101", 401201, 401202]
ACCOUNTS = [104101, 104102, 104104, 104105]


@pytest.mark.parametrize("code", ACCESS + ACCOUNTS)
@pytest.mark.parametrize("status", [200, 400])
def test_what_a_person_must_mend_is_misconfigured(code: int | str, status: int) -> None:
    with pytest.raises(Misconfigured, match=str(code)) as raised:
        start(refusal(code, status))
    assert "254700000001" not in str(raised.value)


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ConnectTimeout("no")])
def test_without_a_connection_nothing_was_done(failure: Exception) -> None:
    with pytest.raises(PspUnavailable):
        start(failure)


def test_too_many_requests_did_nothing() -> None:
    with pytest.raises(PspUnavailable):
        start(refusal(429, 429))


@pytest.mark.parametrize("code", [400101, "400101"])
def test_a_reference_that_was_taken_is_asked_about(code: int | str) -> None:
    """The push can't be doubled: what it became the first time is what it is."""
    paid = pushed(paid_invoice(), orderStatus="Paid", amountPaid=1505)
    outcome = start(refusal(code), query=httpx.Response(200, json=paid))
    assert outcome.status is PaymentStatus.SUCCEEDED
    assert (outcome.reference, outcome.money) == (PAYMENT_ID, Money(150_000, "KES"))


QUERIES = [refusal(404, 404), refusal(500200, 500), refusal(900101), httpx.Response(200, text="x")]


@pytest.mark.parametrize("query", QUERIES, ids=repr)
def test_a_reference_that_was_taken_and_is_not_told_of_is_unknown(query: httpx.Response) -> None:
    assert start(refusal(400101), query=query) is UNKNOWN


def test_a_token_that_is_refused_is_replaced_once() -> None:
    with jenga_answers() as router:
        asked = router.routes[0]
        push = router.post(PUSH).mock(side_effect=[refusal(401, 401), accepted()])
        assert jenga_of().start(by_mpesa()).status is PaymentStatus.REQUIRES_ACTION
        assert (asked.call_count, push.call_count) == (2, 2)


def test_a_token_that_is_refused_twice_is_a_setting_to_mend() -> None:
    with pytest.raises(Misconfigured):
        start(refusal(401, 401), refusal("401", 401))
