"""Finding a payment by our own reference: None is said only when everything was read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import respx

from tests.psp.stripe_values import intent, listed, paid_session, session
from tollgate.domain.errors import PspUnavailable
from tollgate.domain.outcome import Outcome
from tollgate.domain.payment import PaymentStatus
from tollgate.psp.stripe import FIND_PAGES_MAX, Stripe
from tollgate.settings import Settings

CREATED_AT = datetime(2026, 9, 21, 12, 0, 0, 500_000, tzinfo=UTC)
OTHERS = tuple(session(id=f"cs_{n}", client_reference_id=f"pay_x{n}") for n in range(3))

Answers = list[httpx.Response | Exception]


def page(*found: Any, has_more: bool = False) -> httpx.Response:
    return httpx.Response(200, json=listed(*found, has_more=has_more))


def find(settings: Settings, *answers: httpx.Response | Exception) -> tuple[Any, list[Any]]:
    """What is found in these pages, and the queries of the lists."""
    with respx.mock(assert_all_called=False) as stripe:
        stripe.get(path="/v1/checkout/sessions/cs_test_1").respond(json=paid_session())
        lists = stripe.get(path="/v1/checkout/sessions")
        lists.side_effect = list(answers)
        found = Stripe(settings).find("pay_1", CREATED_AT)
        return found, [dict(call.request.url.params) for call in lists.calls]


def test_reads_the_first_minutes_and_then_the_rest_of_a_day(settings: Settings) -> None:
    found, asked = find(settings, page(*OTHERS), page())
    assert found is None
    at = int(CREATED_AT.timestamp())
    assert asked == [
        {"created[gte]": str(at - 60), "created[lte]": str(at + 600), "limit": "100"},
        {"created[gte]": str(at + 600), "created[lte]": str(at + 86_400), "limit": "100"},
    ]


def test_a_session_is_read_whole_once_it_is_found(settings: Settings) -> None:
    found, asked = find(settings, page(*OTHERS, session(payment_intent="pi_1")))
    assert isinstance(found, Outcome)
    assert (found.status, found.psp_reference) == (PaymentStatus.SUCCEEDED, "cs_test_1")
    assert len(asked) == 1


def test_a_session_of_a_later_attempt_is_found(settings: Settings) -> None:
    found, asked = find(
        settings, page(), page(*OTHERS, has_more=True), page(session(payment_intent=intent()))
    )
    assert found is not None
    assert [query.get("starting_after") for query in asked] == [None, None, "cs_2"]


@pytest.mark.parametrize("reference", ["pay_10", "PAY_1", None, 5, ["pay_1"]])
def test_a_session_of_another_payment_is_not_it(settings: Settings, reference: object) -> None:
    other = session(client_reference_id=reference)
    assert find(settings, page(other), page(other))[0] is None


UNREADABLE: list[httpx.Response | Exception] = [
    httpx.ReadTimeout("slow"),
    httpx.Response(500),
    httpx.Response(429, json={}),
    httpx.Response(200, json=[]),
    httpx.Response(200, json={"data": []}),
    httpx.Response(200, json={"data": [], "has_more": None}),
    httpx.Response(200, json={"data": [], "has_more": True}),
    httpx.Response(200, json={"data": [5], "has_more": False}),
    httpx.Response(200, text="<html>"),
]


@pytest.mark.parametrize("answer", UNREADABLE, ids=repr)
@pytest.mark.parametrize("before", [[], [page()], [page(), page(*OTHERS, has_more=True)]])
def test_a_page_that_can_not_be_read_is_no_no(
    settings: Settings, before: Answers, answer: httpx.Response | Exception
) -> None:
    with pytest.raises(PspUnavailable):
        find(settings, *before, answer)


def test_more_than_can_be_read_is_no_no(settings: Settings) -> None:
    endless = [page(*OTHERS, has_more=True) for _ in range(FIND_PAGES_MAX)]
    with pytest.raises(PspUnavailable):
        find(settings, *endless)
    found, asked = find(settings, *endless[:-1], page(*OTHERS), page())
    assert (found, len(asked)) == (None, FIND_PAGES_MAX + 1)


def test_the_keys_are_known_for_less_long_than_is_looked_for(settings: Settings) -> None:
    assert timedelta(0) < timedelta(hours=Stripe(settings).idempotency_hours) < timedelta(hours=24)


@pytest.mark.parametrize(
    ("body", "payment_id"),
    [
        (intent(), "pay_1"),
        (intent(metadata={}), None),
        (intent(metadata=None), None),
        (intent(metadata={"payment_id": "pay\n1"}), None),
    ],
)
def test_an_intent_leads_to_the_payment(
    settings: Settings, body: dict[str, Any], payment_id: str | None
) -> None:
    with respx.mock:
        respx.get(path="/v1/payment_intents/pi_1").respond(json=body)
        assert Stripe(settings).find_payment_id("pi_1") == payment_id


@pytest.mark.parametrize("answer", UNREADABLE[:4], ids=repr)
def test_an_intent_that_can_not_be_read_is_an_error(
    settings: Settings, answer: httpx.Response | Exception
) -> None:
    with respx.mock, pytest.raises(PspUnavailable):
        respx.get(path="/v1/payment_intents/pi_1").mock(side_effect=[answer])
        Stripe(settings).find_payment_id("pi_1")


def test_a_reference_stays_within_its_place(settings: Settings) -> None:
    with respx.mock:
        route = respx.get().respond(json=intent())
        Stripe(settings).find_payment_id("../refunds?x=\n")
        path = route.calls.last.request.url.raw_path
    assert path == b"/v1/payment_intents/..%2Frefunds%3Fx%3D%0A"
