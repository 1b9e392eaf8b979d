"""What Jenga says of a hosted checkout, as an Outcome."""

from typing import Any

import httpx
import pytest

from tests.psp.jenga_values import (
    ASKED,
    CHECKOUT,
    DETAILS,
    PAYMENT_ID,
    details,
    fetched,
    is_signed,
    jenga_answers,
    jenga_of,
    refusal,
    without,
)
from tollgate.domain.errors import Misconfigured, PspUnavailable
from tollgate.domain.money import Money
from tollgate.domain.outcome import UNKNOWN, Outcome
from tollgate.domain.payment import PaymentStatus

S = PaymentStatus


def fetch(said: dict[str, Any] | httpx.Response) -> Outcome:
    return fetched(DETAILS, CHECKOUT, said)


CHECKOUTS = [
    ({"stateCode": 2}, S.SUCCEEDED),
    ({"stateCode": "2"}, S.SUCCEEDED),
    ({"stateCode": 1, "state": "Failed", "code": 400105}, S.FAILED),
    ({"stateCode": "-1", "state": "Pending"}, S.REQUIRES_ACTION),
]


@pytest.mark.parametrize(("data", "status"), CHECKOUTS)
def test_a_checkout(data: dict[str, Any], status: PaymentStatus) -> None:
    outcome = fetch(details(**data))
    assert (outcome.status, outcome.money, outcome.reference) == (status, ASKED, PAYMENT_ID)
    assert (outcome.psp_reference, outcome.livemode) == (CHECKOUT, False)
    assert outcome.references == ("6225966760537",)
    assert (outcome.failure is not None) == (status is S.FAILED)


def test_a_failure_is_told_in_our_own_words() -> None:
    failure = fetch(details(stateCode=1, code="400105", message="no, 254…")).failure
    assert failure is not None
    assert (failure.code, failure.message) == ("jenga_400105", "The payment did not go through.")


def test_the_state_is_read_wherever_it_may_stand() -> None:
    said = details()
    data = without(said["data"], "stateCode")
    assert fetch(said | {"data": data, "stateCode": 2}).status is S.SUCCEEDED
    assert fetch(said | {"stateCode": 2}).status is S.SUCCEEDED
    assert fetch(said | {"stateCode": 1}) is UNKNOWN
    assert fetch(said | {"data": data}) is UNKNOWN
    assert fetch(without(said, "data")) is UNKNOWN


@pytest.mark.parametrize("state", [0, 3, 9, "22", -2])
def test_a_state_that_is_not_documented_is_unknown(state: int | str) -> None:
    assert fetch(details(stateCode=state)) is UNKNOWN


MONEY = [
    ({}, ASKED),
    ({"amount": 1505, "orderAmount": 1500}, ASKED),
    ({"currency": "USD", "orderCurrency": "KES"}, ASKED),
    ({"amount": 1505.0}, Money(150_500, "KES")),
    ({"currency": "UGX"}, Money(1_500, "UGX")),
    ({"currency": "XXX"}, None),
    ({"currency": None}, None),
    ({"amount": None}, None),
]


@pytest.mark.parametrize(("data", "money"), MONEY)
def test_money_of_a_checkout_counts_where_all_of_it_is_told(
    data: dict[str, Any], money: Money | None
) -> None:
    outcome = fetch(details(**data))
    assert (outcome.status, outcome.money) == (S.SUCCEEDED, money)


def test_a_checkout_without_a_currency_has_no_money() -> None:
    said = details()
    said["data"] = without(said["data"], "currency")
    assert (fetch(said).status, fetch(said).money) == (S.SUCCEEDED, None)


def test_a_checkout_may_be_named_by_jengas_own_reference() -> None:
    outcome = fetch(details(reference="SAMPLE1REF"))
    assert outcome.reference == PAYMENT_ID
    assert outcome.references == ("6225966760537", "SAMPLE1REF")
    assert fetch(details(reference="Cpay2ZZZ")).reference == "pay_2"
    assert fetch(details(orderReference="Cpay2ZZZ")).reference == "pay_2"


def test_a_checkout_that_nobody_posted_yet_still_waits_for_that() -> None:
    assert fetch(refusal(404, 404)) == Outcome(
        S.REQUIRES_ACTION, psp_reference=CHECKOUT, reference=PAYMENT_ID, livemode=False
    )


def test_details_are_asked_for_under_a_signature_of_the_reference() -> None:
    with jenga_answers() as router:
        query = router.get(f"{DETAILS}/{CHECKOUT}").respond(json=details())
        jenga_of().fetch(CHECKOUT)
    headers = query.calls.last.request.headers
    assert is_signed(headers["Signature"], CHECKOUT)
    assert headers["Authorization"] == "Bearer eyJ.1"


ODD_DETAILS: list[dict[str, Any]] = [
    {"stateCode": "two"},
    {"stateCode": None},
    {"stateCode": 2.0},
    {"stateCode": True},
    {"amount": "much"},
    {"amount": True},
    {"currency": 5},
    {"transactionReference": ["x"]},
    {"reference": "a\nb"},
]


@pytest.mark.parametrize("data", ODD_DETAILS)
def test_details_that_cannot_be_read_are_not_believed(data: dict[str, Any]) -> None:
    with pytest.raises(PspUnavailable):
        fetch(details(**data))


def test_a_wrong_signature_is_a_setting_to_mend() -> None:
    with pytest.raises(Misconfigured):
        fetch(refusal(900101))
