"""What Jenga says of an order that was pushed to a phone, as an Outcome."""

from typing import Any

import httpx
import pytest

from tests.psp.jenga_values import (
    ASKED,
    CREATED_AT,
    ORDER,
    PAYMENT_ID,
    PUSHED,
    fetched,
    invoice,
    jenga_answers,
    jenga_of,
    paid_invoice,
    pushed,
    refusal,
    without,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import PaymentStatus

S = PaymentStatus


def fetch(said: dict[str, Any] | httpx.Response) -> Outcome:
    return fetched(ORDER, PUSHED, said)


def test_a_paid_push_is_compared_by_what_the_order_was_for() -> None:
    said = pushed(paid_invoice(), orderStatus="Paid", amountPaid=1505.0)
    assert fetch(said) == Outcome(
        S.SUCCEEDED,
        psp_reference=PUSHED,
        reference=PAYMENT_ID,
        money=ASKED,
        livemode=False,
        method="mpesa",
        references=("SAMPLE1MPESA",),
    )


PAID = [
    (1500, 0, ASKED),
    (1500.0, 5.0, ASKED),
    ("1500.00", "5.00", ASKED),
    (1505, 5, ASKED),
    (1500, None, ASKED),
    (1499, 0, Money(149_900, "KES")),
    (1499.99, 5, Money(149_999, "KES")),
    (1506, 5, Money(150_600, "KES")),
    (1600, 0, Money(160_000, "KES")),
    (0, 0, Money(0, "KES")),
    (1500.001, 0, None),
]


@pytest.mark.parametrize(("amount_paid", "charge", "money"), PAID)
def test_what_was_paid_is_the_order_only_where_the_charge_explains_it(
    amount_paid: object, charge: object, money: Money | None
) -> None:
    said = pushed(paid_invoice(charge=charge), orderStatus="Paid", amountPaid=amount_paid)
    outcome = fetch(said)
    assert (outcome.status, outcome.money) == (S.SUCCEEDED, money)


ENDS = [
    ([], S.REQUIRES_ACTION),
    ([invoice()], S.REQUIRES_ACTION),
    ([invoice("Cancelled")], S.CANCELED),
    ([invoice("Expired")], S.EXPIRED),
    ([invoice("Expired"), invoice("Pending")], S.REQUIRES_ACTION),
    ([invoice("Expired"), invoice("Cancelled")], S.CANCELED),
    ([invoice("Expired", externalReference="")], S.EXPIRED),
    ([paid_invoice()], S.PROCESSING),
    ([invoice("Pending", externalReference="SAMPLE1MPESA")], S.PROCESSING),
]


@pytest.mark.parametrize(("invoices", "status"), ENDS)
def test_what_is_not_paid(invoices: list[dict[str, Any]], status: PaymentStatus) -> None:
    """`amountDebited` is told of each, and is no sign that anything was debited."""
    outcome = fetch(pushed(*invoices))
    assert (outcome.status, outcome.money, outcome.reference) == (status, ASKED, PAYMENT_ID)


@pytest.mark.parametrize("end", ["Cancelled", "Expired"])
def test_money_that_was_taken_and_not_credited_is_for_a_human(end: str) -> None:
    outcome = fetch(pushed(invoice(end, externalReference="SAMPLE1MPESA")))
    assert outcome.status is S.NEEDS_REVIEW
    assert outcome.failure is not None
    assert outcome.failure.code == "debited_not_credited"
    assert (outcome.reference, outcome.money, outcome.livemode) == (PAYMENT_ID, ASKED, False)
    assert outcome.references == ("SAMPLE1MPESA",)


def test_one_invoice_may_stand_alone() -> None:
    said = pushed(orderStatus="Paid", amountPaid=1505)
    said["data"] = without(said["data"], "invoices") | {"invoice": paid_invoice()}
    outcome = fetch(said)
    assert (outcome.money, outcome.references) == (ASKED, ("SAMPLE1MPESA",))
    said["data"] = without(said["data"], "invoice")
    assert fetch(said).references == ()


STRANGE = [
    pushed(invoice("Reversed")),
    pushed(invoice("paid")),
    pushed(invoice(), orderStatus="Refunded"),
    pushed(paid_invoice(), orderStatus="PAID", amountPaid=1505),
    pushed(paid_invoice(), orderStatus=None, amountPaid=1505),
    pushed(paid_invoice(), orderStatus=True, amountPaid=1505),
]


@pytest.mark.parametrize("said", STRANGE)
def test_a_word_that_is_not_documented_is_unknown(said: dict[str, Any]) -> None:
    assert fetch(said) is UNKNOWN


def test_an_answer_about_another_order_is_told_as_such() -> None:
    paid = {"orderStatus": "Paid", "amountPaid": 1505}
    assert fetch(pushed(paid_invoice(), **paid, orderReference="Ppay2ZZZ")).reference == "pay_2"
    assert fetch(pushed(paid_invoice(), **paid, orderReference="ORD00000001")).reference is None


def test_an_order_is_asked_for_without_a_signature() -> None:
    with jenga_answers() as router:
        query = router.get(f"{ORDER}/{PUSHED}").respond(json=pushed(invoice()))
        jenga_of(JENGA_PRIVATE_KEY="none").fetch(PUSHED)
    assert "Signature" not in query.calls.last.request.headers


GARBAGE: list[httpx.Response] = [
    httpx.Response(200, text="<html>One moment, please</html>"),
    httpx.Response(200, content=b"\xff\xfe"),
    httpx.Response(200, content=b"[" * 100_000),
    httpx.Response(200, json=None),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={}),
    httpx.Response(200, json={"status": True, "code": 0}),
    httpx.Response(200, json={"status": True, "data": []}),
    httpx.Response(200, json={"status": True, "data": {"order": {}}}),
    httpx.Response(200, json=pushed(invoice(), orderReference=None) | {"data": {"order": None}}),
    httpx.Response(200, json=pushed(paid_invoice(), orderStatus="Paid", amountPaid="much")),
    httpx.Response(200, json=pushed(paid_invoice(), orderStatus="Paid", amountPaid=None)),
    httpx.Response(200, json=pushed(paid_invoice(), orderStatus="Paid", amountPaid=True)),
    httpx.Response(200, json=pushed(invoice(["Paid"]))),  # type: ignore[arg-type]
    httpx.Response(200, json=pushed(invoice(externalReference="a\nb"))),
    httpx.Response(200, content=b'{"status": true, "data": {"order": NaN}}'),
    httpx.Response(200, json=pushed(invoice()) | {"status": "true"}),
    httpx.Response(301, headers={"Location": "https://elsewhere.example"}),
    httpx.Response(404, text="no such route"),
    httpx.Response(404, json={"status": 404, "error": "Not Found"}),
    refusal(404, 200),
    refusal(987654),
    refusal(500100, 500),
    refusal("500401", 504),
    refusal(429, 429),
    httpx.Response(503),
]


@pytest.mark.parametrize("answer", GARBAGE, ids=repr)
def test_what_cannot_be_read_is_not_believed(answer: httpx.Response) -> None:
    with pytest.raises(PspUnavailable) as raised:
        fetch(answer)
    assert "254" not in str(raised.value)
    with jenga_answers() as router, pytest.raises(PspUnavailable):
        router.get(url__startswith=ORDER).mock(return_value=answer)
        jenga_of().find(PAYMENT_ID, CREATED_AT)


@pytest.mark.parametrize("failure", [httpx.ConnectError("no"), httpx.ReadTimeout("slow")])
def test_a_jenga_that_cannot_be_reached_is_unavailable(failure: Exception) -> None:
    with jenga_answers() as router, pytest.raises(PspUnavailable):
        router.get(url__startswith=ORDER).mock(side_effect=failure)
        jenga_of().fetch(PUSHED)


@pytest.mark.parametrize("reference", ["", "ORD00000001", "cpay1zzz", "Cpay1ZZZ/../x", "Xpay1ZZZ"])
def test_a_reference_that_is_not_ours_is_not_asked_about(reference: str) -> None:
    with jenga_answers() as router, pytest.raises(PspUnavailable):
        jenga_of().fetch(reference)
    assert router.calls.call_count == 0


def test_a_token_that_is_refused_is_replaced_once() -> None:
    with jenga_answers() as router:
        query = router.get(url__startswith=ORDER)
        query.side_effect = [refusal(401, 401), httpx.Response(200, json=pushed(invoice()))]
        assert jenga_of().fetch(PUSHED).status is S.REQUIRES_ACTION
        query.side_effect = [refusal(401, 401), refusal(401, 401)]
        with pytest.raises(Misconfigured):
            jenga_of().fetch(PUSHED)
